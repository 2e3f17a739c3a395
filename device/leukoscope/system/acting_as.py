"""Commands of the superuser leave files that the service, which is another user, can read and write."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """Act as the user and group whom a folder belongs to, where this process is the superuser; elsewhere as itself."""
    owner = folder.stat() if folder.exists() else None
    if owner is None or os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    group = os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
