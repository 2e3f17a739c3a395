"""When the outbox is corrupt, what stands beside it as files is sent again."""

import dataclasses
import json
import os

import pytest

from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.report import decode, encode
from leukoscope.outbox import audit_trail
from leukoscope.outbox.entry import Counts, Key
from leukoscope.outbox.record_report import record
from leukoscope.outbox.recovery import GONE, lost_outbox, restore
from leukoscope.outbox.report_copies import recorded_versions
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.verification import faults
from leukoscope.specimen.lifecycle import Life, Status, Step
from leukoscope.specimen.sample import RedCells
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, NOW, before_sizes, report
from tests.outbox.test_migrations import FIRST


@pytest.fixture
def lost(tmp_path):
    """A bench whose outbox of three reports was overwritten, and the folder of its files."""
    path, folder = tmp_path / "outbox.sqlite", tmp_path / "reports"
    with Outbox.open(path) as outbox:
        for number in (1, 2, 3):
            key = record(report(number), outbox, IDENTITY, now=clock)
            ReportFiles(folder).write(key, outbox.get(key).payload)
    path.write_bytes(b"not a database any more" * 500)
    return path, folder


def restored(outbox, folder):
    lost = lost_outbox(outbox, folder)
    assert lost is not None
    return restore(outbox, folder, clock(), lost=lost, identity=IDENTITY)


def test_every_report_is_sent_once_more_and_the_numbers_go_on(lost):
    path, folder = lost
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder) == 3
        assert outbox.counts() == Counts(pending=3, sent=0, refused=0)
        assert [decode(entry.payload) for entry in outbox.list()] == [report(1), report(2), report(3)]
        assert outbox.next_sequence() > 3


def test_the_new_trail_says_that_it_began_anew_and_is_whole(lost):
    path, folder = lost
    with Outbox.open(path) as outbox:
        restored(outbox, folder)
        with outbox.reading() as sql:
            first, *rest = audit_trail.entries(sql)
            assert (first.action, first.details) == ("began anew", {"lost": "outbox.sqlite.corrupt-1"})
            assert [entry.action for entry in rest] == ["restored"] * 3
            assert list(faults(sql)) == []


def test_it_is_done_once_for_each_corrupt_file(lost):
    path, folder = lost
    with Outbox.open(path) as outbox:
        assert lost_outbox(outbox, folder) == outbox.quarantined.name
        restored(outbox, folder)
        assert lost_outbox(outbox, folder) is None
    path.write_bytes(b"corrupt once more" * 500)
    with Outbox.open(path) as outbox:
        assert lost_outbox(outbox, folder) == "outbox.sqlite.corrupt-2"


def test_a_start_that_was_cut_short_after_the_damage_was_found_loses_nothing(lost):
    path, folder = lost
    Outbox.open(path).close()
    with Outbox.open(path) as outbox:
        assert outbox.quarantined is None
        assert restored(outbox, folder) == 3


def test_a_sound_outbox_has_lost_nothing(tmp_path):
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        assert lost_outbox(outbox, tmp_path / "reports") is None


def test_other_files_stay_where_they_are(lost, caplog):
    path, folder = lost
    (folder / "report-notes.json").write_text("{}")
    (folder / f"report-{report(8).id}-v1.json").write_text("half a rep")
    (folder / f"report-{report(9).id}-v1.json").write_bytes((folder / f"report-{report(1).id}-v1.json").read_bytes())
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder) == 3
    assert caplog.text.count("is not sent again") == 2


@pytest.mark.parametrize("written_at", [0, 2**32], ids=["1970", "2106"])
def test_a_file_that_a_wrong_clock_dated_is_sent_again(lost, written_at):
    path, folder = lost
    for file in folder.iterdir():
        os.utime(file, (written_at, written_at))
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder) == 3


def test_of_too_many_reports_the_last_are_sent_and_the_others_vouched_for(lost):
    path, folder = lost
    with Outbox.open(path) as outbox:
        gone = lost_outbox(outbox, folder)
        assert gone is not None
        assert restore(outbox, folder, clock(), lost=gone, identity=IDENTITY, most=2) == 2
        assert [decode(entry.payload) for entry in outbox.list()] == [report(2), report(3)]
        with outbox.reading() as sql:
            assert list(faults(sql, folder)) == []
            assert recorded_versions(sql) == {report(number).id: 1 for number in (1, 2, 3)}


def test_a_deleted_outbox_beside_reports_is_no_new_one(lost):
    path, folder = lost
    path.unlink()
    with Outbox.open(path) as outbox:
        assert lost_outbox(outbox, folder) == GONE
        # The power may go before anything else is done.
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder) == 3
        assert lost_outbox(outbox, folder) is None
        with outbox.reading() as sql:
            first, *_ = audit_trail.entries(sql)
    assert (first.action, first.details) == ("began anew", {"lost": GONE})


def test_an_emptied_outbox_beside_reports_is_no_new_one_either(lost):
    path, folder = lost
    path.write_bytes(b"")
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder) == 3


def test_files_of_an_older_version_are_understood(tmp_path):
    with Outbox.open(tmp_path / "old") as outbox:
        outbox.close()
    import sqlite3

    connection = sqlite3.connect(FIRST)
    (payload,) = connection.execute("SELECT payload FROM message WHERE seq = 1").fetchone()
    connection.close()
    assert "lifecycle" not in json.loads(payload)
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / f"report-{report(1).id}-v1.json").write_bytes(payload)
    with Outbox.open(tmp_path / "new") as outbox:
        assert restore(outbox, folder, clock(), lost="x", identity=IDENTITY) == 1
        assert decode(outbox.list()[0].payload) == before_sizes(1)


def test_without_a_folder_there_is_nothing_to_send(lost):
    path, folder = lost
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder / "nowhere") == 0


def test_a_report_that_was_signed_is_still_signed_afterwards(tmp_path):
    life = Life((Step(2, Status.FINAL, "A. Technician", NOW, "", ()),), cells_checked=100)
    signed = report(1, version=2, life=life, red_cells=RedCells(9000, 7.2, 0.11, 0.05, measured=8500))
    folder = tmp_path / "reports"
    payload = to_bytes(encode(signed, boot_id="b", sequence=3, sent_clock=NOW))
    ReportFiles(folder).write(Key(signed.id, 2, "report"), payload)
    with Outbox.open(tmp_path / "new") as outbox:
        assert restore(outbox, folder, clock(), lost="x", identity=IDENTITY) == 1
        assert decode(outbox.list()[0].payload) == signed


def test_a_report_of_another_device_is_not_sent_again_as_ours(lost, caplog):
    path, folder = lost
    other = report(9, provenance=dataclasses.replace(report(9).provenance, device="scope-9"))
    file = folder / f"report-{other.id}-v1.json"
    file.write_bytes(to_bytes(encode(other, boot_id="b", sequence=9, sent_clock=NOW)))
    with Outbox.open(path) as outbox:
        assert restored(outbox, folder) == 3
        with outbox.reading() as sql:
            assert other.id not in recorded_versions(sql)
    assert f"the report {file} is not sent again: scope-9 at" in caplog.text
