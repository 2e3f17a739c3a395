import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukoscope.errors import CalibrationError
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.calibration_record import (
    CalibrationRecord,
    DarkLevel,
    FlatLight,
    Focus,
    Scale,
    SensorSize,
    WhiteBalance,
    files_of,
    read_record,
)
from leukoscope.optics.calibration_settings import CalibrationSettings
from leukoscope.optics.calibration_writing import grid_file, named, picture_file, put_in_force
from leukoscope.optics.quality import QualityLimits
from leukoscope.specimen.frame import Frame
from tests.drawings import frame_of

MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
GLASS = np.full((48, 64, 3), (200.0, 160.0, 120.0), np.float32)
PICTURE = np.full((48, 64, 3), (205, 165, 125), np.uint8)


def record_at(path: Path, calibration_id: str = "bench-7.1", **changed: Any) -> tuple[CalibrationRecord, dict]:
    """Every part measured: a sensor that reads 5 in the dark, an even light of three colours."""
    dark, dark_file = named(path, "dark", ".npz", grid_file("level", np.full_like(GLASS, 5.0)))
    light, light_file = named(path, "flat", ".npz", grid_file("light", GLASS + 5))
    shown, shown_file = named(path, "flat", ".png", picture_file(PICTURE))
    facts: dict[str, Any] = {
        "by": 'A. "Q" Técnica',
        "at": MADE,
        "valid_until": MADE + timedelta(days=100),
        "pictures": 9,
        "picture": shown,
    }
    record = CalibrationRecord(
        id=calibration_id,
        origin="measured",
        optics="a drawn light path",
        objective="100x",
        camera="drawn",
        um_per_px=0.127,
        sensor=SensorSize(rows=48, cols=64),
        dark=DarkLevel(level=dark, **facts),
        flat=FlatLight(light=light, unevenness_before=0.2, unevenness_after=0.004, **facts),
        white=WhiteBalance(gains=(0.8, 1.0, 4 / 3), off_white=0.3, exposure_us=8000, colour_gains=(1.8, 1.6), **facts),
        scale=Scale(error_um_per_px=0.0001, spacing_um=10.0, lines=8, **facts),
        focus=Focus(sharpness=0.4, **(facts | {"valid_until": MADE + timedelta(days=1)})),
    )
    return record.model_copy(update=changed), {**dark_file, **light_file, **shown_file}


def written(folder: Path, **changed: Any) -> Path:
    path = folder / "bench.toml"
    put_in_force(path, *record_at(path, **changed))
    return path


def opened(path: Path, days: int = 10) -> Calibration:
    return Calibration.read(path, now=lambda: MADE + timedelta(days=days))


def shot(**changed: Any) -> Frame:
    return replace(frame_of(PICTURE), **changed)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    expected, _ = record_at(path)
    assert read_record(path).model_copy(update={"seal": None}) == expected


def test_dark_level_light_and_white_balance_are_applied_together(tmp_path: Path) -> None:
    pixels = opened(written(tmp_path)).correct(shot()).pixels
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[160, 160, 160]]
    assert Calibration.read(written(tmp_path), now=lambda: MADE).measured


def test_a_calibration_whose_time_is_over_is_named_and_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert opened(path, days=100).id == "bench-7.1"
    with pytest.raises(CalibrationError, match=r"part dark, measured by .*until 2026-06-09 .*calibrate dark"):
        opened(path, days=101)


def test_the_limit_of_a_focus_series_is_the_gates_unless_the_settings_name_one(tmp_path: Path) -> None:
    record, files = record_at(tmp_path / "bench.toml")
    assert record.focus is not None
    series = record.focus.model_copy(update={"limit": 0.17})
    put_in_force(tmp_path / "bench.toml", record.model_copy(update={"focus": series}), files)
    bench = opened(tmp_path / "bench.toml")
    assert bench.limits(QualityLimits(min_coverage=0.02)) == QualityLimits(min_coverage=0.02, min_sharpness=0.17)
    assert bench.limits(QualityLimits(min_sharpness=0.3)).min_sharpness == 0.3
    assert opened(written(tmp_path)).limits(QualityLimits()) == QualityLimits()


def test_an_old_focus_reference_refuses_nothing(tmp_path: Path) -> None:
    assert opened(written(tmp_path), days=50).id == "bench-7.1"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pixels": np.zeros((96, 128, 3), np.uint8)}, "64x48 pixels, the camera gave 128x96"),
        ({"source": "v4l2:0"}, "measured with camera drawn, the frame is from v4l2:0"),
        ({"exposure_us": 12_000}, "an exposure of 8000 us, the camera uses an exposure of 12000 us"),
        # A tenth of the exposure and a twentieth of a gain are what a camera may settle at.
        ({"exposure_us": 8_900}, "an exposure of 8000 us, the camera uses an exposure of 8900 us"),
        ({"exposure_us": 7_100}, "an exposure of 8000 us, the camera uses an exposure of 7100 us"),
        ({"colour_gains": (1.9, 1.6)}, "a red gain of 1.80, the camera uses a red gain of 1.90"),
        ({"colour_gains": (1.8, 1.5)}, "a blue gain of 1.60, the camera uses a blue gain of 1.50"),
        ({"colour_gains": (1.8, 2.0)}, "a blue gain of 1.60, the camera uses a blue gain of 2.00"),
    ],
)
def test_a_foreign_frame_is_named_and_refused(tmp_path: Path, changed: dict, message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        opened(written(tmp_path)).correct(shot(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"source": "replay"},
        {"exposure_us": 8700},
        {"exposure_us": 7300},
        {"colour_gains": (1.87, 1.54)},
        {"colour_gains": (1.73, 1.66)},
    ],
)
def test_stored_pictures_and_small_drifts_are_taken(tmp_path: Path, changed: dict) -> None:
    assert opened(written(tmp_path)).correct(shot(**changed)).calibration_id == "bench-7.1"


