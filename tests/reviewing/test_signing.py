"""A report that nobody looked at is not signed, whatever signs it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commands.command_line import leukoscope
from tests.reviewing.test_end_to_end import bench, counted, report_id, review, shown

__all__ = ["bench", "counted"]


def finalise(bench: Path, by: str = "Dr. Ada") -> tuple[int, str]:
    outcome = leukoscope("report", "finalise", report_id(bench), "--bench", bench, "--by", by)
    return outcome.code, outcome.err


def is_undecided(cell: dict[str, Any]) -> bool:
    return cell["class"] == "unsure" or bool(cell.get("suspect"))


def decide_all(bench: Path) -> list[dict[str, Any]]:
    """Confirm what the classifier left undecided, unsure or suspect, and look at nothing else."""
    _, *cells = shown(bench, "--cells")
    undecided = [str(one["cell"]) for one in cells if is_undecided(one)]
    assert undecided
    review(bench, "--confirm", ",".join(undecided))
    return cells


def test_no_signature_while_an_unsure_cell_is_undecided(bench: Path) -> None:
    review(bench)
    code, got = finalise(bench)
    assert code == 2
    assert "undecided" in got
    assert shown(bench)[0]["lifecycle"]["status"] == "reviewed"


def test_no_signature_while_a_class_was_not_opened(bench: Path) -> None:
    cells = decide_all(bench)
    others = {one["class"] for one in cells} - {one["class"] for one in cells if is_undecided(one)}
    assert others
    code, got = finalise(bench)
    assert code == 2
    assert "nobody has looked at a cell called" in got
    assert all(name in got for name in others)


def test_a_report_whose_classes_were_opened_is_signed_and_says_how_many_cells_were_looked_at(bench: Path) -> None:
    cells = decide_all(bench)
    review(bench, "--opened", ",".join({one["class"] for one in cells}))
    assert finalise(bench) == (0, "")
    (message,) = shown(bench)
    assert message["lifecycle"]["cells_looked_at"] == len(cells)
    assert "signed_without" not in message["lifecycle"]["steps"][-1]


def test_what_the_settings_let_pass_stands_in_the_report(bench: Path) -> None:
    bench.write_text(
        bench.read_text() + '[signing]\nundecided_cells = "stated"\nunopened_classes = "stated"\nsecond_person = true\n'
    )
    review(bench)
    code, got = finalise(bench)
    assert code == 2
    assert "another person signs" in got
    assert finalise(bench, "Dr. Bo") == (0, "")
    (message,) = shown(bench)
    assert message["lifecycle"]["steps"][-1]["signed_without"] == ["undecided_cells", "unopened_classes"]
    assert message["lifecycle"]["cells_looked_at"] == 0


def test_a_signature_whose_file_cannot_be_written_is_given_and_says_so(bench: Path) -> None:
    cells = decide_all(bench)
    review(bench, "--opened", ",".join({one["class"] for one in cells}))
    reports = bench.parent / "state" / "reports"
    shutil.rmtree(reports)
    reports.write_text("where the folder should be")
    code, got = finalise(bench)
    assert code == 0
    assert "is recorded and will be sent, but its file in" in got
    assert shown(bench)[0]["lifecycle"]["status"] == "final"


@pytest.mark.parametrize("name", ["blasst", "unicorn"])
def test_a_class_that_the_report_has_not_is_not_opened(bench: Path, name: str) -> None:
    outcome = leukoscope("report", "review", report_id(bench), "--bench", bench, "--by", "A", "--opened", name)
    assert outcome.code == 2
    assert f"has no cell called {name}" in outcome.err
