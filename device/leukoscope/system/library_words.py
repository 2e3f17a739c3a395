"""What C libraries print on standard error, past Python: kept from the terminal, and asked for."""

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_MOST_CHARS = 300


@contextmanager
def library_words() -> Iterator[Callable[[], str]]:
    """Keep what is printed past Python's own standard error aside.

    Yields:
        What gives the words that came since it was asked last, on one line and cut; "" where there were none, or
        where Python's standard error is no file of the system's.
    """
    python, text = _own_file_number(), sys.stderr
    if python != 2:
        yield lambda: ""
        return
    with tempfile.TemporaryFile() as aside:
        terminal = os.dup(2)
        sys.stderr = io.TextIOWrapper(
            io.FileIO(terminal, "w"), text.encoding, "backslashreplace", line_buffering=True, write_through=True
        )
        os.dup2(aside.fileno(), 2)
        asked = 0

        def since() -> str:
            nonlocal asked
            end = os.fstat(aside.fileno()).st_size
            words = os.pread(aside.fileno(), min(end - asked, 4 * _MOST_CHARS), asked).decode(errors="replace")
            asked = end
            line = "; ".join(part.strip() for part in words.splitlines() if part.strip())
            return line if len(line) <= _MOST_CHARS else f"{line[: _MOST_CHARS - 1]}…"

        try:
            yield since
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            # Closing it closes its number, too.
            sys.stderr.close()
            sys.stderr = text


def _own_file_number() -> int | None:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None