def test_a_camera_that_tells_a_gain_of_zero_is_judged_like_any_other(tmp_path: Path) -> None:
    record, files = record_at(tmp_path / "bench.toml")
    assert record.white is not None
    white = record.white.model_copy(update={"colour_gains": (0.0, 1.6)})
    put_in_force(tmp_path / "bench.toml", record.model_copy(update={"white": white}), files)
    bench = opened(tmp_path / "bench.toml")
    assert bench.correct(shot(colour_gains=(0.0, 1.6))).calibration_id == "bench-7.1"
    with pytest.raises(CalibrationError, match=r"a red gain of 0\.00, the camera uses a red gain of 1\.00"):
        bench.correct(shot(colour_gains=(1.0, 1.6)))


def test_another_objective_is_refused(tmp_path: Path) -> None:
    calibration = opened(written(tmp_path))
    calibration.refuse_other_objective("100x")
    with pytest.raises(CalibrationError, match="for objective 100x, the bench has 40x"):
        calibration.refuse_other_objective("40x")


def test_a_bench_that_names_its_objective_takes_no_calibration_of_another(tmp_path: Path) -> None:
    path = tmp_path / "bench-7.toml"
    path.write_text(
        'id = "bench-7"\norigin = "nominal"\noptics = "drawn"\nobjective = "100x"\num_per_px = 0.127\n', "utf-8"
    )
    assert CalibrationSettings(file=str(path), objective="100x").open().id == "bench-7"
    with pytest.raises(CalibrationError, match="for objective 100x, the bench has 40x"):
        CalibrationSettings(file=str(path), objective="40x").open()


@pytest.mark.parametrize(("old", "new"), [("0.127", "0.137"), ("[scale]", "[scale]\n# checked"), ("seal = ", "# ")])
def test_a_file_changed_by_hand_is_refused_and_kept(tmp_path: Path, old: str, new: str) -> None:
    path = written(tmp_path)
    altered = path.read_text("utf-8").replace(old, new)
    path.write_text(altered, "utf-8")
    with pytest.raises(CalibrationError, match="seal"):
        opened(path)
    assert path.read_text("utf-8") == altered


@pytest.mark.parametrize("keep", [0, 200, 1500])
def test_a_file_cut_short_is_refused(tmp_path: Path, keep: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CalibrationError, match=r"bench\.toml"):
        opened(path)


def test_a_light_that_was_altered_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    (light,) = files_of(path).glob("flat-*.npz")
    light.write_bytes(light.read_bytes()[:-9])
    with pytest.raises(CalibrationError, match="sha256 differs"):
        opened(path)


def test_the_calibration_that_was_replaced_is_kept_and_can_be_brought_back(tmp_path: Path) -> None:
    path = written(tmp_path)
    put_in_force(path, *record_at(path, "bench-7.2", um_per_px=0.128))
    assert opened(path).um_per_px == 0.128
    path.write_bytes((files_of(path) / "bench-7.1.toml").read_bytes())
    assert opened(path).um_per_px == 0.127


@pytest.mark.parametrize("step", range(8))
def test_a_disk_that_fails_at_any_step_leaves_the_old_one_in_force_and_nothing_behind(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    record, files = record_at(path, "bench-7.2", um_per_px=0.128)
    fresh, fresh_file = named(path, "scale", ".png", picture_file(PICTURE[:8]))
    steps = iter(range(100))
    sync, rename = os.fsync, Path.replace

    def failing(call):
        def tried(*arguments):
            if next(steps) == step:
                raise OSError(28, "No space left on device")
            return call(*arguments)

        return tried

    monkeypatch.setattr(os, "fsync", failing(sync))
    monkeypatch.setattr(Path, "replace", failing(rename))
    assert record.scale is not None
    record = record.model_copy(update={"scale": record.scale.model_copy(update={"picture": fresh})})
    try:
        put_in_force(path, record, {**files, **fresh_file})
    except CalibrationError as error:
        assert "No space left on device" in str(error)
        assert step < 5
        assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before
        assert opened(path).um_per_px == 0.127
    else:
        # From the last sync of the folder on, the new one is in force and whole.
        assert step >= 5
        assert opened(path).um_per_px == 0.128


def test_a_calibration_that_cannot_be_read_back_is_not_put_in_force(tmp_path: Path) -> None:
    path = written(tmp_path)
    record, files = record_at(path, "bench-7.2", um_per_px=9.0)
    with pytest.raises(CalibrationError, match=r"um_per_px = 9\.0"):
        put_in_force(path, record, files)
    assert opened(path).id == "bench-7.1"


def test_a_file_written_by_hand_as_before_still_works(tmp_path: Path) -> None:
    path = tmp_path / "hand.toml"
    path.write_text('id = "hand"\norigin = "measured"\noptics = "as before"\num_per_px = 0.1\n')
    assert opened(path).measured
    assert read_record(path).measurements() == {}
