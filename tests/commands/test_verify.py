"""`leukoscope verify`: from reviewed live reports to a verified bench whose next report is corrected."""

import csv
import io
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.service.bench_naming import bundle_of, conditions_of
from leukoscope.service.models import naming_of
from leukoscope.settings import BenchSettings, identity_of
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.sample import BundleIdentity, Source
from leukoscope.statistics.recount import Grounds
from leukoscope.statistics.rules import Rules
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.messages.examples import report

CELLS = 40
NAMES = ("segmented", "lymphocyte", "monocyte", "unsure")


def counted(bench: Path, number: int, source: Source = Source.LIVE, pictures: int = 0) -> str:
    """Put a report of forty cells, as this bench would make it, into its outbox, some with pictures; its id."""
    settings = BenchSettings.read(bench)
    now = conditions_of(settings, bench.parent)
    grounds = Grounds(naming_of(bundle_of(settings, bench.parent)), 0.1, Rules.shipped()).to_json()
    plain = report(number)
    provenance = replace(
        plain.provenance,
        source=source,
        classifier=BundleIdentity("classifier", "1.0.0", now.classifier, "onnx"),
        calibration_id=now.calibration,
        camera=now.camera,
    )
    made = replace(plain, id=str(uuid.UUID(int=number)), sample_id=f"S-{number}", provenance=provenance)
    cells = [CellRecord(cell, 1, NAMES[cell % 4], 0.9, (0, 0, 9, 9)) for cell in range(1, CELLS + 1)]
    settings.storage.make_folder()
    with Outbox.open(settings.storage.outbox) as outbox:
        record(made, outbox, identity_of(settings), now=lambda: datetime.now(UTC), cells=cells, grounds=grounds)
        kept = [(cell, picture_of(cell.number)) for cell in cells[:pictures]]
        keep_pictures(made, kept, outbox, identity_of(settings), now=lambda: datetime.now(UTC))
    return made.id


def picture_of(number: int) -> CellPicture:
    """Grey, a little darker with every cell."""
    content = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), 250 - 5 * number, dtype=np.uint8)).save(content, "WEBP", lossless=True)
    return CellPicture(content.getvalue(), 40, 40, 0.15)


def review(bench: Path, identifier: str) -> None:
    wrong = ",".join(f"{cell}=blast" for cell in range(3, CELLS + 1, 4))
    outcome = leukoscope(
        "report", "review", identifier, "--bench", bench, "--by", "Dr. Ada", "--all-checked", "--relabel", wrong
    )
    assert outcome.code == 0, outcome.err


def standing(bench: Path, *options: object) -> dict[str, Any]:
    outcome = leukoscope("verify", "--bench", bench, "--json", *options)
    assert outcome.code == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def test_a_bench_is_verified_by_checked_cells_of_three_live_specimens_and_its_differential_is_corrected(
    tmp_path: Path,
) -> None:
    bench = write_bench(tmp_path)
    lines = tmp_path / "cells.jsonl"
    lines.write_text("".join(json.dumps({"class": NAMES[cell % 4]}) + "\n" for cell in range(200)), "utf-8")
    for number in (1, 2, 3):
        identifier = counted(bench, number)
        before = standing(bench)
        assert not before["verified"]
        review(bench, identifier)
    after = standing(bench)
    assert (after["verified"], after["cells"], after["specimens"], after["by"]) == (True, 120, 3, ["Dr. Ada"])
    blasts = next(one for one in after["classes"] if one["class"] == "blast")
    assert (blasts["checked"], blasts["agreed"]) == (30, 0)
    found = json.loads(leukoscope("differential", "--bench", bench, "--json", lines).out)
    corrected = {one["class"]: one for one in found["corrected"]}
    # The cells that the bench is unsure of were blasts, as people said, and none was named so.
    assert corrected["blast"]["share"] > 0.1
    path = BenchSettings.read(bench).storage.folder / "verification.json"
    damaged = path.read_bytes()[:-20]
    path.write_bytes(damaged)
    outcome = leukoscope("verify", "--bench", bench)
    assert outcome.code == 2
    assert "counts as not verified" in outcome.err
    assert path.read_bytes() == damaged
    assert json.loads(leukoscope("differential", "--bench", bench, "--json", lines).out)["corrected"] is None


