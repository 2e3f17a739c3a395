"""Runs one case of a target and says what came of it."""

import shutil
import warnings
from pathlib import Path

from leukoscope.errors import LeukoscopeError
from tests.fuzz.target import Target
from tests.fuzz.watch import watched

ACCEPTED, NAMED = "accepted", "named error"


def run_case(target: Target, content: bytes, folder: Path) -> str:
    """Give a case to a target, in an empty folder that is gone afterwards.

    Returns:
        `ACCEPTED`, or `NAMED` where a LeukoscopeError said what is wrong with it.

    Raises:
        BaseException: whatever else happened; that is a defect.
    """
    folder.mkdir()
    try:
        with watched(folder), warnings.catch_warnings():
            warnings.simplefilter("error")
            target.read(content, folder)
    except LeukoscopeError as error:
        if not str(error).strip() or "\n" in str(error).strip():
            raise AssertionError(f"expected one line that says what is wrong, found {str(error)[:300]!r}") from error
        return NAMED
    finally:
        shutil.rmtree(folder)
    return ACCEPTED
