"""Brings in the methods of a folder by the names of their files; a missing library stops one row, not the table."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from methods.kinds import MissingLibrary

EXTRA = "leukoscope[methods]"


def load(folder: str, name: str) -> Any:
    """The METHOD of a file.

    Args:
        folder: a package beside this file.
        name: of the file in it, without .py.

    Raises:
        MissingLibrary: the file wants a library that is not installed.
    """
    try:
        return import_module(f"methods.{folder}.{name}").METHOD
    except ModuleNotFoundError as error:
        raise MissingLibrary(f"needs pip install '{EXTRA}' (no module named {error.name})") from error


def sources(*names: str) -> Sequence[Path]:
    """Files of this tool by their names relative to it."""
    here = Path(__file__).parent
    return [here / name for name in names]
