"""A report as a file, written by the command line in a process of its own: what a PDF needs in memory is given back."""

import subprocess
import sys

from leukoscope.errors import ExportError
from leukoscope.sentence import Sentence
from leukoscope.web.own_commands import environment, text_of

_TIMEOUT_S = 60


def exported(report: str, form: str, *options: str) -> bytes:
    """What `leukoscope export REPORT --as FORM` writes.

    Args:
        report: id, or a JSON file.
        form: "fhir", "csv", "html" or "pdf".
        options: more words of the command.

    Raises:
        ExportError: it cannot be written; the words are the command's.
    """
    command = [sys.executable, "-m", "leukoscope.cli.main", "export", report, "--as", form, *options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False, env=environment())
    except subprocess.TimeoutExpired:
        raise ExportError(
            Sentence("the {form} took longer than {seconds} s", form=form, seconds=_TIMEOUT_S), "try again"
        ) from None
    if done.returncode:
        raise ExportError(text_of(done.stderr.decode(errors="replace")), "try again, or use leukoscope export")
    return done.stdout
