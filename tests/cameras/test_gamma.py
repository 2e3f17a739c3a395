"""A PNG file that states its gamma is read as viewers show it, not darker."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.cameras.pictures import read_picture

SMEAR = np.random.default_rng(1).integers(60, 250, (40, 48, 3)).astype(np.uint8)
LINEAR, USUAL = 100_000, 45_455


def png(path: Path, pixels: NDArray[Any], *chunks: tuple[bytes, bytes]) -> Path:
    """A PNG file of these levels with chunks of its own."""
    rows, cols, _ = pixels.shape
    bits = 8 * pixels.itemsize
    lines = b"".join(b"\0" + line.astype(f">u{pixels.itemsize}").tobytes() for line in pixels)
    head = struct.pack(">IIBBBBB", cols, rows, bits, 2, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in parts
        )
    )
    return path


def states(gamma: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", gamma)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_linear_levels_are_shown_as_light(tmp_path: Path, kind: type[np.uint8] | type[np.uint16]) -> None:
    top = np.iinfo(kind).max
    linear = np.rint(top * (SMEAR / 255) ** 2.2).astype(kind)
    read = read_picture(png(tmp_path / "linear.png", linear, states(LINEAR)))
    # One level of eight linear bits is a few where it is dark.
    assert np.abs(read.astype(int) - SMEAR).max() <= 4


@pytest.mark.parametrize("chunks", [[], [states(USUAL)], [(b"sRGB", b"\0"), states(LINEAR)]])
def test_levels_of_the_usual_gamma_are_left_as_they_are(tmp_path: Path, chunks: list[tuple[bytes, bytes]]) -> None:
    assert np.array_equal(read_picture(png(tmp_path / "usual.png", SMEAR, *chunks)), SMEAR)
