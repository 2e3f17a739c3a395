"""The reports of every site in the collector's store, as the page sees them: none is missed, none is read twice."""

import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from leukoscope.messages.command import Outcome
from leukoscope.messages.json_format import to_bytes
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.desk import desk_of
from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.lifecycle import Action, Change, Life, Status, Step
from leukoscope.system.clock import utc_now
from leukoscope.web import Databases, Decision, GoneError
from leukoscope.web.drafts import Draft
from leukoscope.web.report_view import View
from leukoscope.web.worklist import Search, Worklist
from leukoscope_collector.commanding import Answered
from leukoscope_collector.judging import Picture, Report, judge
from leukoscope_collector.partitioning import partition
from leukoscope_collector.postgres_store import PostgresSettings, PostgresStore
from leukoscope_collector.sqlite_store import SqliteSettings
from leukoscope_collector.web.central_reports import CentralReports
from leukoscope_collector.web.steps import Steps
from leukoscope_collector.web.word_index import index_words
from tests.collector.conftest import cluster, database, store_settings
from tests.collector.old_layouts import POSTGRES
from tests.collector.running import id_of, message
from tests.messages.examples import IDENTITY
from tests.web.made import make_sample

__all__ = ["cluster", "database", "store_settings"]
StoreSettings = SqliteSettings | PostgresSettings
WEBP = b"RIFF\x04\x00\x00\x00WEBP"


def judged(number: int, kind: str = "report", payload: bytes | None = None, **changes: Any) -> Report | Picture:
    said = judge(
        f"leukoscope/v1/ward-3/scope-1/{kind}",
        payload or message(number, **changes),
        topic_root="leukoscope/v1",
        largest=1_000_000,
    )
    assert isinstance(said, Report | Picture), said
    return said


def picture(report: int, cell: int, *, suspect: bool = False) -> Picture | Report:
    told = {
        "schema": "leukoscope/cell/1", "report": id_of(report), "version": 1, "cell": cell, "class": "lymphocyte",
        "confidence": 0.6, "field": 1, "box": [10, 20, 60, 80], "source": "live",
        **({"suspect": ["blast"]} if suspect else {}),
        "picture": {"format": "webp", "width": 96, "height": 90, "um_per_px": 0.1,
                    **({"outline": [[1, 2], [30.5, 2], [8, 40]]} if suspect else {}),
                    "base64": base64.b64encode(WEBP).decode()},
        "envelope": {"boot_id": str(UUID(int=1)), "sequence": 1, "sent_clock": "2026-11-22T06:00:00.000000Z",
                     "clock_synchronised": None, "historical": False},
    }  # fmt: skip
    return judged(report, "cell", to_bytes(told))


class Place:
    """A store, and the worklist over it at a time that is put forward by hand."""

    def __init__(self, settings: StoreSettings) -> None:
        self.store = settings.open()
        self.databases = Databases(settings.open)
        self.now = utc_now()
        self.steps = Steps(self.databases)
        self.reports = CentralReports(self.databases, self.steps, lambda: self.now)
        self.worklist = Worklist(self.databases, self.reports)

    def keep(self, *said: Report | Picture, at: datetime | None = None) -> None:
        assert self.store.keep(said, [], at or self.now).quarantined == 0

    @property
    def found(self) -> set[str]:
        return {line.sample_id for line in self.worklist.find(Search(state="all")).lines}


@pytest.fixture
def place(store_settings: StoreSettings) -> Iterator[Place]:
    made = Place(store_settings)
    yield made
    made.databases.close()
    made.store.close()


@pytest.mark.parametrize("late_s", [0.001, 9, 30, 59])
@pytest.mark.parametrize("looked_after_s", [0, 15, 300])
def test_a_report_that_was_committed_late_is_found(place: Place, late_s: float, looked_after_s: float) -> None:
    received = place.now
    place.keep(judged(1), at=received)
    place.now += timedelta(seconds=looked_after_s)
    assert place.found == {"S-1"}
    place.keep(judged(2), at=received - timedelta(seconds=late_s))
    assert place.found == {"S-1", "S-2"}


