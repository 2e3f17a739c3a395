import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.tables import data_folder
from read_blind import app

READ_BY_US = Path(__file__).resolve().parents[2] / "models" / "classifier" / "stages-by-hand.csv"
pytestmark = pytest.mark.skipif(data_folder() is None, reason="the labelled pictures are not here: set LEUKOSCOPE_DATA")


def test_what_was_read_by_us_is_counted_as_the_card_says() -> None:
    result = CliRunner().invoke(app, ["score", str(READ_BY_US)])
    assert result.exit_code == 0, result.output
    assert [cell.strip() for cell in result.output.splitlines()[-2].split("│")[1:-1]] == ["all", "60", "18", "42"]


def test_a_sheet_offers_both_names_in_the_order_of_maturation(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["draw", "--out", str(tmp_path), "--count", "3"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "sheet-0.png").exists()
    rows = list(csv.DictReader((tmp_path / "readings.csv").read_text().splitlines()))
    order = ["promyelocyte", "myelocyte", "metamyelocyte", "band", "segmented"]
    assert len(rows) == 3
    assert all(order.index(row["earlier"]) < order.index(row["later"]) for row in rows)
    assert all(row["read"] == "" for row in rows)


def test_a_name_that_was_not_offered_is_refused_with_its_line(tmp_path: Path) -> None:
    readings = tmp_path / "readings.csv"
    lines = READ_BY_US.read_text().splitlines()
    readings.write_text("\n".join([*lines[:2], lines[2].replace(",band,SNE", ",blast,SNE")]))
    result = CliRunner().invoke(app, ["score", str(readings)])
    assert result.exit_code == 2
    assert "line 3" in result.output
