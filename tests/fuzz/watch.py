"""What must never happen, whatever the input: a crash, a hang, much memory, a file outside the state folder."""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

LIMIT_S = 20.0
"""For one case; valid input of this size takes milliseconds."""
MEMORY = 1536 * 2**20
"""What all cases together may allocate beyond what was there; the largest picture that is read takes a third of it."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"})


class Hangs(BaseException):
    """A case took longer than `LIMIT_S`; no handler of ours may catch it."""


class StrayFile(BaseException):
    """Something outside the case's own folder was written."""


class _Fence:
    allowed: Path | None = None
    installed = False


def _fence(event: str, arguments: tuple[Any, ...]) -> None:
    if _Fence.allowed is None:
        return
    if event == "open":
        path, mode, flags = arguments
        if (flags or 0) & _WRITING or (isinstance(mode, str) and set(mode) & set("wax+")):
            _refuse_outside(event, path)
    elif event in ("os.remove", "os.rmdir") and arguments[1] != -1:
        return  # a name in a folder that is open, as shutil.rmtree walks; opening that was seen
    elif event in _CHANGING:
        for path in arguments[:2]:
            _refuse_outside(event, path)


def _refuse_outside(event: str, path: Any) -> None:
    if not isinstance(path, str | bytes | os.PathLike):
        return
    name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - resolve() would open files itself
    inside = name.startswith(f"{_Fence.allowed}/") or name in (str(_Fence.allowed), "/dev/null")
    # A module that is imported for the first time is compiled and kept.
    if not inside and "__pycache__" not in name:
        raise StrayFile(f"{event} of {name}")


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """One case: nothing outside `folder` is written, and it ends in time."""
    if not _Fence.installed:
        sys.addaudithook(_fence)
        _Fence.installed = True

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"more than {LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    _Fence.allowed = folder.absolute()
    try:
        yield
    finally:
        _Fence.allowed = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def little_memory() -> Iterator[None]:
    """Within it an allocation beyond `MEMORY` fails with MemoryError."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
