from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import show_disagreements
from evaluation.detection import DetectionScore, Within, matches
from evaluation.field_table import as_boxes
from evaluation.tables import data_folder

BOXES = as_boxes([(0, 0, 10, 10), (20, 0, 30, 10)])


def test_the_surer_of_two_boxes_on_one_cell_is_right_and_the_other_is_not() -> None:
    found = as_boxes([(1, 0, 11, 10), (0, 0, 10, 10), (50, 50, 60, 60)])
    assert matches(found, [0.5, 0.9, 0.8], BOXES) == {1: 0}


def test_a_score_counts_pairs_over_many_pictures() -> None:
    score = DetectionScore()
    score.add(as_boxes([(0, 0, 10, 10), (50, 50, 60, 60)]), [0.9, 0.8], BOXES)
    score.add(as_boxes([(21, 0, 31, 10)]), [0.7], BOXES)
    score.add(as_boxes([]), [], BOXES)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(2 / 6)
    assert score.count_error == pytest.approx(np.mean([0, 1, 2]))


def test_outside_the_judged_part_neither_side_can_be_wrong() -> None:
    score = DetectionScore()
    inside, cut, sliver = (30, 30, 50, 50), (0, 30, 15, 50), (90, 90, 100, 100)
    # The sliver nobody boxed, and the cut cell nobody found, are left out; a pair counts where its label lies.
    score.add(as_boxes([(29, 30, 50, 50), sliver]), [0.9, 0.8], as_boxes([inside, cut]), Within(100, 100, 2.0))
    assert (score.precision, score.recall, score.count_error) == (1.0, 1.0, 0.0)
    score.add(as_boxes([(60, 60, 70, 70)]), [0.9], as_boxes([]), Within(100, 100, 2.0))
    assert score.precision == 0.5


def test_nothing_matches_nothing() -> None:
    assert matches(as_boxes([]), [], BOXES) == {}
    assert matches(BOXES, [0.5, 0.5], as_boxes([])) == {}


@pytest.mark.skipif(data_folder() is None, reason="the labelled pictures are not here: set LEUKOSCOPE_DATA")
def test_every_disagreement_is_listed_and_drawn(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(show_disagreements.main)
    result = CliRunner().invoke(app, ["deepbionet", "platelet", "--out", str(tmp_path), "--every", "10"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines
    assert all(line.split()[1] in ("found", "boxed") for line in lines)
    assert (tmp_path / "deepbionet-platelet-0.png").exists()


def test_a_kind_that_is_none_is_refused(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(show_disagreements.main)
    result = CliRunner().invoke(app, ["deepbionet", "plasma", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "rbc, wbc, platelet" in result.output or data_folder() is None
