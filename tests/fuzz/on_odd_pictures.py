"""TIFF files that are whole and odd: each is read to the pixels that it states, or refused by name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from leukoscope.cameras import pictures
from leukoscope.cameras.deep_pictures import CAMERA_BITS
from leukoscope.cameras.pictures import read_picture
from leukoscope.system import pixels_in_file
from tests.cameras.tiff_files import TiffPage, tiff_file
from tests.fuzz.target import Target

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _RAW = 0, 1, 2, 32803
_REDUCED = 1
_NOT_COMPRESSED, _JPEG_2000, _NO_METHOD = 1, 34712, 12345
_TURNED = {1: "", 2: "c", 3: "rc", 4: "r", 5: "t", 6: "tc", 7: "trc", 8: "tr"}
"""What an orientation asks for: rows and columns exchanged, then rows and columns reversed."""


_USUAL = pictures._LARGE


@dataclass(frozen=True, slots=True)
class _Odd:
    """How one file is made."""

    seed: int
    kind: str = "|u1"
    bits: int = 8
    """Of the camera; values end below it."""
    channels: int = 3
    planar: int = 1
    photometric: int = _RGB
    orientation: int = 1
    subfile_type: int = 0
    pages: int = 1
    larger_inside: bool = False
    compression: int = 1
    """As the file states; its values are written as they are."""
    predictor: int = 1
    in_file: bool = False
    """Whether it is decoded as large pictures are, into a file."""

    def values(self) -> NDArray[np.generic]:
        """The first page, whose highest value is the highest that the camera gives."""
        rng = np.random.default_rng(self.seed)
        shape = (14, 22) if self.channels == 1 else (14, 22, self.channels)
        values = rng.integers(0, 1 << self.bits, shape)
        values[0, 0] = (1 << self.bits) - 1
        return values.astype(np.dtype(self.kind))

    def file(self) -> bytes:
        """Its bytes."""
        values = self.values()
        page = TiffPage(
            values,
            planar=self.planar,
            photometric=self.photometric,
            orientation=self.orientation,
            subfile_type=self.subfile_type,
            sample_format=2 if values.dtype.kind == "i" else 1,
            compression=self.compression,
            predictor=self.predictor,
            sub_pages=(TiffPage(np.zeros((40, 50, 3), np.uint8)),) if self.larger_inside else (),
        )
        return tiff_file(*[page] * self.pages)

    def stated(self) -> NDArray[np.float64] | None:
        """What it shows, RGB on a scale of 255; None where it has to be refused."""
        values = self.values()
        whole = self.subfile_type == 0 and self.pages == 1 and not self.larger_inside
        whole = whole and self.compression == _NOT_COMPRESSED and self.predictor == 1
        grey = self.channels == 1 and self.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
        colour = self.channels == 3 and self.photometric == _RGB
        if not whole or values.dtype.kind == "i" or values.dtype.itemsize > 2 or not (grey or colour):
            return None
        deep = values.dtype.itemsize == 2
        if self.photometric == _WHITE_IS_ZERO:
            values = (65535 if deep else 255) - values.astype(np.int64)
        full = next((1 << bits) - 1 for bits in CAMERA_BITS if values.max() < 1 << bits) if deep else 255
        shown = values.astype(np.float64) * (255 / full)
        if grey:
            shown = np.repeat(shown[..., None], 3, axis=2)
        ways = _TURNED[self.orientation]
        shown = shown.transpose(1, 0, 2) if "t" in ways else shown
        return shown[:: -1 if "r" in ways else 1, :: -1 if "c" in ways else 1]


def _odd_picture(rng: Random) -> bytes:
    kind = rng.choice(("|u1", "|u1", "<u2", "<u2", "<u4", "<i2"))
    channels = rng.choice((1, 3, 3, 3))
    made = {
        "seed": rng.randrange(2**32),
        "kind": kind,
        "bits": rng.choice(CAMERA_BITS) if kind == "<u2" else 8,
        "channels": channels,
        "planar": rng.choice((1, 1, 2)) if channels == 3 else 1,
        "photometric": _RGB if channels == 3 else rng.choice((_WHITE_IS_ZERO, _BLACK_IS_ZERO, _BLACK_IS_ZERO, _RAW)),
        "orientation": rng.randint(1, 8),
        "subfile_type": rng.choice((0, 0, 0, 0, 0, _REDUCED)),
        "pages": rng.choice((1, 1, 1, 1, 1, 2)),
        "larger_inside": rng.random() < 0.1,
        "compression": rng.choice((*9 * (_NOT_COMPRESSED,), _JPEG_2000, _NO_METHOD)),
        "predictor": rng.choice((*9 * (1,), 2)),
        "in_file": rng.random() < 0.5,
    }
    return json.dumps(made).encode()


def _valid() -> Sequence[bytes]:
    deep: dict[str, object] = {"kind": "<u2", "bits": 12}
    grey: dict[str, object] = {"channels": 1, "photometric": _BLACK_IS_ZERO}
    white = grey | {"photometric": _WHITE_IS_ZERO}
    upright: tuple[dict[str, object], ...] = ({}, grey, deep | grey)
    turned = [made | {"orientation": number} for number in _TURNED for made in upright]
    odd: list[dict[str, object]] = [{"planar": 2}, deep, deep | {"in_file": True}, white, deep | white, *turned]
    return [json.dumps({"seed": 1, **made}).encode() for made in odd]


def _read(content: bytes, folder: Path) -> None:
    odd = _Odd(**json.loads(content))
    path = folder / "odd.tif"
    path.write_bytes(odd.file())
    large = patch.object(pictures, "_LARGE", 0 if odd.in_file else _USUAL)
    with large, patch.object(pixels_in_file, "_folder", lambda: str(folder)):
        pixels = read_picture(path)
    stated = odd.stated()
    assert stated is not None, f"it was read, and does not show one whole picture: {odd}"
    assert pixels.shape == stated.shape, odd
    assert np.abs(pixels - stated).max() <= 1, f"other pixels than it states: {odd}"


ODD_PICTURE_TARGETS = (Target("odd pictures", _odd_picture, _read, _valid),)
