import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leukoscope.delivery.none import NoDelivery
from leukoscope.displays.panel import Panel
from leukoscope.displays.state import Ready, Screen
from leukoscope.quality_control.history import History
from leukoscope.quality_control.westgard import BASELINE_RUNS
from tests.commands.command_line import leukoscope, simulated_pictures
from tests.commands.test_run import SIMULATED, write_bench

FIELDS = ("--fields", 3)
DIM = SIMULATED.replace("smear =", "microscope = { exposure = 0.9 }, smear =")
NEARER = SIMULATED.replace("smear =", "microscope = { um_per_px = 0.123 }, smear =")
"""The camera sits nearer than its calibration says: everything looks larger by 3 %."""


@pytest.fixture(autouse=True)
def _no_time_to_read_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A bench whose baseline stands."""
    path = write_bench(tmp_path)
    outcome = leukoscope("check", "--bench", path, *FIELDS)
    assert outcome.code == 0, outcome.err
    assert f"1 of {BASELINE_RUNS}" in outcome.err
    run_history = History(tmp_path / "state")
    (first,) = run_history.runs()
    for day in range(1, BASELINE_RUNS):
        run_history.add(replace(first, at=first.at + timedelta(seconds=day)))
    return path


def checked(folder: Path, camera: str = SIMULATED, *more: object) -> tuple[int, dict[str, Any], str]:
    outcome = leukoscope("check", "--bench", write_bench(folder, camera=camera), *FIELDS, "--json", *more)
    return outcome.code, json.loads(outcome.out)["broken"], outcome.err


@pytest.mark.usefixtures("bench")
def test_a_steady_bench_passes_a_dimmed_lamp_and_a_wrong_scale_do_not(tmp_path: Path) -> None:
    code, broken, _ = checked(tmp_path)
    assert (code, broken) == (0, {})
    code, broken, complaint = checked(tmp_path, DIM)
    assert code == 2
    assert broken["background_level"] == "1-3s"
    assert "red_cell_diameter_um" not in broken
    assert "Lamp level" in complaint
    code, broken, complaint = checked(tmp_path, NEARER)
    assert code == 2
    assert broken["red_cell_diameter_um"] == "1-3s"
    assert "background_level" not in broken
    assert len(complaint.strip().splitlines()) == 1
    assert checked(tmp_path, NEARER, "--new-baseline")[:2] == (0, {})


def test_the_same_pictures_are_a_reference_and_other_ones_another(tmp_path: Path) -> None:
    path = write_bench(tmp_path)
    for folder, count in (("first", 2), ("second", 3)):
        list(simulated_pictures(tmp_path / folder, count))
    references = []
    for folder in ("first", "second", "first"):
        outcome = leukoscope("check", "--bench", path, "--pictures", tmp_path / folder, "--json")
        assert outcome.code == 0, outcome.err
        references.append(json.loads(outcome.out)["reference"])
    assert references[0] == references[2] != references[1]


def test_pictures_that_are_not_there_are_told(tmp_path: Path) -> None:
    outcome = leukoscope("check", "--bench", write_bench(tmp_path), "--pictures", tmp_path / "none")
    assert outcome.code == 2
    assert "none" in outcome.err


def test_a_slide_that_is_not_moved_on_ends_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.service.reference_check.WAIT_S", 0.0)
    still = SIMULATED.replace("dwell_frames = 2", 'path = "keys"')
    outcome = leukoscope("check", "--bench", write_bench(tmp_path, camera=still), *FIELDS)
    assert outcome.code == 2
    assert "move the slide on" in outcome.err


def test_a_sample_is_written_down_and_the_trend_shows_and_draws_it(tmp_path: Path) -> None:
    path = write_bench(tmp_path)
    assert leukoscope("run", "--bench", path, "--samples", "1").code == 0
    shown = leukoscope("trend", "--bench", path, "--json", "--png", tmp_path / "trend.png")
    assert shown.code == 0, shown.err
    run = json.loads(shown.out)
    assert (run["kind"], run["calibration"]) == ("sample", "simulated")
    assert 150 < run["measures"]["background_level"] < 255
    assert run["measures"]["ms_per_field"] > 0
    with Image.open(tmp_path / "trend.png") as picture:
        assert picture.width == 1200
    printed = leukoscope("trend", "--bench", path).out
    assert "Lamp level" in printed
    assert run["classes"]
    for name in run["classes"]:
        assert f"Share of {name.replace('_', ' ')}" in printed


@pytest.mark.usefixtures("bench")
@pytest.mark.parametrize(("columns", "runs"), [(80, 2), (160, 8)])
def test_a_table_shows_as_many_runs_as_leave_names_and_limits_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, runs: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    printed = leukoscope("trend", "--bench", tmp_path / "bench.toml").out
    assert "Blue of the light (of green)" in printed
    assert "…" not in printed
    assert int(printed.split("slide reference: ")[1].split()[0]) >= runs


def test_square_brackets_are_printed_as_they_are(tmp_path: Path) -> None:
    path = write_bench(tmp_path)
    assert leukoscope("check", "--bench", path, *FIELDS, "--slide", "kept [bold]").code == 0
    assert "slide kept [bold]: 1 newest run," in leukoscope("trend", "--bench", path).out


def test_a_bench_that_never_ran_has_no_trend(tmp_path: Path) -> None:
    outcome = leukoscope("trend", "--bench", write_bench(tmp_path))
    assert outcome.code == 2
    assert "count a sample" in outcome.err


@pytest.mark.usefixtures("bench")
def test_what_is_out_of_limits_is_on_the_ready_screen_and_in_the_health_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checked(tmp_path, DIM)[0] == 2
    screens: list[Screen] = []
    healths: list[Any] = []
    show = Panel.show

    def shown(self: Panel, screen: Screen) -> Any:
        screens.append(screen)
        return show(self, screen)

    monkeypatch.setattr(Panel, "show", shown)
    monkeypatch.setattr(NoDelivery, "post_health", lambda _, message: healths.append(message))
    late = '{ action = "toggle", after_polls = 3 }'
    path = write_bench(tmp_path, '{ action = "toggle", after_s = 0.0 }', late)
    assert leukoscope("run", "--bench", path, "--samples", "1").code == 0
    warnings = [screen.warning for screen in screens if isinstance(screen, Ready)]
    assert warnings
    assert warnings[0].startswith("Lamp level ")
    assert "Calibration is nominal" in warnings[0]
    assert any(line.startswith("Lamp level ") for line in healths[0]["faults"])


def test_a_trend_that_cannot_be_kept_never_costs_a_result(tmp_path: Path) -> None:
    path = write_bench(tmp_path)
    (tmp_path / "state" / "trend.jsonl").mkdir(parents=True)
    outcome = leukoscope("run", "--bench", path, "--samples", "1")
    assert outcome.code == 0, outcome.err
    assert list((tmp_path / "state" / "reports").glob("*.json"))
