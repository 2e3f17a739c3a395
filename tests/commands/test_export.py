import csv
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from leukoscope.exporting.original import find_report
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.exporting.stored import blood, store
from tests.messages.examples import report

ID = report().id


def test_each_format_is_written_from_the_beginning_of_an_id(tmp_path: Path) -> None:
    store(blood(), tmp_path / "state" / "reports")
    bench = write_bench(tmp_path)
    for form in ("fhir", "csv", "html", "pdf"):
        outcome = leukoscope(
            "export", ID[:8], "--as", form, "--unverified", "--bench", bench, "--out", tmp_path / "out" / form
        )
        assert outcome.code == 0, outcome.err
    assert json.loads((tmp_path / "out" / "fhir").read_text())["resourceType"] == "Bundle"
    with (tmp_path / "out" / "csv").open(newline="") as file:
        assert next(csv.DictReader(file))["report_id"] == ID
    assert "S-1" in (tmp_path / "out" / "html").read_text()
    assert len(PdfReader(tmp_path / "out" / "pdf").pages) == 1


def test_the_newest_version_of_a_report_is_taken(tmp_path: Path) -> None:
    for version in (1, 10, 2):
        store(blood(version=version), tmp_path / "reports")
    assert find_report(ID, tmp_path, unverified=True).report.version == 10


def test_fields_kept_beside_a_report_are_shown(tmp_path: Path) -> None:
    path = store(blood(), tmp_path / "reports")
    fields = tmp_path / "fields" / ID
    fields.mkdir(parents=True)
    Image.new("RGB", (1200, 900), "pink").save(fields / "field-00001.png")
    out = tmp_path / "page.html"
    assert leukoscope("export", path, "--as", "html", "--unverified", "--out", out).code == 0
    assert "data:image/jpeg;base64," in out.read_text()


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [("0000", "2 reports begin with"), ("ffff", "no report in"), ("report.json", "no report in")],
)
def test_a_report_that_is_not_to_be_found_is_told(tmp_path: Path, wanted: str, complaint: str) -> None:
    for number in (1, 2):
        store(report(number), tmp_path / "state" / "reports")
    outcome = leukoscope("export", wanted, "--as", "csv", "--bench", write_bench(tmp_path), "--out", tmp_path / "x")
    assert outcome.code == 2
    assert complaint in outcome.err


def test_without_a_bench_a_file_is_asked_for() -> None:
    outcome = leukoscope("export", "0000", "--as", "csv")
    assert outcome.code == 2
    assert "--bench" in outcome.err


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"schema": "leukoscope/health/1"}')
    outcome = leukoscope("export", path, "--as", "fhir", "--out", tmp_path / "x")
    assert outcome.code == 2
    assert not (tmp_path / "x").exists()


def test_cells_that_a_bench_kept_are_shown_by_class(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    bench.write_text(bench.read_text() + "cells = { pictures = 20 }\n")
    assert leukoscope("run", "--bench", bench, "--samples", "1").code == 0
    (path,) = (tmp_path / "state" / "reports").glob("*.json")
    out = tmp_path / "page.html"
    assert leukoscope("export", path, "--as", "html", "--out", out).code == 0
    assert "Cells, as they were named" in out.read_text()
    assert "data:image/webp;base64," in out.read_text()


def test_a_signed_report_says_who_signed(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    assert leukoscope("run", "--bench", bench, "--samples", "1").code == 0
    (path,) = (tmp_path / "state" / "reports").glob("*.json")
    report_id = json.loads(path.read_text())["id"]
    for step in (("review", "--all-checked"), ("finalise",)):
        outcome = leukoscope("report", step[0], report_id, "--bench", bench, "--by", "A. Technician", *step[1:])
        assert outcome.code == 0, outcome.err
    out = tmp_path / "bundle.json"
    assert leukoscope("export", report_id, "--as", "fhir", "--bench", bench, "--out", out).code == 0
    (diagnostic, *_) = (entry["resource"] for entry in json.loads(out.read_text())["entry"])
    assert diagnostic["status"] == "final"
    assert diagnostic["resultsInterpreter"] == [{"display": "A. Technician"}]
    assert re.search(r"(\d+) of \1 cells looked at", diagnostic["conclusion"])
    assert leukoscope("export", report_id, "--as", "html", "--bench", bench, "--out", out).code == 0
    assert re.search(r"(\d+) of \1 cells looked at", out.read_text())
