"""What the tags of a TIFF file say about its pages, compared with what the decoder makes of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from leukoscope.cameras.tiff_tags import first_values
from leukoscope.errors import PictureError

SUBFILE_TYPE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION = 254, 256, 257, 258, 259, 262, 270
FILL_ORDER = 266
PREDICTOR, PLANES, SUB_IFDS, SAMPLE_FORMAT, DNG_VERSION = 317, 284, 330, 339, 50706
_REDUCED, _MASK = 1, 4
"""Bits of the subfile type: a reduced copy of another page, a transparency mask of it."""
_WHITE_IS_ZERO, _UNSIGNED, _IN_PLANES = 0, 1, 2
_RAW_PHOTOMETRICS = (32803, 34892)
"""A colour filter array, and linear raw values."""
_NO_PREDICTOR, _LZW, _DEFLATE = 1, 5, (8, 32946)
_PREDICTED = frozenset({_LZW, *_DEFLATE, 34925, 50000})
"""Compressions with which decoders heed a predictor: LZW, Deflate, LZMA and Zstandard."""
_READ_DEEP = frozenset({1, _LZW, *_DEFLATE, 32773})
"""Compressions of 16-bit values that OpenCV decodes; 32773 is PackBits."""
_READ = _READ_DEEP | {2, 3, 4, 6, 7, 34925, 50000}
"""Those of 8-bit values that Pillow decodes: of fax machines, JPEG, LZMA and Zstandard, too."""
_COMPRESSIONS = {
    7: "JPEG",
    34712: "JPEG 2000",
    34892: "lossy JPEG of a raw file",
    34925: "LZMA",
    34933: "PNG",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_LOWEST_FIRST = 2
"""Fill order of a TIFF file whose bytes begin with their lowest bit."""
MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One full page of a TIFF file, as its tags describe it."""

    number: int
    """Place among all image file directories, from 0."""
    size: tuple[int, int]
    """Columns and rows."""
    bits: int
    white_is_zero: bool
    in_planes: bool
    grey: bool
    channels: int


def pages_of(path: Path, picture: TiffImageFile) -> tuple[Page, ...]:
    """The full pages of a file, without reduced copies and masks.

    Raises:
        PictureError: only a reduced picture is there, the values are raw or signed, or there are too many pages.
    """
    if picture.n_frames > MAX_PAGES:
        raise PictureError(f"{path} holds {picture.n_frames} pages; at most {MAX_PAGES} are read", "cut it into fields")
    pages = []
    for number in range(picture.n_frames):
        picture.seek(number)
        tags = picture.tag_v2
        if int(_first(tags, SUBFILE_TYPE, 0)) & (_REDUCED | _MASK):
            continue
        _refuse_raw(path, picture)
        pages.append(_page(path, number, picture))
    if not pages:
        raise _only_reduced(path)
    return tuple(pages)


def channels_as_pages(picture: TiffImageFile, pages: tuple[Page, ...]) -> bool:
    """Whether three grey pages are red, green and blue of one picture, as ImageJ describes a composite."""
    picture.seek(pages[0].number)
    words = str(_first(picture.tag_v2, DESCRIPTION, ""))
    return len(pages) == 3 and words.startswith("ImageJ=") and "\nchannels=3" in words


def why_no_tiff(path: Path) -> PictureError:
    """Why Pillow does not take a file that begins as a TIFF file does."""
    values = first_values(path)
    if values is None:
        return PictureError(
            f"{path} cannot be decoded (its tags are missing): it is damaged or cut short",
            "copy it again from its source",
        )
    try:
        bits = values.get(BITS, 1)
        _refuse_unread_values(path, (bits,), (values.get(SAMPLE_FORMAT, 1),))
        _refuse_unread_compression(path, values.get(COMPRESSION, 1), values.get(PREDICTOR, 1), bits)
    except PictureError as named:
        return named
    if values.get(FILL_ORDER) == _LOWEST_FIRST:
        return PictureError(f"{path} keeps the bits of each byte in reverse order", "save it again as TIFF or PNG")
    return PictureError(
        f"{path} holds raw values or channels that are not read", "develop it first, and save it as PNG or TIFF"
    )


