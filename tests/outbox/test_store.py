"""Nothing that was put in is lost, whatever happens."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from leukoscope.errors import OutboxError
from leukoscope.outbox.entry import Counts, Key, State
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from tests.messages.examples import IDENTITY, NOW, report

WRITER = """
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from leukoscope.outbox.entry import Key
from leukoscope.outbox.store import Outbox
outbox = Outbox.open(Path(sys.argv[1]))
for number in itertools.count():
    key = Key(f"{sys.argv[2]}-{number}", 1, "report")
    outbox.put(key, "report", key.id.encode() * 50, datetime.now(UTC))
    print(key.id, flush=True)
    if number % 3 == 0:
        outbox.mark_sent(key, datetime.now(UTC))
"""


def key(name, version=1):
    return Key(str(name), version, "report")


def put(outbox, *names):
    for name in names:
        outbox.put(key(name), "report", f"payload {name}".encode(), NOW)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "outbox.sqlite3"


@pytest.fixture
def outbox(path):
    with Outbox.open(path) as opened:
        yield opened


def names(entries):
    return [entry.key.id for entry in entries]


def test_what_is_put_in_is_there_after_a_restart(path):
    with Outbox.open(path) as outbox:
        put(outbox, "a", "b")
    with Outbox.open(path) as outbox:
        assert [entry.payload for entry in outbox.pending(10)] == [b"payload a", b"payload b"]


def test_it_writes_through_to_the_disk(outbox):
    assert outbox._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert outbox._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_putting_the_same_report_twice_keeps_the_first(outbox):
    assert outbox.put(key("a"), "report", b"first", NOW)
    assert not outbox.put(key("a"), "report", b"second", NOW)
    assert outbox.put(key("a", version=2), "report", b"corrected", NOW)
    assert [entry.payload for entry in outbox.list()] == [b"first", b"corrected"]


def test_the_oldest_goes_first_and_the_limit_holds(outbox):
    put(outbox, "a", "b", "c")
    assert names(outbox.pending(2)) == ["a", "b"]


def test_a_message_that_is_never_answered_lets_the_others_pass_and_stays(outbox):
    put(outbox, "poison", "b", "c")
    outbox.mark_unanswered([key("poison")], "the connection was lost")
    assert names(outbox.pending(10)) == ["b", "c", "poison"]
    assert outbox.pending(10)[-1].attempts == 1


def test_a_refused_message_is_kept_with_its_reason_and_can_be_tried_again(outbox):
    put(outbox, "a", "b")
    outbox.mark_refused(key("a"), NOW, "Not authorized")
    assert names(outbox.pending(10)) == ["b"]
    (refused,) = outbox.list(State.REFUSED)
    assert (refused.key, refused.note) == (key("a"), "Not authorized")
    assert outbox.retry(key("b")) == 0
    assert outbox.retry() == 1
    assert names(outbox.pending(10)) == ["a", "b"]


def test_counts_tell_the_states_apart(outbox):
    put(outbox, "a", "b", "c", "d")
    outbox.mark_sent(key("a"), NOW)
    outbox.mark_refused(key("b"), NOW, "too large")
    assert outbox.counts() == Counts(pending=2, sent=1, refused=1)


def test_what_was_acknowledged_together_is_marked_in_one_write_to_the_disk(outbox):
    put(outbox, "a", "b", "c")
    written: list[str] = []
    with outbox.reading() as sql:
        sql.set_trace_callback(written.append)
    outbox.mark_all_sent({key("a"): "", key("b"): "nobody was there"}, NOW)
    with outbox.reading() as sql:
        sql.set_trace_callback(None)
    assert written.count("COMMIT") == 1
    assert [(entry.state, entry.note) for entry in outbox.list()] == [
        (State.SENT, ""),
        (State.SENT, "nobody was there"),
        (State.PENDING, ""),
    ]


def put_signed(outbox, *names):
    for name in names:
        for version, status in enumerate(("preliminary", "reviewed", "final"), start=1):
            content = json.dumps({"lifecycle": {"status": status}}).encode()
            outbox.put(key(name, version), "report", content, NOW)


def mark_sent(outbox, *names, at=NOW):
    outbox.mark_all_sent({key(name, version): "" for name in names for version in (1, 2, 3)}, at)


@pytest.mark.parametrize("off", [timedelta(days=-999), timedelta(days=999)], ids=["behind", "ahead"])
def test_no_clock_prunes_anything_whether_it_was_wrong_then_or_is_now(outbox, off):
    put_signed(outbox, "signed", "other")
    put(outbox, "unsigned")
    mark_sent(outbox, "signed", at=NOW + off)
    outbox.mark_sent(key("unsigned"), NOW + off)
    mark_sent(outbox, "other")
    for now in (NOW, NOW + off, NOW - off):
        assert outbox.prune(now, max_sent=100) == 0
    assert len(outbox.list()) == 7


def test_pruning_by_number_deletes_the_oldest_signed_reports_in_all_their_versions(outbox):
    put_signed(outbox, *range(4))
    mark_sent(outbox, *range(4))
    assert outbox.prune(NOW, max_sent=5) == 6
    assert names(outbox.list()) == ["2"] * 3 + ["3"] * 3


def test_what_no_person_has_signed_is_not_pruned_unless_the_site_says_so(outbox):
    put(outbox, *range(6))
    outbox.put(key("reviewed", 2), "report", b'{"lifecycle": {"status": "reviewed"}}', NOW)
    outbox.put(key("damaged", 2), "report", b'{"lifecycle": {"status": "final', NOW)
    outbox.mark_all_sent(dict.fromkeys((entry.key for entry in outbox.list()), ""), NOW)
    assert outbox.prune(NOW, max_sent=2) == 0
    assert outbox.prune(NOW, max_sent=2, keep_unsigned=False) == 6
    assert names(outbox.list()) == ["reviewed", "damaged"]


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("state", ["pending", "refused", "doubted"])
def test_a_report_of_which_the_receiver_lacks_a_version_is_not_pruned(outbox, state, version):
    put_signed(outbox, "a", "b")
    others = {key("a", other): "" for other in (1, 2, 3) if state == "doubted" or other != version}
    outbox.mark_all_sent(others, NOW)
    mark_sent(outbox, "b")
    if state == "refused":
        outbox.mark_refused(key("a", version), NOW, "Not authorized")
    if state == "doubted":
        outbox.redeliver([key("a", version)])
    for keep_unsigned in (True, False):
        assert outbox.prune(NOW, max_sent=3, keep_unsigned=keep_unsigned) == 0
    assert len(outbox.list()) == 6


def test_a_pruned_place_in_the_order_is_not_given_again(outbox):
    put_signed(outbox, "a")
    mark_sent(outbox, "a")
    assert outbox.prune(NOW, max_sent=0) == 3
    put(outbox, "b", "c")
    assert names(outbox.pending(10)) == ["b", "c"]


def test_the_counters_go_on_after_a_restart(path):
    with Outbox.open(path) as outbox:
        assert [outbox.next_sequence(), outbox.next_sequence()] == [1, 2]
        session = outbox.next_session(NOW)
    with Outbox.open(path) as outbox:
        assert outbox.next_sequence() == 3
        assert outbox.next_session(NOW) == session + 1


def test_the_session_number_rises_even_when_the_clock_falls_back(outbox):
    session = outbox.next_session(NOW)
    assert outbox.next_session(NOW - timedelta(days=3000)) == session + 1
    assert outbox.next_session(NOW, above=session + 1000) == session + 1001


def test_a_new_outbox_starts_above_the_sessions_of_a_lost_one(tmp_path):
    with Outbox.open(tmp_path / "lost") as outbox:
        lost = outbox.next_session(NOW)
    with Outbox.open(tmp_path / "new") as outbox:
        assert outbox.next_session(NOW + timedelta(hours=1)) > lost


@pytest.mark.parametrize("damage", ["garbage", "overwritten", "cut"])
def test_a_corrupt_file_is_set_aside_and_told(path, damage):
    with Outbox.open(path) as outbox:
        for number in range(40):
            outbox.put(key(number), "report", b"x" * 1000, NOW)
    content = path.read_bytes()
    damaged = {
        "garbage": b"this is not a database" * 1000,
        "overwritten": content[:5000] + random.Random(1).randbytes(20_000) + content[25_000:],
        "cut": content[: len(content) // 2],
    }[damage]
    path.write_bytes(damaged)
    with Outbox.open(path) as outbox:
        assert outbox.quarantined == path.with_name("outbox.sqlite3.corrupt-1")
        assert outbox.quarantined.read_bytes() == damaged
        put(outbox, "new")
        assert names(outbox.list()) == ["new"]
    path.write_bytes(b"again" * 1000)
    with Outbox.open(path) as outbox:
        assert outbox.quarantined.name == "outbox.sqlite3.corrupt-2"


def test_a_sound_file_is_never_set_aside(path):
    for _ in range(3):
        with Outbox.open(path) as outbox:
            assert outbox.quarantined is None
    assert [file.name for file in path.parent.iterdir()] == ["outbox.sqlite3"]


def test_a_looker_on_neither_makes_an_outbox_nor_moves_a_corrupt_one(path):
    with pytest.raises(OutboxError, match="no outbox at"):
        Outbox.open(path, owner=False)
    assert not path.exists()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database" * 1000)
    with pytest.raises(OutboxError, match="corrupt"):
        Outbox.open(path, owner=False)
    assert path.exists()


def test_an_outbox_of_a_newer_leukoscope_is_left_alone(path):
    Outbox.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OutboxError, match="layout 99"):
        Outbox.open(path)
    assert [file.name for file in path.parent.iterdir()] == ["outbox.sqlite3"]


def test_another_programs_database_is_left_alone(path):
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE message (text)")
    connection.close()
    with pytest.raises(OutboxError, match="another program"):
        Outbox.open(path)


def test_a_locked_outbox_is_an_error_and_not_a_corrupt_one(path, monkeypatch):
    Outbox.open(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    monkeypatch.setattr("leukoscope.outbox.database_file._BUSY_S", 0.05)
    with Outbox.open(path) as outbox:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutboxError, match="database is locked: another program holds it: wait until it has ended"):
            put(outbox, "a")
        holder.execute("COMMIT")
        put(outbox, "a")
    holder.close()


def test_a_read_only_disk_is_told_with_what_to_do_about_it(outbox):
    with outbox.reading() as sql:
        sql.execute("PRAGMA query_only = ON")
    with pytest.raises(OutboxError, match="is read-only: make it writable for the user the device runs as"):
        put(outbox, "a")


def test_a_full_disk_is_an_outbox_error_and_what_was_there_stays(outbox):
    put(outbox, "a")
    pages = outbox._connection.execute("PRAGMA page_count").fetchone()[0]
    outbox._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxError, match="disk"):
        outbox.put(key("b"), "report", b"x" * 100_000, NOW)
    assert names(outbox.list()) == ["a"]


def test_a_folder_that_cannot_be_written_is_an_outbox_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match="cannot be opened"):
        Outbox.open(tmp_path / "file" / "outbox.sqlite3")


def test_several_threads_put_and_settle_at_once_and_nothing_is_lost(outbox):
    def write(writer):
        for number in range(20):
            put(outbox, f"{writer}-{number}")
            if number % 2:
                outbox.mark_sent(key(f"{writer}-{number}"), NOW)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.counts() == Counts(pending=40, sent=40, refused=0)


def test_another_process_looks_in_while_reports_are_written(outbox, path):
    put(outbox, "a")
    look = (
        "import sys; from pathlib import Path; from leukoscope.outbox.store import Outbox\n"
        "o = Outbox.open(Path(sys.argv[1]), owner=False)\n"
        "print(len(o.list()), o.retry())"
    )
    outbox.mark_refused(key("a"), NOW, "Not authorized")
    done = subprocess.run([sys.executable, "-c", look, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]
    assert names(outbox.pending(1)) == ["a"]


def test_every_put_that_returned_survives_kill_9(path):
    rng = random.Random(20260304)
    promised = set()
    for life in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path, str(life)], stdout=subprocess.PIPE, text=True)
        first = writer.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.25))
        writer.send_signal(signal.SIGKILL)
        promised |= {line.strip() for line in [first, *(writer.stdout or ())] if line.endswith("\n")}
        writer.stdout.close()
        writer.wait()
        with Outbox.open(path) as outbox:
            assert outbox.quarantined is None
            stored = {entry.key.id: entry.payload for entry in outbox.list()}
        assert promised <= stored.keys()
        assert all(payload == name.encode() * 50 for name, payload in stored.items())
    assert len(promised) > 20


def test_no_point_of_a_power_cut_loses_a_put_that_returned(tmp_path, path):
    """What is written after a put returned may be cut off anywhere, or be rubbish."""
    rng = random.Random(7)
    wal = path.with_name("outbox.sqlite3-wal")
    with Outbox.open(path) as outbox:
        safe = [wal.stat().st_size]
        for number in range(8):
            put(outbox, number)
            safe.append(wal.stat().st_size)
        content, log = path.read_bytes(), wal.read_bytes()
    assert safe == sorted(set(safe)), "the log must grow with every put for this test to say anything"
    for puts, (start, end) in enumerate(zip(safe, [*safe[1:], safe[-1]], strict=True)):
        for tail in (b"", log[start : rng.randint(start, end)], rng.randbytes(3000)):
            crashed = tmp_path / "crashed"
            crashed.mkdir()
            (crashed / path.name).write_bytes(content)
            (crashed / wal.name).write_bytes(log[:start] + tail)
            with Outbox.open(crashed / path.name) as outbox:
                assert names(outbox.list())[:puts] == [str(number) for number in range(puts)]
                assert outbox.quarantined is None
            shutil.rmtree(crashed)


def test_a_recorded_report_is_in_the_outbox_and_recording_again_changes_nothing(outbox):
    first = record(report(5), outbox, IDENTITY, now=lambda: NOW)
    record(report(5, platelets=1), outbox, IDENTITY, now=lambda: NOW)
    (entry,) = outbox.list()
    assert entry.key == first == Key(report(5).id, 1, "report")
    assert b'"platelets":{"counted":700}' in entry.payload
    assert Path(entry.topic) == Path("report")
