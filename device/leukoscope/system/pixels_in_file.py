"""Large pictures that lie in a file without a name: the memory they take can be given back while they are in use."""

import math
import mmap
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

_ON_DISK = "/var/tmp"  # noqa: S108 - the file has no name, and /tmp may itself lie in memory
"""Where the file system standard keeps larger temporary files."""
_BAND_ROWS = 256
_GIVEN_BACK_S = 0.02

Bands = Callable[[], Iterable[NDArray[np.uint8]]]
"""Begins a picture anew, and gives its rows from the top, some at a time."""
Shape = tuple[int, int, int]
"""Rows, columns, colours."""


def empty_pixels(shape: Shape) -> NDArray[np.uint8]:
    """A picture to be filled, in a file; in plain memory where there is no room for one."""
    try:
        with tempfile.TemporaryFile(dir=_folder()) as file:
            # Room that is missing later would end the process.
            os.posix_fallocate(file.fileno(), 0, math.prod(shape))
            return np.frombuffer(mmap.mmap(file.fileno(), math.prod(shape)), np.uint8).reshape(shape)
    except OSError:
        return np.empty(shape, np.uint8)


def pixels_from(bands: Bands, shape: Shape) -> NDArray[np.uint8]:
    """A picture in a file, from its rows; in plain memory where there is no room for one."""
    return _filled(empty_pixels(shape), bands())


def pixels_in_memory(bands: Bands, shape: Shape) -> NDArray[np.uint8]:
    """A picture in plain memory, from its rows."""
    return _filled(np.empty(shape, np.uint8), bands())


def let_go(pixels: NDArray[np.uint8]) -> None:
    """Give back the memory that a picture in a file takes now; what is asked for later is read again.

    Does nothing to other pictures.
    """
    mapped = _mapping_of(pixels)
    if mapped is not None:
        mapped.madvise(mmap.MADV_DONTNEED)


@contextmanager
def giving_back(pixels: NDArray[np.uint8]) -> Iterator[None]:
    """Let a picture in a file go again and again while something fills it or reads it in one go."""
    done = threading.Event()

    def again() -> None:
        while not done.wait(_GIVEN_BACK_S):
            let_go(pixels)

    thread = threading.Thread(target=again, name="giving back pixels", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        let_go(pixels)


def copied(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A part of a picture in a file, in plain memory."""
    copy = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), _BAND_ROWS):
        copy[top : top + _BAND_ROWS] = pixels[top : top + _BAND_ROWS]
        let_go(pixels)
    return copy


def is_in_file(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture, or the one it is a part of, lies in a file."""
    return _mapping_of(pixels) is not None


def _filled(pixels: NDArray[np.uint8], bands: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    row = 0
    for band in bands:
        pixels[row : row + len(band)] = band
        row += len(band)
        let_go(pixels)
    return pixels


def _mapping_of(pixels: NDArray[np.uint8]) -> mmap.mmap | None:
    owner: object = pixels
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    return owner if isinstance(owner, mmap.mmap) else None


def _folder() -> str | None:
    """None for what the environment says, or else the usual place."""
    return None if "TMPDIR" in os.environ or not os.access(_ON_DISK, os.W_OK) else _ON_DISK
