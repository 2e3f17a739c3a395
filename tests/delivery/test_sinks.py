"""The ways of delivering that need no network, and the choice between them."""

import errno
import os
from pathlib import Path
from random import Random

import pytest
from pydantic import TypeAdapter, ValidationError

from leukoscope.delivery import FolderSettings, MqttSettings, NoDeliverySettings, ReportingSettings
from leukoscope.errors import InvalidMessage
from leukoscope.messages.report import decode
from leukoscope.outbox.entry import Counts, Key, State
from leukoscope.outbox.record_report import record
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.system.durable_files import unfinished_name
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, NOW, report

KEY = Key("00000000-0000-4000-8000-000000000001", 1, "report")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "finished" / "reports"


def open_sink(settings, outbox):
    sink = settings.open(outbox, IDENTITY, now=clock, rng=Random(1))
    sink.start()
    return sink


def test_without_a_receiver_results_stay_in_the_outbox_and_nothing_is_wrong(outbox):
    record(report(1), outbox, IDENTITY, now=clock)
    sink = open_sink(NoDeliverySettings(), outbox)
    record(report(2), outbox, IDENTITY, now=clock)
    sink.wake()
    assert sink.flush(0)
    sink.stop()
    assert (sink.state.pending, sink.state.connected, sink.state.last_error) == (2, False, None)
    assert sink.state.destination == "kept in outbox.sqlite3"


def test_reports_kept_without_a_receiver_are_delivered_once_there_is_one(outbox, folder):
    record(report(1), outbox, IDENTITY, now=clock)
    open_sink(NoDeliverySettings(), outbox).stop()
    open_sink(FolderSettings(folder=folder), outbox)
    assert outbox.counts() == Counts(pending=0, sent=1, refused=0)


def test_a_report_becomes_one_whole_file_and_is_marked_sent(outbox, folder):
    sink = open_sink(FolderSettings(folder=folder), outbox)
    key = record(report(1), outbox, IDENTITY, now=clock)
    sink.wake()
    (file,) = folder.iterdir()
    assert file.name == f"report-{key.id}-v1.json"
    assert decode(file.read_bytes()) == report(1)
    assert (sink.state.sent, sink.state.pending, sink.state.connected) == (1, 0, True)


def test_the_file_is_on_the_disk_before_it_has_its_name(folder, monkeypatch):
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (seen.append(sorted(folder.iterdir())), fsync(number)))
    path = ReportFiles(folder).write(KEY, b"{}")
    assert seen == [[unfinished_name(path)], [path]]


def test_a_write_that_failed_leaves_no_report_and_the_next_one_succeeds(outbox, folder, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sink = open_sink(FolderSettings(folder=folder), outbox)
    record(report(1), outbox, IDENTITY, now=clock)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        assert not sink.flush(0)
    assert list(folder.glob("*.json")) == []
    assert "No space left" in sink.state.last_error
    assert (sink.state.connected, sink.state.pending) == (False, 1)
    assert sink.flush(0)
    assert (sink.state.last_error, sink.state.sent) == (None, 1)


def test_a_file_that_is_there_is_written_once(folder):
    journal = ReportFiles(folder)
    was = journal.write(KEY, b"first").stat().st_ino
    assert journal.write(KEY, b"first").stat().st_ino == was


@pytest.mark.parametrize("planted", ["file", "folder", "link", "dangling"])
def test_what_was_put_in_a_reports_place_is_set_aside(folder, planted):
    journal = ReportFiles(folder)
    path = journal.path_of(KEY)
    folder.mkdir(parents=True)
    (folder / "elsewhere").write_bytes(b"other")
    if planted == "folder":
        path.mkdir()
    elif planted == "file":
        path.write_bytes(b"other")
    else:
        path.symlink_to(folder / ("elsewhere" if planted == "link" else "nowhere"))
    assert journal.write(KEY, b"ours").read_bytes() == b"ours"
    assert not path.is_symlink()
    assert [one.name for one in folder.glob("*.set-aside-1")] == [f"{path.name}.set-aside-1"]
    assert (folder / "elsewhere").read_bytes() == b"other"


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".", "a\n"])
def test_a_key_that_would_leave_the_folder_is_refused_and_kept(outbox, folder, name):
    with pytest.raises(InvalidMessage, match="name a file"):
        ReportFiles(folder).write(Key(name, 1, "report"), b"{}")
    outbox.put(Key(name, 1, "report"), "report", b"{}", NOW)
    record(report(1), outbox, IDENTITY, now=clock)
    sink = open_sink(FolderSettings(folder=folder), outbox)
    assert outbox.counts() == Counts(pending=0, sent=1, refused=1)
    assert "name a file" in outbox.list(State.REFUSED)[0].note
    assert sink.state.refused == 1


def test_a_failing_outbox_is_told_by_every_sink(outbox, folder):
    sinks = [open_sink(settings, outbox) for settings in (NoDeliverySettings(), FolderSettings(folder=folder))]
    outbox.close()
    for sink in sinks:
        sink.wake()
        assert "outbox" in sink.state.last_error


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ({"driver": "mqtt", "host": "b"}, MqttSettings),
        ({"driver": "folder", "folder": "reports"}, FolderSettings),
        ({"driver": "none"}, NoDeliverySettings),
    ],
)
def test_the_driver_names_the_sink(text, kind):
    settings = TypeAdapter(ReportingSettings).validate_python(text)
    assert isinstance(settings, kind)


@pytest.mark.parametrize("text", [{"driver": "smtp"}, {"host": "b"}, {"driver": "none", "host": "b"}])
def test_an_unknown_driver_or_a_setting_of_another_one_is_refused(text):
    with pytest.raises(ValidationError):
        TypeAdapter(ReportingSettings).validate_python(text)


def test_the_folder_is_a_path():
    assert FolderSettings.model_validate({"folder": "reports"}).folder == Path("reports")
