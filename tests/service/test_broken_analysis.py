"""Frames that break the analysis: a few cost a few frames, a row of them stops the device by name."""

from itertools import count
from pathlib import Path

import pytest

from leukoscope.instrument import Sample
from leukoscope.service.acquisition import LOOK_FAULTS
from tests.commands.command_line import Outcome, leukoscope
from tests.commands.test_run import read_report, replay, write_bench


def run_with_broken_looks(
    folder: Path, monkeypatch: pytest.MonkeyPatch, broken: int, *, pictures: int = LOOK_FAULTS + 1
) -> Outcome:
    """Examine pictures of which the first so many raise an error that no code expects."""
    take, looks = Sample.take, count()

    def breaking(sample: Sample, *rest: object, **more: object) -> object:
        if next(looks) < broken:
            raise ZeroDivisionError("a defect")
        return take(sample, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Sample, "take", breaking)
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)
    camera = f'{{ driver = "replay", path = "{replay(folder / "pictures", pictures)}" }}'
    bench = write_bench(
        folder, camera=camera, calibration="{ um_per_px = 0.127 }", white_cells=1000, when="every_frame"
    )
    return leukoscope("run", "--bench", bench, "--samples", "1")


def test_the_device_gives_up_on_a_row_of_frames_that_break_the_analysis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ZeroDivisionError):
        run_with_broken_looks(tmp_path, monkeypatch, LOOK_FAULTS)


def test_a_shorter_row_costs_these_frames_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run_with_broken_looks(tmp_path, monkeypatch, LOOK_FAULTS - 1)
    assert outcome.code == 0, outcome.err
    assert read_report(tmp_path)["fields"]["counted"] == 2