def test_what_is_known_is_not_read_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.keep(*(judged(number) for number in (1, 2, 3)))
    assert len(place.found) == 3
    read: list[int] = []
    lines_since = place.reports.lines_since
    monkeypatch.setattr(
        place.reports, "lines_since", lambda cursor: read.append(len((told := lines_since(cursor))[0])) or told
    )
    assert len(place.found) == 3
    place.keep(judged(2, version=2), judged(4))
    assert len(place.found) == 4
    assert read == [0, 2]


def test_more_reports_than_are_read_at_once_are_all_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope_collector.web.central_reports.BATCH", 4)
    monkeypatch.setattr("leukoscope.web.worklist.BATCH", 4)
    # In one instant, as a collector stores a batch.
    place.keep(*(judged(number) for number in range(8)))
    assert len(place.found) == 8
    place.keep(judged(9), at=place.now - timedelta(seconds=30))
    assert len(place.found) == 9
    place.now += timedelta(hours=1)
    assert len(place.found) == 9
    place.keep(judged(10))
    assert len(place.found) == 10


def test_a_cursor_of_an_earlier_version_goes_on(place: Place) -> None:
    place.keep(judged(1), at=place.now - timedelta(hours=2))
    place.keep(judged(2))
    old = json.dumps([(place.now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), id_of(1), 1])
    lines, _ = place.reports.lines_since(old)
    assert [line.sample_id for line in lines] == ["S-2"]


def test_a_sample_is_read_once_until_something_of_it_changes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.keep(judged(1), picture(1, 1), picture(1, 2, suspect=True))
    first = place.reports.sample(id_of(1))
    assert [(cell.record.number, cell.record.suspect) for cell in first.cells] == [(1, ()), (2, ("blast",))]
    # Devices of earlier versions send no outline.
    assert [first.pictures[number].outline for number in (1, 2)] == [(), ((1, 2), (30.5, 2), (8, 40))]
    assert place.reports.sample(id_of(1)) is first
    place.keep(picture(1, 3))
    second = place.reports.sample(id_of(1))
    assert len(second.cells) == 3
    place.reports.submit(second, [Decision(Action.REVIEW, "Dr. Ada", confirm=frozenset({3}))])
    ((identifier,),) = place.databases.get().execute("SELECT id FROM web_command")
    done = Outcome("done", "version 2 is made", version=2)
    place.steps.answer(Answered("ward-3", "scope-1", identifier, done))
    third = place.reports.sample(id_of(1))
    assert [cell.checked for cell in third.cells] == [False, False, True]
    place.keep(judged(1, version=2))
    assert place.reports.sample(id_of(1)).report.version == 2


def test_a_cell_that_a_person_added_at_the_device_is_among_the_cells_of_the_centre(place: Place) -> None:
    change = Change("cell/3", "missed/4/412/230", "blast")
    step = Step(2, Status.REVIEWED, "Dr. Ada", utc_now(), "", (change,))
    place.keep(picture(1, 1), picture(1, 2), judged(1, version=2, life=Life((step,), 1, 1)))
    sample = place.reports.sample(id_of(1))
    added = sample.cells[-1]
    assert (added.name, added.checked, added.record.is_missed, added.record.field) == ("blast", True, True, 4)
    assert added.record.number == 3
    assert len(sample.cells) == 3


def sent_by_a_device(folder: Path, but: Sequence[int] = ()) -> list[Report | Picture]:
    """What a device that counted a sample sends, without the pictures of some cells."""
    with Outbox.open(folder / "outbox.sqlite") as outbox:
        make_sample(outbox, "S-17")
        entries = [*outbox.list(kind="report"), *outbox.list(kind="cell")]
    said = [judged(0, entry.key.kind, entry.payload) for entry in entries]
    return [one for one in said if not (isinstance(one, Picture) and one.cell in but)]


