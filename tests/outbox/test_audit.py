"""The trail of what was done cannot be changed unseen."""

import json
import sqlite3

import pytest

from leukoscope.errors import OutboxError
from leukoscope.outbox import audit_trail
from leukoscope.outbox.entry import Key
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.verification import faults
from tests.messages.examples import IDENTITY, NOW, report


def keep(outbox, *numbers):
    return [record(report(number), outbox, IDENTITY, now=lambda: NOW) for number in numbers]


def faults_of(outbox):
    with outbox.reading() as sql:
        return list(faults(sql))


def entries_of(outbox):
    with outbox.reading() as sql:
        return list(audit_trail.entries(sql))


def tamper(outbox, *statements):
    """As a person with the file and SQLite may do."""
    for statement in statements:
        outbox._connection.execute(statement)


UNLOCK = "DROP TRIGGER audit_is_not_changed", "DROP TRIGGER audit_is_not_deleted"


def test_a_recorded_report_is_witnessed_with_the_hash_of_its_bytes(outbox):
    keep(outbox, 1, 2)
    first, second = entries_of(outbox)
    assert (first.number, first.action, first.by) == (1, "recorded", "ward-3/scope-1")
    assert second.subject == f"report {report(2).id} v1"
    assert faults_of(outbox) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET by = 'somebody else'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit VALUES (1, '', 'somebody else', '', '', '{}', '')",
    ],
)
def test_the_database_refuses_to_change_the_trail(outbox, statement):
    keep(outbox, 1, 2)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        outbox._connection.execute(statement)
    assert faults_of(outbox) == []


@pytest.mark.parametrize("column", ["at", "by", "action", "subject", "details", "hash"])
def test_a_changed_entry_is_found_whatever_was_changed(outbox, column):
    keep(outbox, 1, 2, 3)
    tamper(outbox, *UNLOCK, f"UPDATE audit SET {column} = '{{}}' WHERE number = 2")
    assert any("entry 2" in fault and "was changed" in fault for fault in faults_of(outbox))
    assert any("lock audit_is_not_changed was taken off" in fault for fault in faults_of(outbox))


def test_a_lock_that_was_made_weaker_is_found(outbox):
    keep(outbox, 1)
    weaker = "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT 1; END"
    tamper(outbox, "DROP TRIGGER audit_is_not_deleted", weaker)
    assert faults_of(outbox) == ["the lock audit_is_not_deleted was taken off the trail"]


def test_an_entry_taken_out_is_found(outbox):
    keep(outbox, 1, 2, 3)
    tamper(outbox, *UNLOCK, "DELETE FROM audit WHERE number = 2")
    assert "expected entry 2, found 3: entries were taken out" in faults_of(outbox)


def test_a_cut_end_is_found_by_the_reports_that_stand_without_witness(outbox):
    keep(outbox, 1, 2, 3)
    tamper(outbox, *UNLOCK, "DELETE FROM audit WHERE number = 3")
    assert any(f"report {report(3).id} v1 is in no entry" in fault for fault in faults_of(outbox))


def test_a_trail_that_was_written_anew_is_found_by_what_the_reports_say_about_it(outbox):
    keep(outbox, 1, 2)
    before = entries_of(outbox)
    tamper(outbox, *UNLOCK, "DELETE FROM audit")
    with outbox.writing() as sql:
        for entry in before:
            audit_trail.append(
                sql, at=NOW, by="a liar", action=entry.action, subject=entry.subject, details=entry.details
            )
    assert any("the trail was rewritten" in fault for fault in faults_of(outbox))


def test_a_report_whose_bytes_were_changed_is_found(outbox):
    keep(outbox, 1)
    tamper(outbox, "UPDATE message SET payload = CAST(replace(payload, ':100', ':101') AS BLOB)")
    assert any("its bytes were changed" in fault for fault in faults_of(outbox))


def test_a_report_that_was_slipped_in_is_found(outbox):
    outbox.put(Key(report(9).id, 1, "report"), "report", b'{"envelope":{}}', NOW)
    assert any("is in no entry of the trail" in fault for fault in faults_of(outbox))


def test_what_cannot_be_witnessed_is_not_done(outbox):
    tamper(outbox, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(OutboxError, match="disk full"):
        keep(outbox, 1)
    assert outbox.list() == ()


def test_a_report_carries_how_far_the_trail_had_come(outbox):
    first, second = keep(outbox, 1, 2)
    envelopes = [json.loads(outbox.get(key).payload)["envelope"] for key in (first, second)]
    assert envelopes[0]["trail"] == {"entries": 0, "hash": "0" * 64}
    assert envelopes[1]["trail"] == {"entries": 1, "hash": entries_of(outbox)[0].hash}


def test_the_chain_can_be_computed_by_others(outbox):
    """As documented: SHA-256 over the predecessor's hash and the entry as canonical JSON."""
    import hashlib

    keep(outbox, 1)
    (row,) = outbox._connection.execute("SELECT number, at, by, action, subject, details, hash FROM audit").fetchall()
    text = json.dumps(list(row[:-1]), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(("0" * 64 + text).encode()).hexdigest() == row[-1]


def test_recording_twice_is_witnessed_once(outbox):
    keep(outbox, 1, 1)
    assert len(entries_of(outbox)) == 1


def test_pruning_is_witnessed_and_what_is_left_still_agrees(outbox):
    first, _ = keep(outbox, 1, 2)
    outbox.mark_sent(first, NOW)
    assert outbox.prune(NOW, max_sent=0, keep_unsigned=False) == 1
    assert [entry.action for entry in entries_of(outbox)] == ["recorded", "recorded", "pruned"]
    assert faults_of(outbox) == []


def test_the_trail_outlives_the_program(tmp_path):
    with Outbox.open(tmp_path / "outbox") as outbox:
        keep(outbox, 1)
    with Outbox.open(tmp_path / "outbox") as outbox:
        keep(outbox, 2)
        assert [entry.number for entry in entries_of(outbox)] == [1, 2]
        assert faults_of(outbox) == []
