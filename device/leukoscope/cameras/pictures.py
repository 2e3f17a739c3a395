"""Reads picture files as RGB: to their own pixels and whole, or says clearly why not."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from leukoscope.cameras.deep_pictures import (
    OPAQUE,
    decode_deep,
    in_eight_bits,
    png_bits,
    png_channels,
    transparent_share,
)
from leukoscope.cameras.gamma import as_shown
from leukoscope.cameras.large_pictures import ORIENTATION, bands_of, decode_large, says_more
from leukoscope.cameras.picture_kinds import READ, SUFFIXES, foreign_kind, is_tiff
from leukoscope.cameras.tiff import Page, channels_as_pages, pages_of, why_no_tiff
from leukoscope.errors import PictureError
from leukoscope.specimen.frame import Pixels
from leukoscope.system.pixels_in_file import pixels_from, pixels_in_memory

__all__ = [
    "MAX_PIXELS",
    "read_pages",
    "read_picture",
]

MAX_PIXELS = 50_000_000
"""Largest picture that is decoded; no camera this instrument drives delivers more."""
MAX_SIDE = 20_000
"""Longest side that is decoded, pixels: strips of a stitched slide are no fields."""
MAX_RATIO = 20
"""Longest side over the shortest of a picture that is decoded; tiny pictures may be narrower."""
_NARROW = 64
"""Sides up to this long are never too narrow, pixels."""
MAX_TRANSPARENT_SHARE = 0.01
"""Above it a picture is a layer of something, and what lies under it is not known."""
SAME_PLACE = 0.6
"""Correlation of two pages in coarse features from which they show one place of the slide: in other focus, or later."""
_COARSE = (32, 32)
_LARGE = 6_000_000
"""Pixels above which a picture is decoded into a file, part by part where its format allows that."""


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Pixels:
    """The only picture of a file as RGB (rows, cols, 3) uint8, upright as viewers show it.

    Grey and one-bit pictures get three equal channels. Sixteen-bit values are scaled by the depth of the camera that
    they fit (12, 14 or 16 bits). Transparency is laid over white: cells that were cut out of a field are pictures too.

    Raises:
        PictureError: the file is missing, a folder, empty, truncated, no picture, larger than `max_pixels`, of another
            kind than is read, holds several pages, or cannot be decoded to what it states. Sizes are looked up in the
            header, before anything is decoded.
    """
    pages = read_pages(path, max_pixels, cut_out=True)
    _, pixels = next(pages)
    if next(pages, None) is not None:
        raise PictureError(f"{path} holds several pages", "save the one that is meant as a picture of its own")
    return pixels


def read_pages(
    path: Path, max_pixels: int = MAX_PIXELS, *, one_place: bool = False, cut_out: bool = False
) -> Iterator[tuple[str, Pixels]]:
    """Each full page of a file, as `read_picture` reads one, with what to call it: "fields.tif#2", or "field.png".

    Args:
        path: the file.
        max_pixels: per page.
        one_place: whether pages may show one place of the slide, as a focus stack does.
        cut_out: whether pictures may be transparent; a field is seen whole, and a layer of it is none.

    Raises:
        PictureError: as `read_picture`, or it is transparent, pages show one place, or are channels that cannot be
            joined.
    """
    with _one_line(path, max_pixels):
        if path.is_dir():
            # One that may not be looked into says so, not that it is empty.
            next(path.iterdir(), None)
            raise PictureError(
                f"{path} holds no picture: expected files ending in {', '.join(sorted(SUFFIXES))}",
                "give another file or folder",
            )
        if path.stat().st_size == 0:
            raise PictureError(f"{path} is empty (0 bytes)", "copy it again from its source")
        if (kind := foreign_kind(path)) is not None:
            raise PictureError(f"{path} is a {kind}, which is not read", "save it as PNG, JPEG or TIFF")
        # From a path Pillow maps the file, and reads turned grey pages of a TIFF file in another order than they lie.
        with path.open("rb") as file, Image.open(file, formats=READ) as picture:
            if isinstance(picture, TiffImageFile):
                yield from _tiff_pages(path, picture, max_pixels, one_place=one_place, cut_out=cut_out)
                return
            deep = picture.format == "PNG" and png_bits(path) == 16
            _refuse_size(path, picture.size, max_pixels, deep=deep)
            _refuse_animation(path, picture)
            decode = _decoded_deep if deep else _decoded
            yield path.name, as_shown(decode(path, picture, None, cut_out=cut_out), picture)


@contextmanager
def _one_line(path: Path, max_pixels: int) -> Iterator[None]:
    """Whatever reading may raise becomes one PictureError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Damaged metadata makes Pillow warn; the pixels decide whether the picture can be read.
            warnings.filterwarnings("ignore", category=UserWarning)
            yield
    except PictureError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as problem:
        raise _too_large(path, None, max_pixels) from problem
    except UnidentifiedImageError as problem:
        if is_tiff(path):
            raise why_no_tiff(path) from problem
        raise PictureError(
            f"{path} is not a picture, whatever its name says: expected one of {', '.join(READ)}",
            "save it in one of these",
        ) from problem
    except FileNotFoundError as problem:
        raise PictureError(f"no picture at {path}", "check the path") from problem
    except PermissionError as problem:
        raise PictureError(f"{path} may not be read", "give this user permission to read it") from problem
    except (OSError, SyntaxError, ValueError, TypeError, EOFError, MemoryError, cv2.error) as problem:
        # Pillow reports damage as any of these; a damaged length may ask for any memory.
        raise PictureError(
            f"{path} cannot be decoded ({problem or type(problem).__name__}): it is damaged or cut short, or stored in "
            "a way that is not read",
            "copy it again from its source, or save it as PNG",
        ) from problem