@pytest.mark.parametrize("source", [Source.SIMULATED, Source.REPLAYED])
def test_reports_that_are_not_live_verify_nothing(tmp_path: Path, source: Source) -> None:
    bench = write_bench(tmp_path)
    for number in (1, 2, 3):
        review(bench, counted(bench, number, source))
    found = standing(bench)
    assert (found["verified"], found["cells"], found["not_live"]) == (False, 0, 120)


def test_cells_decided_for_a_signature_alone_verify_nothing_and_the_command_says_what_would(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    unsure = ",".join(f"{cell}=blast" for cell in range(3, CELLS + 1, 4))
    for number in range(1, 13):
        outcome = leukoscope(
            "report", "review", counted(bench, number), "--bench", bench, "--by", "Dr. Ada", "--relabel", unsure
        )
        assert outcome.code == 0, outcome.err
    found = standing(bench)
    assert (found["verified"], found["left_out"]) == (False, 120 - found["cells"])
    assert found["cells"] < 10
    assert "that people chose to check" in leukoscope("verify", "--bench", bench).out


def test_names_given_without_the_classifiers_name_are_blind(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    identifiers = [counted(bench, number) for number in (1, 2, 3)]
    table = tmp_path / "names.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = [(f"{one}-{cell:05d}", "band") for one in identifiers for cell in range(1, CELLS + 1)]
        csv.writer(file).writerows([("cell", "name"), *rows])
    found = standing(bench, "--names", table, "--by", "Dr. Bo")
    assert (found["verified"], found["blind"], found["by"]) == (True, 120, ["Dr. Bo"])


def filled_in(table: Path, name: str) -> list[str]:
    """Give every cell of a sheet that name; the cells."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} == {""}
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("cell", "name"), *((row["cell"], name) for row in rows)])
    return [row["cell"] for row in rows]


def test_a_sheet_shows_cells_without_the_classifiers_name_and_its_names_verify_the_bench(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    for number in (1, 2, 3):
        counted(bench, number, pictures=CELLS)
    sheet = tmp_path / "sheet"
    outcome = leukoscope("verify", "--bench", bench, "--sheet", sheet, "--cells", 110)
    assert outcome.code == 0, outcome.err
    assert "110 cells in" in outcome.out
    assert "NOT VERIFIED: missing 100 more checked cells" in outcome.out
    written = {path.stem: path for path in sheet.glob("*.png")}
    text = " ".join([*written, (sheet / "names.csv").read_text("utf-8")])
    assert not any(name in text for name in NAMES)
    cells = filled_in(sheet / "names.csv", "lymphocyte")
    assert set(cells) == set(written)
    # The picture is of the cell whose number it bears.
    name = cells[0]
    with Image.open(written[name]) as picture:
        assert picture.size == (128, 128)
        assert np.asarray(picture)[64, 64].tolist() == [250 - 5 * int(name[-5:])] * 3
    found = standing(bench, "--names", sheet / "names.csv", "--by", "Dr. Bo")
    assert (found["verified"], found["cells"], found["blind"], found["specimens"]) == (True, 110, 110, 3)
    # Ten are left, and a second sheet holds none that has a name already.
    again = tmp_path / "again"
    assert "10 cells in" in leukoscope("verify", "--bench", bench, "--sheet", again).out
    assert not set(cells) & set(filled_in(again / "names.csv", "band"))


def test_a_sheet_is_of_live_reports_that_have_a_picture_of_every_cell(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    counted(bench, 1, Source.SIMULATED, pictures=CELLS)
    counted(bench, 2, pictures=10)
    outcome = leukoscope("verify", "--bench", bench, "--sheet", tmp_path / "sheet")
    assert outcome.code == 2
    assert "1 have pictures of some of their cells alone" in outcome.err
    assert not (tmp_path / "sheet").exists()


def test_a_sheet_with_a_name_that_is_no_class_changes_no_report(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    identifiers = [counted(bench, number) for number in (1, 2)]
    table = tmp_path / "names.csv"
    rows = [(f"{identifiers[0]}-00001", "lymphocyte"), (f"{identifiers[1]}-00001", "lymphocite")]
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("cell", "name"), *rows])
    outcome = leukoscope("verify", "--bench", bench, "--names", table, "--by", "Dr. Bo")
    assert outcome.code == 2
    assert "lymphocite: expected a class" in outcome.err
    assert standing(bench)["cells"] == 0