def _refuse_unread_compression(path: Path, compression: int, predictor: int, bits: int) -> None:
    """Say which compression a file has that is not read; a decoder would call it damaged, or give other pixels.

    Raises:
        PictureError: it is not read, or is used with a predictor that decoders do not heed.
    """
    if compression not in (_READ_DEEP if bits == 16 else _READ):
        name = _COMPRESSIONS.get(compression, f"method {compression}")
        raise PictureError(
            f"{path} is compressed by {name}, which is not read in {bits} bits",
            "save it without compression, or with LZW or Deflate",
        )
    if predictor != _NO_PREDICTOR and compression not in _PREDICTED:
        raise PictureError(
            f"{path} states a predictor beside a compression that has none", "save it without compression, or with LZW"
        )


def _refuse_unread_values(path: Path, bits: Sequence[int], formats: Sequence[int]) -> None:
    """Say what kind of values a file holds that are not read.

    Args:
        path: the file.
        bits: of each channel.
        formats: of each channel, or of all of them: 1 unsigned, 2 signed, 3 floating point.

    Raises:
        PictureError: they are signed, fractions, or of a depth that is not read.
    """
    if 3 in formats:
        raise PictureError(f"{path} holds floating-point values", "save it with 8 or 16 bits per channel")
    if set(formats) != {_UNSIGNED}:
        raise PictureError(f"{path} holds signed values", "save it with 8 or 16 unsigned bits per channel")
    if len(set(bits)) > 1 or bits[0] not in (1, 2, 4, 8, 16):
        found = ", ".join(str(depth) for depth in bits)
        raise PictureError(f"{path} holds channels of {found} bits", "save it with 8 or 16 bits per channel")


def _page(path: Path, number: int, picture: TiffImageFile) -> Page:
    tags = picture.tag_v2
    bits = tuple(int(depth) for depth in tags.get(BITS, (1,)))
    formats = tuple(int(kind) for kind in tags.get(SAMPLE_FORMAT, (_UNSIGNED,)))
    _refuse_unread_values(path, bits, formats)
    _refuse_unread_compression(
        path, int(_first(tags, COMPRESSION, 1)), int(_first(tags, PREDICTOR, _NO_PREDICTOR)), bits[0]
    )
    in_planes = len(bits) > 1 and int(_first(tags, PLANES, 1)) == _IN_PLANES
    if in_planes and bits[0] == 16:
        # Both decoders read the bytes of such planes in another order than they were written.
        raise PictureError(
            f"{path} keeps 16-bit channels in separate planes, which are not decoded reliably",
            "save it interleaved (chunky), or as PNG",
        )
    return Page(
        number,
        (int(_first(tags, WIDTH, 0)), int(_first(tags, LENGTH, 0))),
        bits[0],
        int(_first(tags, PHOTOMETRIC, 1)) == _WHITE_IS_ZERO,
        in_planes,
        len(bits) == 1 and int(_first(tags, PHOTOMETRIC, 1)) in (0, 1),
        len(bits),
    )


def _refuse_raw(path: Path, picture: TiffImageFile) -> None:
    tags = picture.tag_v2
    if int(_first(tags, PHOTOMETRIC, 1)) in _RAW_PHOTOMETRICS:
        raise PictureError(f"{path} holds raw values of a camera", "develop it first, and save it as PNG or TIFF")
    size = picture.size
    if any(inner[0] * inner[1] > size[0] * size[1] for inner in _inner_sizes(picture)):
        raise _only_reduced(path)


def _inner_sizes(picture: TiffImageFile) -> list[tuple[int, int]]:
    """Columns and rows of the pictures that hang below this page."""
    offsets = picture.tag_v2.get(SUB_IFDS, ())
    file: Any = picture.fp
    here = file.tell()
    sizes = []
    for offset in (offsets if isinstance(offsets, tuple) else (offsets,))[:16]:
        inner = ImageFileDirectory_v2(prefix=picture.tag_v2.prefix)
        file.seek(int(offset))
        try:
            inner.load(file)
            sizes.append((int(_first(inner, WIDTH, 0)), int(_first(inner, LENGTH, 0))))
        except (OSError, SyntaxError, ValueError, KeyError, io.UnsupportedOperation):
            continue
    file.seek(here)
    return sizes


def _only_reduced(path: Path) -> PictureError:
    return PictureError(
        f"{path} shows only a reduced picture of what it holds",
        "develop the raw file first, and save it as PNG or TIFF",
    )


def _first(tags: ImageFileDirectory_v2, tag: int, otherwise: object) -> Any:
    value = tags.get(tag, otherwise)
    return value[0] if isinstance(value, tuple) and value else value
