"""Writes uncompressed TIFF files tag by tag, as cameras and programs do that keep to the letter of the standard."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHORT, _LONG = 3, 4
_BYTES = {_SHORT: 2, _LONG: 4}


@dataclass(frozen=True)
class TiffPage:
    """One page: unsigned values of shape (rows, cols) or (rows, cols, channels)."""

    values: NDArray[np.generic]
    planar: int = 1
    photometric: int = 2
    orientation: int = 1
    subfile_type: int = 0
    sample_format: int = 1
    compression: int = 1
    """As the file states; the values are written as they are."""
    predictor: int = 1
    bits: int = 0
    """Of each channel, as the file states; 0: as many as the values have."""
    fill_order: int = 1
    sub_pages: tuple["TiffPage", ...] = ()


def tiff_file(*pages: TiffPage) -> bytes:
    """The bytes of a little-endian file with these pages in order."""
    content = bytearray(b"II*\0\0\0\0\0")
    _chain(content, pages, 4)
    return bytes(content)


def _chain(content: bytearray, pages: Sequence[TiffPage], link_at: int) -> None:
    for page in pages:
        start, next_link = _add(content, page)
        struct.pack_into("<I", content, link_at, start)
        link_at = next_link


def _add(content: bytearray, page: TiffPage) -> tuple[int, int]:
    """Append a page; returns where it starts and where the offset of the next page belongs."""
    subs = [_add(content, sub)[0] for sub in page.sub_pages]
    values = page.values.astype(page.values.dtype.newbyteorder("<"))
    rows, cols = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    planes = np.moveaxis(values, 2, 0) if page.planar == 2 else values[None]
    strips = []
    for plane in planes:
        strips.append(len(content))
        content += np.ascontiguousarray(plane).tobytes()
    each = (len(content) - strips[0]) // len(strips)
    bits = page.bits or values.dtype.itemsize * 8
    tags: list[tuple[int, int, list[int]]] = [
        (254, _LONG, [page.subfile_type]),
        (256, _LONG, [cols]),
        (257, _LONG, [rows]),
        (258, _SHORT, [bits] * channels),
        (259, _SHORT, [page.compression]),
        (262, _SHORT, [page.photometric]),
        *([(266, _SHORT, [page.fill_order])] if page.fill_order != 1 else []),
        (273, _LONG, strips),
        (274, _SHORT, [page.orientation]),
        (277, _SHORT, [channels]),
        (278, _LONG, [rows]),
        (279, _LONG, [each] * len(strips)),
        (284, _SHORT, [page.planar]),
        *([(317, _SHORT, [page.predictor])] if page.predictor != 1 else []),
        *([(330, _LONG, subs)] if subs else []),
        (339, _SHORT, [page.sample_format] * channels),
    ]
    entries = bytearray(struct.pack("<H", len(tags)))
    for tag, kind, numbers in tags:
        packed = b"".join(struct.pack("<H" if kind == _SHORT else "<I", number) for number in numbers)
        if len(packed) > 4:
            place = struct.pack("<I", len(content))
            content += packed
            packed = place
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    start = len(content)
    content += entries + b"\0\0\0\0"
    return start, start + len(entries)
