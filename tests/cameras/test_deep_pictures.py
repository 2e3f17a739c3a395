"""Large pictures of sixteen bits: the same pixels as small ones, the same refusals, and a memory that stays small."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.cameras import pictures
from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import PictureError
from leukoscope.system.pixels_in_file import is_in_file
from tests.cameras.peak_memory import growth_mib

RNG = np.random.default_rng(16)
COLOURS = {"grey": 1, "rgb": 3, "rgba": 4}
LZW, NONE = 5, 1


def deep(rows: int, cols: int, channels: int) -> NDArray[np.uint16]:
    soft = cv2.resize(RNG.uniform(2000, 60_000, (9, 12, channels)), (cols, rows), interpolation=cv2.INTER_CUBIC)
    values = np.asarray(soft.clip(0, 65535), dtype=np.uint16).reshape(rows, cols, channels)
    if channels == 4:
        values[..., 3] = 65535
        values[:3, :5, 3] = 20_000
    return values[..., 0] if channels == 1 else values


def written(path: Path, values: NDArray[np.uint16], compression: int = LZW) -> None:
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, compression] if path.suffix == ".tif" else []
    assert cv2.imwrite(str(path), values, flags)


@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("compression", [LZW, NONE])
def test_a_large_picture_has_the_pixels_of_a_small_one(
    tmp_path: Path, name: str, colours: str, compression: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    values = deep(301, 203, COLOURS[colours])
    written(path, values, compression)
    usual = read_picture(path)
    if colours == "rgb":
        assert np.abs(usual - values[..., ::-1] / 257).max() <= 1
    monkeypatch.setattr(pictures, "_LARGE", 100)
    large = read_picture(path)
    assert is_in_file(large) and not is_in_file(usual)
    assert np.array_equal(large, usual)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("spoilt", ["cut by a little", "cut by half", "zeros in the middle"])
def test_a_large_picture_that_is_damaged_is_refused(
    tmp_path: Path, name: str, spoilt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    written(path, deep(301, 203, 3))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if spoilt == "zeros in the middle":
        content[middle : middle + 60] = bytes(60)
    else:
        del content[-300 if spoilt == "cut by a little" else middle :]
    path.write_bytes(content)
    monkeypatch.setattr(pictures, "_LARGE", 100)
    with pytest.raises(PictureError, match="cannot be decoded"):
        read_picture(path)


def test_a_part_that_the_decoder_leaves_out_in_silence_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    values = deep(301, 203, 3)
    written(path, values)

    def one_tile_short(_: str, pixels: NDArray[np.uint16], __: int) -> NDArray[np.uint16]:
        left = pixels[64:80, 160:176].copy()
        pixels[:] = values
        pixels[64:80, 160:176] = left
        return pixels

    monkeypatch.setattr(pictures, "_LARGE", 100)
    monkeypatch.setattr(cv2, "imread", one_tile_short)
    with pytest.raises(PictureError, match="cannot be decoded in 16 bits"):
        read_picture(path)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_large_picture_does_not_stand_in_memory(tmp_path: Path, name: str) -> None:
    large, small = tmp_path / name, tmp_path / f"small-{name}"
    written(large, np.full((3_000, 3_600, 3), 40_000, np.uint16))
    written(small, np.full((700, 700, 3), 40_000, np.uint16))
    # In memory its values alone are 62 MiB, and it once took three times as much.
    assert growth_mib(large, small) < 40
