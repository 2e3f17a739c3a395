"""Stored pictures are fields wherever they lie, each place counts once, and a run that counts nothing says why."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.commands.command_line import Outcome, leukoscope
from tests.commands.test_run import read_report, replay, write_bench


def run_on(folder: Path, pictures: Path) -> Outcome:
    camera = f'{{ driver = "replay", path = "{pictures}" }}'
    bench = write_bench(folder, camera=camera, calibration="{ um_per_px = 0.127 }", white_cells=1000)
    return leukoscope("run", "--bench", bench, "--samples", "1")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)


def test_pictures_of_different_places_are_counted_and_one_place_is_counted_once(tmp_path: Path) -> None:
    pictures = replay(tmp_path / "pictures", 3)
    first = min(pictures.iterdir())
    shutil.copy(first, pictures / f"z-again{first.suffix}")
    outcome = run_on(tmp_path, pictures)
    assert outcome.code == 0, outcome.err
    fields = read_report(tmp_path)["fields"]
    assert fields["counted"] == 3
    assert fields["patches"] == 3


def test_a_run_whose_pictures_were_all_refused_says_for_what_and_ends_with_status_1(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, level in enumerate((3, 4)):
        Image.new("RGB", (640, 480), (level, level, level)).save(pictures / f"dark-{number}.png")
    outcome = run_on(tmp_path, pictures)
    assert outcome.code == 1
    (line,) = [line for line in outcome.err.splitlines() if "no field was counted" in line]
    assert "refused as underexposed" in line
    assert read_report(tmp_path)["fields"]["counted"] == 0