def _tiff_pages(
    path: Path, picture: TiffImageFile, max_pixels: int, *, one_place: bool, cut_out: bool
) -> Iterator[tuple[str, Pixels]]:
    pages = pages_of(path, picture)
    for page in pages:
        _refuse_size(path, page.size, max_pixels, deep=page.bits == 16)
    if len(pages) == 1:
        yield path.name, _decoded_page(path, picture, pages[0], cut_out=cut_out)
        return
    if channels_as_pages(picture, pages):
        planes = [_decoded_page(path, picture, page, cut_out=cut_out)[..., 0] for page in pages]
        if len({plane.shape for plane in planes}) == 1:
            yield path.name, np.ascontiguousarray(np.dstack(planes))
            return
    if all(page.grey for page in pages):
        raise PictureError(
            f"{path} holds {len(pages)} grey pages, channels or a stack", "save one colour picture of each field"
        )
    if not one_place and _show_one_place(path, picture, pages):
        raise PictureError(
            f"{path} holds {len(pages)} pages of one place, a focus stack or a series",
            "save the sharpest as a picture of its own, or ask `leukoscope examine --focus-stack` to choose it",
        )
    for number, page in enumerate(pages, start=1):
        yield f"{path.name}#{number}", _decoded_page(path, picture, page, cut_out=cut_out)


def _decoded_page(path: Path, picture: TiffImageFile, page: Page, *, cut_out: bool) -> Pixels:
    picture.seek(page.number)
    return (_decoded_deep if page.bits == 16 else _decoded)(path, picture, page, cut_out=cut_out)