def test_findings_and_intervals_are_made_anew_at_the_centre_as_the_device_would(place: Place, tmp_path: Path) -> None:
    place.keep(*sent_by_a_device(tmp_path))
    sample = place.reports.sample(str(UUID(int=1)))
    unsure = [number for number, name in sample.names.items() if name == UNSURE]
    draft = Draft(1)
    draft.name(dict.fromkeys(unsure, "blast"))
    after = View(sample, draft).recounted()
    assert after is not None
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        desk = desk_of(outbox, tmp_path, IDENTITY, utc_now)
        made = desk.take(sample.report.id, Decision(Action.REVIEW, "Ada", relabel=dict.fromkeys(unsure, "blast")))
    assert after.findings == made.report.findings != sample.report.findings
    assert after.differential == made.report.differential
    # As sentences, so that each is shown in the language of the person.
    assert Sentence in {type(one.text) for one in sample.findings}
    assert sample.cells[0].record.probabilities == {"segmented": 0.9, "band": 0.1}


def test_where_the_centre_does_not_know_every_cell_what_changes_is_counted_and_no_finding_is_guessed(
    place: Place, tmp_path: Path
) -> None:
    place.keep(*sent_by_a_device(tmp_path, but=(2, 3)))
    sample = place.reports.sample(str(UUID(int=1)))
    assert sample.grounds is None
    draft = Draft(1)
    draft.name({18: "segmented"})
    view = View(sample, draft)
    counted = {one.name: (one.count_before, one.count_after) for one in view.count_lines()}
    assert counted["segmented"] == (6, 7)
    assert counted[UNSURE] == (5, 4)
    assert counted["lymphocyte"] == (4, 4)
    assert view.recounted() is None


@pytest.mark.parametrize("name", ["", "x" * 36, "-" * 36, "0" * 36, str(UUID(int=99))])
def test_a_report_that_is_not_there_is_gone(place: Place, name: str) -> None:
    with pytest.raises(GoneError):
        place.reports.sample(name)
    with pytest.raises(GoneError):
        place.reports.picture(name, 1)


def test_the_worklist_looks_for_what_is_new_in_an_index(tmp_path: Any) -> None:
    settings = SqliteSettings(file=tmp_path / "store.sqlite3")
    place = Place(settings)
    asked: list[str] = []
    place.store.close()
    with closing(sqlite3.connect(settings.file)) as sql:
        databases = Databases(settings.open)
        database: Any = databases.get()
        database._database._sql.set_trace_callback(asked.append)
        CentralReports(databases, place.steps, utc_now).lines_since("")
        databases.close()
        place.databases.close()
        (statement,) = [one for one in asked if one.startswith("SELECT")]
        plan = "; ".join(row[3] for row in sql.execute(f"EXPLAIN QUERY PLAN {statement}"))
    assert "SEARCH report USING" in plan
    assert "SCAN" not in plan


def has_index(settings: PostgresSettings) -> bool:
    with psycopg.connect(settings.conninfo) as sql:
        found = sql.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'report'").fetchall()
    return any(definition.endswith("(received_at, id, version)") for (definition,) in found)


def test_stores_of_each_age_have_the_index(database: PostgresSettings) -> None:
    with psycopg.connect(database.conninfo, autocommit=True) as sql:
        sql.execute(POSTGRES[2].encode())
    assert not has_index(database)
    store = database.open()
    assert has_index(database)
    assert partition(store, utc_now(), lambda told: None)
    store.close()
    assert has_index(database)


def test_a_new_store_has_the_index(database: PostgresSettings) -> None:
    database.open().close()
    assert has_index(database)


def test_the_words_of_the_worklist_are_indexed_at_the_centre_once(database: PostgresSettings) -> None:
    databases = Databases(database.open)
    assert index_words(databases)
    assert index_words(databases)
    made = databases.get().execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'web_worklist'")
    databases.close()
    assert [definition for (definition,) in made if definition.endswith("USING gin (words gin_trgm_ops)")]


def test_a_database_without_trigrams_is_searched_all_the_same(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    if isinstance(place.store, PostgresStore):
        place.databases.get().execute("ALTER TABLE web_worklist RENAME COLUMN words TO other")
    assert not index_words(place.databases)
    assert "searches read the whole worklist" in caplog.text
    assert place.databases.get().execute("SELECT 1") == [(1,)]
