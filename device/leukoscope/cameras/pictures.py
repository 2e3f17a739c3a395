"""Reads a picture file as RGB, whatever it was saved as, and says clearly when it cannot."""

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from leukoscope.errors import PictureError
from leukoscope.specimen.frame import Pixels

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})
"""File names read as pictures, in any case."""
MAX_PIXELS = 50_000_000
"""Largest picture that is decoded; no camera this instrument drives delivers more."""
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Pixels:
    """The picture as RGB (rows, cols, 3) uint8.

    Grey and one-bit pictures get three equal channels; sixteen-bit values are scaled so that 65535 becomes
    255; transparency is laid over white; of several pages the first is read.

    Raises:
        PictureError: the file is missing, a folder, empty, truncated, no picture, or larger than `max_pixels`; the size
            is looked up in the header, before anything is decoded.
    """
    try:
        if path.is_dir():
            raise PictureError(f"{path} holds no picture: expected files ending in {', '.join(sorted(SUFFIXES))}")
        if path.stat().st_size == 0:
            raise PictureError(f"{path} is empty (0 bytes): copy it again from its source")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Damaged metadata makes Pillow warn; the pixels decide whether the picture can be read.
            warnings.filterwarnings("ignore", category=UserWarning)
            with Image.open(path, formats=_FORMATS) as picture:
                return _decoded(path, picture, max_pixels)
    except PictureError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as problem:
        raise PictureError(_too_large(path, None, max_pixels)) from problem
    except UnidentifiedImageError as problem:
        raise PictureError(
            f"{path} is not a picture, whatever its name says: expected one of {', '.join(_FORMATS)}"
        ) from problem
    except FileNotFoundError as problem:
        raise PictureError(f"no picture at {path}: check the path") from problem
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as problem:
        # Pillow reports damage as any of these; a damaged length may ask for any memory.
        raise PictureError(
            f"{path} cannot be decoded ({problem or type(problem).__name__}): it is damaged or cut short"
        ) from problem


def find_pictures(folder: Path) -> list[Path]:
    """Every picture file directly in a folder, in the order people number them: 2 before 10."""
    found = (entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file())
    return sorted(found, key=lambda entry: natural_key(entry.name))


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that reads runs of digits as numbers; names differing only in case or zeros stay ordered."""
    parts = re.split(r"(\d+)", name.casefold())
    numbered = ((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)
    return (*numbered, (2, 0, name))


def _decoded(path: Path, picture: Image.Image, max_pixels: int) -> Pixels:
    width, height = picture.size
    if width * height > max_pixels:
        raise PictureError(_too_large(path, picture.size, max_pixels))
    picture.load()
    if picture.mode.startswith("I"):
        deep = np.asarray(picture)
        if deep.min() < 0 or deep.max() > 65535:
            raise PictureError(f"{path} holds values outside 0-65535: save it with 8 or 16 bits per channel")
        return _grey_as_rgb(((deep.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if picture.mode == "F":
        raise PictureError(f"{path} holds floating-point values: save it with 8 or 16 bits per channel")
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, layered)
    return np.array(picture.convert("RGB"), dtype=np.uint8)


def _grey_as_rgb(grey: NDArray[np.uint8]) -> Pixels:
    return np.repeat(grey[..., None], 3, axis=2)


def _too_large(path: Path, size: tuple[int, int] | None, max_pixels: int) -> str:
    found = f"is {size[0]}x{size[1]} pixels" if size else "has more pixels than are safe to decode"
    return f"{path} {found}; at most {max_pixels:,} pixels are read: cut it into fields first"
