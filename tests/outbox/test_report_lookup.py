"""Those who look into an outbox find what is there, also after it was begun anew, and read no more than they need."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukoscope.messages.json_format import from_bytes
from leukoscope.outbox import white_cells
from leukoscope.outbox.cell_pictures import called_so, facts_of, pictures_of, webp_of
from leukoscope.outbox.recovery import lost_outbox, restore
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.report_lookup import ids_beginning, reports_since, version_in_force
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import utc_now
from tests.messages.examples import IDENTITY
from tests.web.made import make_sample


def read_on(outbox: Outbox, cursor: str) -> tuple[list[str], str]:
    """Specimens of the reports after a cursor, and the next one."""
    payloads, after = reports_since(outbox, cursor, 100)
    return [from_bytes(payload)["sample"]["sample_id"] for payload in payloads], after


def begin_anew(path: Path, folder: Path) -> Outbox:
    """The instrument starts after its outbox was damaged."""
    path.write_bytes(b"not a database any more" * 500)
    outbox = Outbox.open(path)
    lost = lost_outbox(outbox, folder)
    assert lost is not None
    restore(outbox, folder, utc_now(), lost=lost, identity=IDENTITY)
    return outbox


def test_a_cursor_finds_what_is_new_and_begins_again_where_the_outbox_did(tmp_path: Path) -> None:
    path, files = tmp_path / "outbox.sqlite", ReportFiles(tmp_path / "reports")
    with Outbox.open(path) as outbox:
        for number in (1, 2, 3, 4):
            last = outbox.versions(make_sample(outbox, f"S-{number}", number).id)[0]
        files.write(last.key, last.payload)
        found, cursor = read_on(outbox, "")
        assert found == ["S-1", "S-2", "S-3", "S-4"]
        assert read_on(outbox, cursor) == ([], cursor)
        # What an older version of the page kept names no outbox.
        assert read_on(outbox, "2")[0] == found
    with begin_anew(path, files.folder) as outbox:
        make_sample(outbox, "S-5", 5)
        found, cursor = read_on(outbox, cursor)
        assert found == ["S-4", "S-5"]
        assert read_on(outbox, cursor) == ([], cursor)


def test_a_cursor_begins_again_in_an_outbox_that_was_put_back_from_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox.open(path) as outbox:
        make_sample(outbox, "S-1", 1)
    shutil.copyfile(path, tmp_path / "copy")
    with Outbox.open(path) as outbox:
        make_sample(outbox, "S-2", 2)
        _, cursor = read_on(outbox, "")
    shutil.copyfile(tmp_path / "copy", path)
    with Outbox.open(path) as outbox:
        assert read_on(outbox, cursor)[0] == ["S-1"]


def test_who_looks_in_goes_on_in_the_outbox_that_was_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox.open(path) as outbox:
        make_sample(outbox, "S-1", 1)
    with Outbox.open(path, owner=False) as looking:
        assert read_on(looking, "")[0] == ["S-1"]
        shutil.move(path, tmp_path / "aside")
        # Between the two files the old one is still read.
        assert read_on(looking, "")[0] == ["S-1"]
        with Outbox.open(path) as outbox:
            make_sample(outbox, "S-2", 2)
            assert read_on(looking, "")[0] == ["S-2"]
            with looking.writing() as sql:
                white_cells.look_at(sql, "x", 1, [1])
            with outbox.reading() as sql:
                assert sql.execute("SELECT count(*) FROM looked_at").fetchone() == (1,)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox.sqlite") as made:
        yield made


def test_cells_called_so_are_those_last_called_so(outbox: Outbox) -> None:
    first, second = (make_sample(outbox, f"S-{number}", number).id for number in (1, 2))
    with outbox.writing() as sql:
        white_cells.judge(sql, first, 2, {1: "blast", 2: "blast", 3: "monocyte"})
        white_cells.judge(sql, first, 3, {1: "blast", 2: "monocyte"})
        white_cells.judge(sql, second, 2, {5: "blast"})
    assert called_so(outbox, "blast", 9, but="") == [(second, 5), (first, 1)]
    assert called_so(outbox, "monocyte", 9, but="") == [(first, 3), (first, 2)]
    assert called_so(outbox, "blast", 9, but=second) == [(first, 1)]
    assert called_so(outbox, "blast", 1, but="") == [(second, 5)]


def test_pictures_are_those_of_the_report_alone(outbox: Outbox) -> None:
    made = [make_sample(outbox, f"S-{number}", number, {"blast": number}) for number in (1, 2, 3)]
    for number, report in enumerate(made, start=1):
        numbers = list(range(1, number + 1))
        assert sorted(facts_of(outbox, report.id)) == numbers
        assert [one.number for one in pictures_of(outbox, report.id, 1)] == numbers
        assert webp_of(outbox, report.id, number + 1) is None


def test_the_page_reads_no_table_from_end_to_end(outbox: Outbox) -> None:
    report = make_sample(outbox, "S-1", 1).id
    asked: list[str] = []
    with outbox.reading() as sql:
        sql.set_trace_callback(asked.append)
    _, cursor = reports_since(outbox, "", 10)
    reports_since(outbox, cursor, 10)
    ids_beginning(outbox, report[:8], 2)
    version_in_force(outbox, report)
    list(pictures_of(outbox, report, 1))
    facts_of(outbox, report)
    webp_of(outbox, report, 1)
    called_so(outbox, "blast", 6, but=report)
    with outbox.reading() as sql:
        sql.set_trace_callback(None)
        white_cells.find(sql, report)
        plans = {statement: plan_of(sql, statement) for statement in asked if statement.startswith("SELECT")}
    assert len(plans) >= 8
    assert {statement: plan for statement, plan in plans.items() if "SCAN" in plan and "sequence" not in plan} == {}


def plan_of(sql: sqlite3.Connection, statement: str) -> str:
    return "; ".join(row[3] for row in sql.execute(f"EXPLAIN QUERY PLAN {statement}"))