def _show_one_place(path: Path, picture: TiffImageFile, pages: tuple[Page, ...]) -> bool:
    before = None
    for page in pages:
        green = _decoded_page(path, picture, page, cut_out=True)[..., 1]
        coarse = cv2.resize(green, _COARSE, interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
        seen = before is not None and min(coarse.std(), before.std()) > 0
        if before is not None and seen and np.corrcoef(before, coarse)[0, 1] > SAME_PLACE:
            return True
        before = coarse
    return False


def _decoded(path: Path, picture: Image.Image, page: Page | None, *, cut_out: bool) -> Pixels:
    size = picture.size if page is None else page.size
    large = size[0] * size[1] > _LARGE
    if large and picture.size == size and (pixels := decode_large(path, picture)) is not None:
        return pixels
    picture.load()
    if sorted(picture.size) != sorted(size):
        raise PictureError(f"{path} states {size} pixels but decodes to {picture.size}", "save it again, as PNG")
    if picture.mode == "F" or picture.mode.startswith("I"):
        raise PictureError(f"{path} holds values of more than 16 bits", "save it with 8 or 16 bits per channel")
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        if not cut_out:
            _refuse_layer(path, float((np.asarray(layered.getchannel("A")) < OPAQUE).mean()))
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, layered)
    cols, rows = picture.size
    return (pixels_from if large else pixels_in_memory)(lambda: bands_of(picture), (rows, cols, 3))


def _decoded_deep(path: Path, picture: Image.Image, page: Page | None, *, cut_out: bool) -> Pixels:
    """Sixteen bits per channel; OpenCV turns TIFF files upright itself, and no PNG."""
    number, white_is_zero = (page.number, page.white_is_zero) if page is not None else (0, False)
    size = page.size if page is not None else picture.size
    large = size[0] * size[1] > _LARGE
    channels = None
    if large and page is None:
        channels = png_channels(path)
    elif large and page is not None and picture.getexif().get(ORIENTATION, 1) == 1:
        channels = page.channels
    deep = decode_deep(path, number, size, channels)
    if not cut_out:
        _refuse_layer(path, transparent_share(deep))
    shallow = in_eight_bits(deep, white_is_zero=white_is_zero, in_file=large)
    del deep
    if page is not None or not says_more(path):
        return shallow
    return np.array(_upright(Image.fromarray(shallow), picture), dtype=np.uint8)


def _upright(decoded: Image.Image, stated_in: Image.Image) -> Image.Image:
    decoded.getexif().update({ORIENTATION: stated_in.getexif().get(ORIENTATION, 1)})
    return ImageOps.exif_transpose(decoded)


def _refuse_layer(path: Path, share: float) -> None:
    if share > MAX_TRANSPARENT_SHARE:
        raise PictureError(
            f"{path} is transparent in {share:.0%} of its pixels", "flatten its layers, and save it again"
        )


def _refuse_animation(path: Path, picture: Image.Image) -> None:
    """A phone keeps small previews behind its picture; pages of the same size would be left out without a word."""
    count = int(getattr(picture, "n_frames", 1))
    size = picture.size
    if count > 1:
        for number in range(1, min(count, 20)):
            picture.seek(number)
            if picture.size[0] * picture.size[1] >= size[0] * size[1]:
                raise PictureError(f"{path} holds {count} pictures", "save the one that is meant by itself")
        picture.seek(0)


def _refuse_size(path: Path, size: tuple[int, int], max_pixels: int, *, deep: bool) -> None:
    """Sixteen bits take twice the memory, so that half as many pixels are decoded."""
    width, height = size
    if deep:
        max_pixels = (max_pixels + 1) // 2
    if width * height > max_pixels:
        raise _too_large(path, size, max_pixels)
    long, short = max(size), min(size)
    if long > MAX_SIDE:
        raise PictureError(f"{path} is {width}x{height} pixels; sides of at most {MAX_SIDE:,} are read", "cut it first")
    if long > _NARROW and long > MAX_RATIO * short:
        raise PictureError(f"{path} is {width}x{height} pixels, a strip and no field", "cut it into fields first")


def _too_large(path: Path, size: tuple[int, int] | None, max_pixels: int) -> PictureError:
    found = f"is {size[0]}x{size[1]} pixels" if size else "has more pixels than are safe to decode"
    return PictureError(f"{path} {found}; at most {max_pixels:,} pixels are read", "cut it into fields first")
