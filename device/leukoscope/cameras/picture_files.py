"""Finds the picture files that folders and patterns name, in the order people number them."""

import glob
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from leukoscope.cameras.picture_kinds import SUFFIXES, is_left_out
from leukoscope.errors import PictureError


def pictures_in(folder: Path) -> list[Path]:
    """Every picture file directly in a folder, in the order people number them: 2 before 10.

    Raises:
        PictureError: the folder cannot be looked into.
    """
    found = (entry for entry in _files_in(folder) if entry.suffix.lower() in SUFFIXES)
    return sorted(found, key=lambda entry: natural_key(entry.name))


def left_out(folder: Path) -> list[Path]:
    """Pictures directly in a folder that `pictures_in` passes over, since they are of a kind that is not read.

    Raises:
        PictureError: the folder cannot be looked into.
    """
    others = (entry for entry in _files_in(folder) if entry.suffix.lower() not in SUFFIXES and is_left_out(entry))
    return sorted(others, key=lambda entry: natural_key(entry.name))


def find_pictures(patterns: Iterable[str | Path], left: list[Path] | None = None) -> Iterator[Path]:
    """Every picture that files, folders and glob patterns name, in order.

    Those directly in a folder come in the order people number them, 2 before 10. What names none stands for
    itself: reading it says so, and the others are read nevertheless.

    Args:
        patterns: as they were given.
        left: gets the pictures of folders that are passed over, since they are of a kind that is not read.
    """
    for pattern in patterns:
        path = Path(pattern)
        inside = [path]
        try:
            if path.is_dir():
                inside = pictures_in(path)
                if left is not None:
                    left += left_out(path)
            elif glob.has_magic(str(pattern)) and not path.exists():
                inside = [Path(one) for one in sorted(glob.glob(str(pattern), recursive=True))]
        except (PictureError, OSError):
            inside = [path]
        yield from inside or [path]


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that reads runs of digits as numbers; names differing only in case or zeros stay ordered."""
    parts = re.split(r"(\d+)", name.casefold())
    numbered = ((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)
    return (*numbered, (2, 0, name))


def _files_in(folder: Path) -> Iterator[Path]:
    try:
        # Names with a dot in front are notes that systems keep beside pictures, some under the picture's own name.
        yield from (entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_file())
    except OSError as problem:
        raise PictureError(
            f"{folder} cannot be looked into: {problem.strerror}", "check the path, its owner and the disk"
        ) from problem
