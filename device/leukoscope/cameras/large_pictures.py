"""Decodes pictures of tens of megapixels without holding them in memory as a whole, where their format allows it."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leukoscope.cameras.picture_kinds import READ
from leukoscope.specimen.frame import Pixels
from leukoscope.system.pixels_in_file import empty_pixels, giving_back, let_go, pixels_from

_BAND_ROWS = 64
"""Rows that are decoded at a time."""
_EIGHT_BIT_RGB, _NOT_INTERLACED = (8, 2), 0
_READ_BYTES = 1 << 20
_REDUCED = 8
"""Pixels of a JPEG block, which decode to one where a picture is reduced by it."""
_SAME_LEVELS = 16
"""Levels by which means of blocks differ at most: colours are stored coarser than brightness."""
ORIENTATION = 0x0112
_SAYS_MORE = frozenset({b"eXIf", b"tRNS", b"acTL"})
"""Chunks of a PNG file that change how it is shown; the texts may do so that begin with these words."""
_PROFILES = (b"Raw profile", b"XML:")


def decode_large(path: Path, picture: Image.Image) -> Pixels | None:
    """The pixels of a plain picture in RGB or grey, as Pillow decodes them: (rows, cols, 3) uint8, in a file.

    Plain is what is stored as it is to be shown: upright, and nothing of it transparent; None for other pictures. PNG
    is decoded by strips, JPEG by OpenCV straight into the file; Pillow takes four bytes per pixel for others.

    Args:
        path: the file.
        picture: it, open, and not yet decoded.

    Raises:
        OSError: it is damaged or cut short.
    """
    cols, rows = picture.size
    shape = rows, cols, 3
    if picture.format == "PNG" and _can_be_cut(path):
        return pixels_from(lambda: _strips_of_png(path), shape)
    # Asking a PNG for its tags decodes it.
    upright = picture.getexif().get(ORIENTATION, 1) == 1
    if not upright or picture.mode not in ("RGB", "L") or picture.has_transparency_data:
        return None
    if picture.format == "JPEG":
        reduced = _reduced(path)
        pixels = empty_pixels(shape)
        with giving_back(pixels):
            decoded = cv2.imread(str(path), pixels, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        # OpenCV leaves the pixels as they were where it cannot decode a file that Pillow can.
        return pixels if np.shares_memory(decoded, pixels) and _shows(pixels, reduced) else None
    picture.load()
    return pixels_from(lambda: bands_of(picture), shape)


def bands_of(picture: Image.Image) -> Iterator[NDArray[np.uint8]]:
    """The rows of a decoded picture in RGB: a whole copy on the way would take three times its memory."""
    cols, rows = picture.size
    for top in range(0, rows, _BAND_ROWS):
        yield np.asarray(picture.crop((0, top, cols, min(top + _BAND_ROWS, rows))).convert("RGB"))


def _reduced(path: Path) -> NDArray[np.uint8]:
    """A JPEG picture at an eighth of its size, by Pillow, which refuses a file that is cut short.

    OpenCV would fill what is missing with grey.
    """
    with Image.open(path, formats=READ) as small:
        small.draft(small.mode, (small.width // _REDUCED, small.height // _REDUCED))
        return np.asarray(small.convert("RGB"))


def _shows(pixels: NDArray[np.uint8], reduced: NDArray[np.uint8]) -> bool:
    """Whether a picture is the one that the reduced one shows: means of eight by eight pixels say."""
    rows, cols = len(pixels) // _REDUCED, pixels.shape[1] // _REDUCED
    for top in range(0, rows, _BAND_ROWS // _REDUCED):
        bottom = min(top + _BAND_ROWS // _REDUCED, rows)
        band = pixels[_REDUCED * top : _REDUCED * bottom, : _REDUCED * cols]
        means = cv2.resize(band, (cols, bottom - top), interpolation=cv2.INTER_AREA)
        if np.abs(means.astype(np.int16) - reduced[top:bottom, :cols]).mean() > _SAME_LEVELS:
            return False
        let_go(pixels)
    return True


def says_more(path: Path) -> bool:
    """Whether a PNG file says anything of how its pixels are to be shown; asking Pillow would decode them."""
    with path.open("rb") as file:
        for kind, length in _chunks(file):
            start = file.read(min(length, 20)) if kind.endswith(b"Xt") else b""
            if kind in _SAYS_MORE or start.startswith(_PROFILES):
                return True
    return False


def _can_be_cut(path: Path) -> bool:
    """Whether a PNG file is one of 8 bits in RGB whose rows follow one another, to be shown as they are."""
    with path.open("rb") as file:
        *_, depth, colours, _, _, interlacing = struct.unpack(">8s4s4sIIBBBBB", file.read(29))
        if (depth, colours) != _EIGHT_BIT_RGB or interlacing != _NOT_INTERLACED:
            return False
    return not says_more(path)


def _strips_of_png(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Rows of a PNG file of 8 bits in RGB without interlacing.

    The filter of a row reaches back to the row before alone (PNG specification, section 9), so that rows make a file of
    their own once that row stands unfiltered before them.
    """
    with path.open("rb") as file:
        file.seek(16)
        cols, rows = struct.unpack(">II", file.read(8))
        length = 1 + 3 * cols
        filtered, done, before = b"", 0, bytes(3 * cols)
        for part in _decompressed(file, _BAND_ROWS * length):
            filtered += part
            count = min(len(filtered) // length, rows - done)
            if count >= _BAND_ROWS or 0 < count == rows - done:
                strip = _unfiltered(before, filtered[: count * length], cols, count)
                filtered, done, before = filtered[count * length :], done + count, strip[-1].tobytes()
                yield strip
            if done == rows:
                return
        raise OSError(f"{rows - done} rows are missing")


def _decompressed(file: io.BufferedReader, most_bytes: int) -> Iterator[bytes]:
    """The filtered rows of a PNG file, about so many bytes at a time."""
    stream = zlib.decompressobj()
    try:
        for packed in _image_data(file):
            left = packed
            while left:
                yield stream.decompress(left, most_bytes)
                left = stream.unconsumed_tail
        yield stream.flush()
    except zlib.error as problem:
        raise OSError(str(problem)) from problem


def _chunks(file: io.BufferedReader) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk of a PNG file; the file stands at its content."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        after = file.tell() + length + 4
        yield kind, length
        if kind == b"IEND":
            return
        file.seek(after)


def _image_data(file: io.BufferedReader) -> Iterator[bytes]:
    """The content of all IDAT chunks, some at a time."""
    for kind, length in _chunks(file):
        left = length if kind == b"IDAT" else 0
        while part := file.read(min(left, _READ_BYTES)):
            left -= len(part)
            yield part


def _unfiltered(before: bytes, filtered: bytes, cols: int, count: int) -> NDArray[np.uint8]:
    """Rows from their filtered bytes and the row before them, shape (count, cols, 3)."""
    size = struct.pack(">IIBBBBB", cols, count + 1, *_EIGHT_BIT_RGB, 0, 0, _NOT_INTERLACED)
    data = zlib.compress(b"\0" + before + filtered, 0)
    chunks = ((b"IHDR", size), (b"IDAT", data), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, part) for kind, part in chunks)
    with Image.open(io.BytesIO(content), formats=("PNG",)) as strip:
        return np.asarray(strip)[1:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
