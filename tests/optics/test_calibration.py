import hashlib
from pathlib import Path

import numpy as np
import pytest

from leukoscope.errors import CalibrationError
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.flatfield import GRID, FlatField, gain_from_blank
from tests.drawings import frame_of

CALIBRATION = """
id = "bench-7"
origin = "measured"
optics = "a drawn light path"
um_per_px = 0.127
sensor = {{ rows = 240, cols = 320 }}
flat_field = {{ path = "gain.npz", sha256 = "{sha256}" }}
"""


def shaded_blank(noise: float = 0.0) -> np.ndarray:
    """A blank field with 30 % vignetting and a colour that changes across it."""
    rows, cols = np.mgrid[0:240, 0:320]
    radius = np.hypot((rows - 120) / 120, (cols - 160) / 160) / np.sqrt(2)
    light = (
        220
        * (1 - 0.3 * radius**2)[..., None]
        * np.stack([1 - 0.05 * cols / 320, np.ones((240, 320)), 0.9 + 0.05 * rows / 240], axis=2)
    )
    light += np.random.default_rng(0).normal(0, noise, light.shape) if noise else 0
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def write_calibration(folder: Path, **replaced: str) -> Path:
    gain_file = folder / "gain.npz"
    np.savez_compressed(gain_file, gain=gain_from_blank([shaded_blank()]))
    text = CALIBRATION.format(sha256=hashlib.sha256(gain_file.read_bytes()).hexdigest())
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "bench-7.toml"
    path.write_text(text)
    return path


def test_a_shaded_blank_field_becomes_uniform() -> None:
    corrected = FlatField(gain_from_blank([shaded_blank(2.0) for _ in range(3)])).apply(shaded_blank(2.0))
    blocks = corrected.reshape(12, 20, 16, 20, 3).mean(axis=(1, 3))
    for colour in range(3):
        plane = blocks[..., colour]
        assert np.abs(plane / plane.mean() - 1).max() < 0.015


def test_a_cell_on_one_blank_field_leaves_no_ghost() -> None:
    dirty = shaded_blank()
    dirty[100:130, 100:130] = 60
    clean = gain_from_blank([shaded_blank()] * 3)
    np.testing.assert_allclose(gain_from_blank([shaded_blank(), dirty, shaded_blank()]), clean, rtol=0.01)


def test_a_dark_picture_is_no_blank_field() -> None:
    with pytest.raises(ValueError, match="blank"):
        gain_from_blank([np.zeros((240, 320, 3), np.uint8)])


def test_a_calibration_is_read_and_corrects(tmp_path: Path) -> None:
    calibration = Calibration.read(write_calibration(tmp_path))
    micrograph = calibration.correct(frame_of(shaded_blank()))
    assert calibration.measured
    assert micrograph.um_per_px == 0.127
    assert micrograph.calibration_id == "bench-7"
    assert micrograph.pixels[0, 0].min() > shaded_blank()[0, 0].max()


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    calibration = Calibration.read(write_calibration(tmp_path))
    with pytest.raises(CalibrationError, match="320x240 pixels, the camera gave 640x480"):
        calibration.correct(frame_of(np.zeros((480, 640, 3), np.uint8)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("um_per_px", "um_per_pixel", "um_per_pixel is not a known key"),
        ("0.127", '"big"', "um_per_px"),
        ("measured", "guessed", "origin"),
        ("id =", "id", "cannot be read"),
        ("gain.npz", "other.npz", "other.npz cannot be read"),
    ],
)
def test_a_malformed_calibration_is_named_and_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write_calibration(tmp_path, **{old: new})
    with pytest.raises(CalibrationError, match=message):
        Calibration.read(path)


def test_an_altered_gain_is_refused(tmp_path: Path) -> None:
    path = write_calibration(tmp_path)
    np.savez_compressed(tmp_path / "gain.npz", gain=np.ones((*GRID, 3), np.float32))
    with pytest.raises(CalibrationError, match="sha256 differs"):
        Calibration.read(path)


def test_a_missing_calibration_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"no calibration at .*nothing\.toml"):
        Calibration.read(tmp_path / "nothing.toml")
