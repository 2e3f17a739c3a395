"""`leukoscope verify`: from reviewed live reports to a verified bench whose next report is corrected."""

import csv
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.service.bench_naming import bundle_of, conditions_of
from leukoscope.service.models import naming_of
from leukoscope.settings import BenchSettings, identity_of
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.sample import BundleIdentity, Source
from leukoscope.statistics.recount import Grounds
from leukoscope.statistics.rules import Rules
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.messages.examples import report

CELLS = 40
NAMES = ("segmented", "lymphocyte", "monocyte", "unsure")


def counted(bench: Path, number: int, source: Source = Source.LIVE) -> str:
    """Put a report of forty cells, as this bench would make it, into its outbox; its id."""
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
    return made.id


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


def test_names_given_without_the_classifiers_name_are_blind(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    identifiers = [counted(bench, number) for number in (1, 2, 3)]
    table = tmp_path / "names.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = [(f"{one}-{cell:05d}", "band") for one in identifiers for cell in range(1, CELLS + 1)]
        csv.writer(file).writerows([("cell", "name"), *rows])
    found = standing(bench, "--names", table, "--by", "Dr. Bo")
    assert (found["verified"], found["blind"], found["by"]) == (True, 120, ["Dr. Bo"])
