"""Pictures of sixteen bits per channel, without the lower eight being cut off before anyone has seen them."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leukoscope.errors import PictureError
from leukoscope.specimen.frame import Pixels
from leukoscope.system.pixels_in_file import empty_pixels, giving_back, let_go, pixels_from, pixels_in_memory

Deep = NDArray[np.uint16]
"""As OpenCV decodes: (rows, cols), or (rows, cols, 3 or 4) in the order blue, green, red, alpha."""

CAMERA_BITS = (12, 14, 16)
"""Depths of cameras whose values are stored in sixteen bits. A picture of a deeper camera that ends this low would be
underexposed: its background would lie at most at a quarter of the scale, which the gate refuses."""
OPAQUE = 250
"""Of 255: what is less opaque counts as transparent."""
_PNG_DEPTH_AT = 24
"""Where the header of a PNG file states its bits per channel; the kind of its colours follows."""
_PNG_CHANNELS = {0: 1, 2: 3, 6: 4}
_BAND_ROWS = 64
_BLOCK_PX = 16
"""Strips and tiles of a TIFF file, and rows of a PNG file, are decoded whole; tiles are at least so wide."""


def png_bits(path: Path) -> int:
    """Bits per channel that the header of a PNG file states."""
    return _png_header(path)[0]


def png_channels(path: Path) -> int | None:
    """Channels of a PNG file; None for those that OpenCV gives another number of."""
    return _PNG_CHANNELS.get(_png_header(path)[1])


def decode_deep(path: Path, page: int, size: tuple[int, int], channels: int | None) -> Deep:
    """One page in full depth.

    Args:
        path: a PNG or TIFF file of 16 bits per channel.
        page: from 0.
        size: columns and rows that the file states, before it is turned upright.
        channels: of the first page of a file that stands upright, to be decoded into a file; None for others.

    Raises:
        PictureError: it cannot be decoded, or to something else than the file states.
    """
    deep = _from_memory(path, page) if page or channels is None else _into_file(path, size, channels)
    if deep is None:
        raise PictureError(f"{path} cannot be decoded in 16 bits", "it is damaged, or save it with 8 bits per channel")
    if deep.dtype != np.uint16 or sorted(deep.shape[:2]) != sorted(size):
        raise PictureError(
            f"{path} states {size[0]}x{size[1]} pixels of 16 bits, but decodes to {deep.shape[1]}x{deep.shape[0]}"
            f" of {deep.dtype}",
            "save it again, as PNG",
        )
    return np.asarray(deep, dtype=np.uint16)


def transparent_share(deep: Deep) -> float:
    """Share of the pixels that something below shows through."""
    if deep.ndim < 3 or deep.shape[2] < 4:
        return 0.0
    clear = sum(int(np.count_nonzero(band[..., 3] >> 8 < OPAQUE)) for band in _bands(deep))
    return clear / float(deep.shape[0] * deep.shape[1])


def in_eight_bits(deep: Deep, *, white_is_zero: bool, in_file: bool) -> Pixels:
    """The same values on a scale of 255, from the scale of the camera that they fit: RGB over white.

    Args:
        deep: the picture.
        white_is_zero: as its file states.
        in_file: whether the result is to lie in a file.
    """
    highest = max(int(_colours(band, white_is_zero=white_is_zero).max()) for band in _bands(deep))
    full = next((1 << bits) - 1 for bits in CAMERA_BITS if highest < 1 << bits)
    table = ((np.arange(65536) * 255 + full // 2) // full).clip(0, 255).astype(np.uint8)

    def bands() -> Iterator[NDArray[np.uint8]]:
        for band in _bands(deep):
            shown = table[_colours(band, white_is_zero=white_is_zero)]
            yield _over_white(shown, band[..., 3] >> 8) if band.ndim == 3 and band.shape[2] == 4 else shown

    shape = deep.shape[0], deep.shape[1], 3
    return (pixels_from if in_file else pixels_in_memory)(bands, shape)


def _png_header(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        depth, colours = struct.unpack_from("BB", file.read(_PNG_DEPTH_AT + 2), _PNG_DEPTH_AT)
    return int(depth), int(colours)


def _from_memory(path: Path, page: int) -> NDArray[np.generic] | None:
    content = np.frombuffer(path.read_bytes(), np.uint8)
    found, pages = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED, range=(page, page + 1))
    return pages[0] if found and len(pages) == 1 else None


def _into_file(path: Path, size: tuple[int, int], channels: int) -> NDArray[np.generic] | None:
    """The first page, in a file; None where it cannot be decoded."""
    cols, rows = size
    lies = empty_pixels((rows, cols, 2 * channels))
    deep = lies.view(np.uint16)
    shown = deep[..., 0] if channels == 1 else deep
    unwritten = np.random.default_rng().integers(0, 65536, (cols, channels), dtype=np.uint16).reshape(shown.shape[1:])
    for top in range(0, rows, _BAND_ROWS):
        shown[top : top + _BAND_ROWS] = unwritten
        let_go(lies)
    with giving_back(lies):
        decoded = cv2.imread(str(path), shown, cv2.IMREAD_UNCHANGED)
    if decoded is None or not np.shares_memory(decoded, lies):
        return decoded
    # OpenCV says nothing where it cannot decode a part: it leaves what was there before.
    return None if any(_has_left(band, unwritten) for band in _bands(shown)) else shown


def _has_left(band: Deep, unwritten: Deep) -> bool:
    """Whether anywhere in a band a block of a row is what stood there before."""
    cols = band.shape[1]
    same = (band == unwritten).reshape(len(band), cols, -1).all(axis=2)
    starts = np.arange(0, cols, _BLOCK_PX)
    return bool(np.logical_and.reduceat(same, starts, axis=1)[:, : max(1, cols // _BLOCK_PX)].any())


def _bands(deep: Deep) -> Iterator[Deep]:
    for top in range(0, len(deep), _BAND_ROWS):
        yield deep[top : top + _BAND_ROWS]
        let_go(deep.view(np.uint8))


def _colours(band: Deep, *, white_is_zero: bool) -> Deep:
    """Red, green and blue of a band, three equal ones of a grey one."""
    colours = np.repeat(band[..., None], 3, axis=2) if band.ndim == 2 else band[..., 2::-1]
    return np.asarray(65535 - colours if white_is_zero else colours, dtype=np.uint16)


def _over_white(colours: NDArray[np.uint8], alpha: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    layered = Image.fromarray(np.dstack([colours, alpha.astype(np.uint8)]))
    white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, layered).convert("RGB"), dtype=np.uint8)
