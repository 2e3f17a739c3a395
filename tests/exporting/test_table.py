import csv
import io

from leukoscope.exporting.quantities import quantities_of
from leukoscope.exporting.table import COLUMNS, as_csv
from tests.exporting.stored import blood, original


def rows(kind: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(as_csv(original()), newline="")) if row["kind"] == kind]


def number(text: str) -> float | None:
    return float(text) if text else None


def test_every_quantity_is_a_row_that_comes_back_exactly() -> None:
    read = rows("quantity")
    assert list(read[0]) == list(COLUMNS)
    for row, one in zip(read, quantities_of(blood()), strict=True):
        assert (row["name"], row["of"], row["unit"]) == (one.name, one.of, one.unit)
        assert [number(row[column]) for column in ("value", "low", "high")] == [one.value, one.low, one.high]
        assert [number(row[column]) for column in ("count", "n")] == [one.count, one.n]


def test_a_row_says_what_limits_its_trust() -> None:
    assert {(row["source"], row["calibration"], row["status"]) for row in rows("quantity")} == {
        ("simulated", "measured", "preliminary")
    }


def test_the_bins_of_the_histogram_add_up_to_the_cells_measured() -> None:
    bins = rows("bin")
    assert (bins[0]["low"], bins[0]["high"]) == ("6.0", "6.5")
    assert sum(int(row["count"]) for row in bins) == 8500 == int(bins[0]["n"])


def test_findings_are_rows_with_their_words() -> None:
    assert [row["text"] for row in rows("finding")] == [finding.text for finding in blood().findings]


def test_a_specimen_with_quotes_and_commas_stays_one_cell() -> None:
    text = as_csv(original(blood(sample_id='a "b", c\nd')))
    assert {row["specimen_id"] for row in csv.DictReader(io.StringIO(text, newline=""))} == {'a "b", c\nd'}
