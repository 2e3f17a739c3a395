"""Outbox files of earlier versions are brought up to date, with a copy of what they were."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from leukoscope.errors import OutboxError
from leukoscope.messages.report import decode
from leukoscope.outbox import audit_trail, migrations
from leukoscope.outbox.entry import Counts, State
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.verification import faults
from tests.messages.examples import IDENTITY, NOW, before_sizes, report

FIRST = Path(__file__).parent / "old" / "outbox-layout-1.sqlite"
"""Written by the software of layout 1: four reports, of which one was sent, one refused, one tried once."""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "outbox.sqlite"
    shutil.copyfile(FIRST, path)
    return path


def schema_of(path):
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            "SELECT type, name, ifnull(sql, '') FROM sqlite_schema ORDER BY type, name"
        ).fetchall()
        return [(kind, name, "".join(sql.split())) for kind, name, sql in rows]
    finally:
        connection.close()


def test_an_old_file_loses_nothing(path):
    with Outbox.open(path) as outbox:
        assert outbox.counts() == Counts(pending=2, sent=1, refused=1)
        assert [entry.key.id for entry in outbox.list()] == [report(number).id for number in range(1, 5)]
        assert [entry.attempts for entry in outbox.pending(9)] == [0, 1]
        assert outbox.list(State.REFUSED)[0].note == "the broker refused it: Not authorized"
        assert outbox.next_sequence() == 5
        assert outbox.next_session(NOW) == int(NOW.timestamp()) + 1


def test_old_reports_get_the_fields_that_readers_ask_for_and_keep_the_rest(path):
    with Outbox.open(path) as outbox:
        assert [decode(entry.payload) for entry in outbox.list()] == [before_sizes(number) for number in range(1, 5)]


def test_the_file_as_it_was_is_kept_beside_it(path):
    Outbox.open(path).close()
    copy = path.with_name("outbox.sqlite.layout-1")
    connections = [sqlite3.connect(one) for one in (FIRST, copy)]
    assert list(connections[0].iterdump()) == list(connections[1].iterdump())
    assert connections[1].execute("PRAGMA user_version").fetchone() == (1,)
    for connection in connections:
        connection.close()


def test_a_second_start_leaves_the_copy_alone(path):
    Outbox.open(path).close()
    copy = path.with_name("outbox.sqlite.layout-1")
    before = hashlib.sha256(copy.read_bytes()).hexdigest()
    with Outbox.open(path) as outbox:
        record(report(9), outbox, IDENTITY, now=lambda: NOW)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == before


def test_an_old_file_ends_with_the_same_tables_as_a_new_one(path, tmp_path):
    Outbox.open(path).close()
    Outbox.open(tmp_path / "new.sqlite").close()
    assert schema_of(path) == schema_of(tmp_path / "new.sqlite")


def test_the_trail_begins_with_what_was_there(path):
    with Outbox.open(path) as outbox, outbox.reading() as sql:
        assert list(faults(sql)) == []


def test_the_files_of_old_reports_are_still_what_was_recorded(path, tmp_path):
    with closing(sqlite3.connect(path)) as before:
        old = before.execute("SELECT id, version, payload FROM message WHERE kind = 'report'").fetchall()
    for identifier, version, payload in old:
        (tmp_path / f"report-{identifier}-v{version}.json").write_bytes(payload)
    with Outbox.open(path) as outbox, outbox.reading() as sql:
        assert list(faults(sql, tmp_path)) == []
        (first, *_) = tmp_path.glob("report-*.json")
        first.write_bytes(first.read_bytes()[:-1] + b" ")
        assert list(faults(sql, tmp_path)) == [
            f"{first} is not the report that was recorded: its bytes were changed or damaged"
        ]


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    *before, last = migrations.STEPS

    def fails(sql):
        last(sql)
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(migrations, "STEPS", (*before, fails))
        with pytest.raises(OutboxError, match="disk is full"):
            Outbox.open(path)
    assert schema_of(path) == schema_of(FIRST)
    with Outbox.open(path) as outbox:
        assert outbox.counts().pending == 2


def test_a_reader_does_not_renew_it(path):
    with pytest.raises(OutboxError, match="start the instrument once"):
        Outbox.open(path, owner=False)
    assert schema_of(path) == schema_of(FIRST)


def test_bytes_that_are_no_report_stay_as_they_are(path):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE message SET payload = x'ff00' WHERE seq = 1")
    connection.commit()
    connection.close()
    with Outbox.open(path) as outbox:
        assert outbox.list()[0].payload == b"\xff\x00"


def test_a_file_that_was_emptied_is_not_called_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.touch()
    with pytest.raises(OutboxError, match="holds nothing, as one that was emptied"):
        Outbox.open(path, owner=False)


@pytest.mark.parametrize("witnessed", [True, False])
def test_a_report_of_the_second_layout_that_lacks_later_fields_gets_them_and_the_trail_says_so(
    tmp_path: Path, witnessed: bool
) -> None:
    """Software between two releases kept such reports; they could be listed and reviewed no more."""
    path = tmp_path / "outbox.sqlite"
    with Outbox.open(path) as outbox:
        key = record(report(1), outbox, IDENTITY, now=lambda: NOW)
        record(report(2), outbox, IDENTITY, now=lambda: NOW)
        whole = [entry.payload for entry in outbox.list()]
        message = json.loads(whole[0])
        del message["red_cells"]["diameters_um"], message["fields"]["patches"]
        kept = json.dumps(message).replace(": ", ":").encode()
        with outbox.writing() as sql:
            sql.execute("UPDATE message SET payload = ? WHERE id = ?", (kept, key.id))
            if witnessed:
                digest = {"sha256": hashlib.sha256(kept).hexdigest()}
                audit_trail.append(sql, at=NOW, by="leukoscope", action="recorded", subject=str(key), details=digest)
            sql.execute("PRAGMA user_version = 7")
    with Outbox.open(path) as outbox:
        old, other = outbox.list()
        assert other.payload == whole[1]
        with outbox.reading() as sql:
            actions, wrong = [entry.action for entry in audit_trail.entries(sql)], list(faults(sql))
        if witnessed:
            assert decode(old.payload).red_cells.diameters_um is None
            assert (actions, wrong) == (["recorded"] * 3 + ["migrated"], [])
        else:
            # What was changed past the device stays as it was found.
            assert old.payload == kept
            assert (actions, len(wrong)) == (["recorded"] * 2, 1)
