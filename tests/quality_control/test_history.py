import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope.errors import TrendError
from leukoscope.quality_control.history import History
from leukoscope.quality_control.run_record import Kind
from leukoscope.quality_control.series import series_of
from leukoscope.quality_control.trend import Trend
from leukoscope.quality_control.westgard import BASELINE_RUNS
from tests.quality_control.records import SLIDE, check, restart

ADD = """
import sys
from pathlib import Path
from leukoscope.quality_control.history import History
from tests.quality_control.records import check
notebook = History(Path(sys.argv[1]))
for number in range(100):
    notebook.add(check(number, sharpness=float(sys.argv[2])))
"""


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    run_history = History(tmp_path / "state")
    assert run_history.runs() == ()
    runs = (check(1, background_level=200.5, sharpness=None), restart(2), check(3))
    for run in runs:
        run_history.add(run)
    assert run_history.runs() == runs


def test_a_line_cut_short_by_a_pulled_plug_costs_that_line_alone(tmp_path: Path) -> None:
    run_history = History(tmp_path)
    for number in range(3):
        run_history.add(check(number))
    content = run_history.path.read_bytes()
    run_history.path.write_bytes(content[:-40])
    run_history.add(check(9))
    assert run_history.runs() == (check(0), check(1), check(9))


@pytest.mark.parametrize("line", [b"\xff\xfe", b"{}", b"[]", b'{"kind": "check"}', b"null", b""])
def test_a_line_that_means_nothing_is_passed_over(tmp_path: Path, line: bytes) -> None:
    run_history = History(tmp_path)
    run_history.add(check(1))
    with run_history.path.open("ab") as file:
        file.write(line + b"\n")
    run_history.add(check(2))
    assert run_history.runs() == (check(1), check(2))


def test_the_file_stays_small_and_keeps_what_its_limits_are_made_from(tmp_path: Path) -> None:
    run_history = History(tmp_path, most_bytes=20_000)
    run_history.add(restart(0))
    for number in range(400):
        run_history.add(check(number, background_level=200.0 + number % 3))
    assert run_history.path.stat().st_size < 20_500
    runs = run_history.runs()
    assert runs[0].kind is Kind.RESTART
    assert runs[1 : BASELINE_RUNS + 1] == tuple(check(n, background_level=200.0 + n % 3) for n in range(BASELINE_RUNS))
    assert runs[-1] == check(399, background_level=200.0)
    assert series_of(runs, SLIDE, "background_level").limits is not None


def test_a_measure_that_the_first_runs_could_not_give_keeps_the_runs_its_limits_are_made_from(tmp_path: Path) -> None:
    run_history = History(tmp_path, most_bytes=20_000)
    run_history.add(restart(0))
    for number in range(400):
        sharpness = None if number < 10 else 0.3 + number / 1000
        run_history.add(check(number, background_level=200.0, sharpness=sharpness))
    limits = series_of(run_history.runs(), SLIDE, "sharpness").limits
    assert limits is not None
    assert limits.mean == pytest.approx(0.3 + (10 + 29) / 2 / 1000)


def test_two_programs_can_write_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(number)]) for number in (1, 2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    values = [run.measures["sharpness"] for run in History(tmp_path).runs()]
    assert (values.count(1.0), values.count(2.0)) == (100, 100)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(TrendError, match="make room"):
        History(tmp_path / "state").add(check(1))


def test_a_running_device_learns_of_a_check_that_another_program_made(tmp_path: Path) -> None:
    run_history = History(tmp_path)
    trend = Trend(run_history)
    assert trend.alarms == ()
    for number in range(BASELINE_RUNS):
        run_history.add(check(number, background_level=200.0))
    assert trend.alarms == ()
    History(tmp_path).add(check(30, background_level=150.0))
    later: tuple[str, ...] = trend.alarms
    assert later == ("Lamp level 150, expected 198 to 202 (1-3s)",)
