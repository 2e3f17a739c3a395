"""Commands of the superuser leave files that the service, which is another user, can read and write."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION_3 = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3: effective, permitted, inheritable, and the upper halves of the three."""
_READ_AND_SEARCH = 1 << 2
"""CAP_DAC_READ_SEARCH."""


@contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """Act as the user and group whom a folder belongs to, where this process is the superuser; elsewhere as itself.

    What is made belongs to that user, and what the superuser may read can still be read: the program itself may lie
    where the service's user has no access, as in a home folder, and parts of it are loaded late.
    """
    owner = folder.stat() if folder.exists() else None
    if owner is None or os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    group = os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    _go_on_reading()
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)


def _go_on_reading() -> None:
    """Take back the right to read, which leaves with the superuser's number; without it where the system says no."""
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    words = (ctypes.c_uint32 * 6)()
    if libc.capget(header, words) == 0:
        effective, permitted = words[0], words[1]
        words[0] = effective | (_READ_AND_SEARCH & permitted)
        libc.capset(header, words)
