"""Results arrive whole where they are written, or the command says in one line that they did not."""

import errno
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from leukoscope.errors import LeukoscopeError

_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE)
"""What writing to an open file can end with."""


class OutputError(LeukoscopeError, OSError):
    """A result could not be written to its end."""


@contextmanager
def written_whole() -> Iterator[None]:
    """Run a command; whatever it printed has left this process at the end.

    Raises:
        OutputError: standard output is a full disk, or was closed before the end; or a file could not be used.
    """
    _buffer_standard_output()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if isinstance(error, LeukoscopeError):
            raise
        if error.filename is not None:
            raise OutputError(
                f"{error.filename}: {error.strerror}", "check the path, its owner and the disk"
            ) from error
        if error.errno not in _WRITING:
            raise
        _discard_the_rest()
        raise OutputError(
            f"the result could not be written to standard output ({error.strerror}): what was written is not whole",
            "write it again where there is room",
        ) from error


def printable(text: str) -> str:
    """The text with control characters escaped, so that a file's name cannot steer the terminal that shows it."""
    return "".join(
        letter if letter == "\n" or not unicodedata.category(letter).startswith("C") else _escaped(letter)
        for letter in text
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def _buffer_standard_output() -> None:
    """With PYTHONUNBUFFERED, as services run, Python writes once and drops what the disk had no room for."""
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.FileIO) and raw.fileno() == 1:
        stream = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
        sys.stdout = io.TextIOWrapper(stream, sys.stdout.encoding, sys.stdout.errors, line_buffering=True)


def _discard_the_rest() -> None:
    """What is left in the buffer would fail a second time when the interpreter ends, with a status of its own."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
