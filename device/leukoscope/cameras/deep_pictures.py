"""Pictures of sixteen bits per channel, without the lower eight being cut off before anyone has seen them."""

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import PictureError
from leukoscope.specimen.frame import Pixels

CAMERA_BITS = (12, 14, 16)
"""Depths of cameras whose values are stored in sixteen bits. A picture of a deeper camera that ends this low would be
underexposed: its background would lie at most at a quarter of the scale, which the gate refuses."""
_PNG_DEPTH_AT = 24
"""Where the header of a PNG file states its bits per channel."""


def png_bits(path: Path) -> int:
    """Bits per channel that the header of a PNG file states."""
    with path.open("rb") as file:
        start = file.read(_PNG_DEPTH_AT + 1)
    return int(struct.unpack_from("B", start, _PNG_DEPTH_AT)[0])


def decode_deep(path: Path, page: int, size: tuple[int, int], *, white_is_zero: bool) -> NDArray[np.uint16]:
    """One page in full depth: (rows, cols), or (rows, cols, 3 or 4) in the order red, green, blue, alpha.

    Args:
        path: a PNG or TIFF file of 16 bits per channel.
        page: from 0.
        size: columns and rows that the file states, before it is turned upright.
        white_is_zero: as the file states.

    Raises:
        PictureError: it cannot be decoded, or to something else than the file states.
    """
    content = np.frombuffer(path.read_bytes(), np.uint8)
    found, pages = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED, range=(page, page + 1))
    if not found or len(pages) != 1:
        raise PictureError(f"{path} cannot be decoded in 16 bits", "it is damaged, or save it with 8 bits per channel")
    deep = pages[0]
    if deep.dtype != np.uint16 or sorted(deep.shape[:2]) != sorted(size):
        raise PictureError(
            f"{path} states {size[0]}x{size[1]} pixels of 16 bits, but decodes to {deep.shape[1]}x{deep.shape[0]}"
            f" of {deep.dtype}",
            "save it again, as PNG",
        )
    if deep.ndim == 3:
        deep = deep[..., [2, 1, 0, 3][: deep.shape[2]]] if deep.shape[2] >= 3 else deep
    return np.asarray(65535 - deep if white_is_zero else deep, dtype=np.uint16)


def eight_bits(deep: NDArray[np.uint16]) -> Pixels:
    """The same values on a scale of 255, from the scale of the camera that they fit; shape (rows, cols[, channels])."""
    highest = int(deep[..., :3].max()) if deep.ndim == 3 else int(deep.max())
    full = next((1 << bits) - 1 for bits in CAMERA_BITS if highest < 1 << bits)
    table = ((np.arange(65536) * 255 + full // 2) // full).clip(0, 255).astype(np.uint8)
    shallow = np.empty(deep.shape, np.uint8)
    for row, values in enumerate(deep):
        shallow[row] = table[values]
    if deep.ndim == 3 and deep.shape[2] == 4:
        shallow[..., 3] = deep[..., 3] >> 8
    return shallow
