"""The outbox is bounded, and no unsent report is the price of it."""

import pytest

from leukoscope.outbox import audit_trail
from leukoscope.outbox.cell_pictures import keep_pictures, pictures_of
from leukoscope.outbox.entry import CELL, State
from leukoscope.outbox.quota import Quota
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.specimen.census import CellPicture, CellRecord
from tests.messages.examples import IDENTITY, NOW, report

MIB = 2**20
CELLS = [CellRecord(number, 3, "blast", 0.75, (1, 2, 30, 40)) for number in range(1, 31)]
GROUNDS = b'{"judged": "%s"}' % (b"x" * 4000)
PICTURES = [(cell, CellPicture(b"w" * 8000, 60, 70, 0.1)) for cell in CELLS]


def keep(outbox, *numbers, pictures=()):
    keys = []
    for number in numbers:
        keys.append(record(report(number), outbox, IDENTITY, now=lambda: NOW, cells=CELLS, grounds=GROUNDS))
        keep_pictures(report(number), pictures, outbox, IDENTITY, now=lambda: NOW)
    return keys


def rows(outbox, table):
    with outbox.reading() as sql:
        return sql.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_while_there_is_room_nothing_is_deleted(outbox):
    for key in keep(outbox, 1, 2, pictures=PICTURES):
        outbox.mark_sent(key, NOW)
    assert Quota(outbox, 64 * MIB).why_full(NOW) is None
    assert (rows(outbox, "message"), rows(outbox, "cell")) == (62, 60)


def test_pictures_go_first_then_the_oldest_sent_reports_and_what_belongs_to_them(outbox):
    keys = keep(outbox, *range(1, 7), pictures=PICTURES)
    for key in keys[:4]:
        outbox.mark_sent(key, NOW)
    used = outbox.used_bytes()
    assert outbox.free_space(NOW, used // 2, keep_unsigned=False)
    assert outbox.counts(CELL).pending < 180
    assert outbox.counts().sent == 4
    outbox.free_space(NOW, 1, keep_unsigned=False)
    left = {entry.key for entry in outbox.list()}
    assert left == set(keys[4:])
    assert rows(outbox, "cell") == 30 * len(left)
    assert rows(outbox, "grounds") == 1
    with outbox.reading() as sql:
        assert list(audit_trail.entries(sql))[-1].action == "pruned"


def test_unsent_and_refused_reports_are_never_deleted_and_the_next_sample_has_to_wait(outbox):
    keys = keep(outbox, *range(1, 9))
    outbox.mark_refused(keys[0], NOW, "Not authorized")
    room = Quota(outbox, 4096)
    message = room.why_full(NOW)
    assert str(message) == (
        "The outbox is full, 7 reports wait and 1 were refused: connect the broker, or raise storage.outbox_max_mib"
    )
    assert {entry.key for entry in outbox.list()} == set(keys)
    assert room.warning() == "Outbox 100% full, 7 reports wait"
    # What was begun is recorded all the same.
    keep(outbox, 9)
    assert outbox.counts().pending == 8


def test_sent_reports_make_room_again(outbox):
    keys = keep(outbox, *range(1, 9))
    room = Quota(outbox, outbox.used_bytes() - 1, keep_unsigned=False)
    assert room.why_full(NOW)
    for key in keys:
        outbox.mark_sent(key, NOW)
    assert room.why_full(NOW) is None
    assert room.warning() == ""


def test_sent_reports_that_nobody_signed_stay_and_the_technician_reads_why_there_is_no_room(outbox):
    keys = keep(outbox, *range(1, 9))
    room = Quota(outbox, outbox.used_bytes() - 1)
    for key in keys:
        outbox.mark_sent(key, NOW)
    assert str(room.why_full(NOW)) == (
        "The outbox is full, 8 reports were sent and not signed: sign them, raise storage.outbox_max_mib, "
        "or set storage.keep_unsigned = false where nobody signs here"
    )
    assert room.warning() == "Outbox 100% full, 8 sent, those unsigned stay"
    assert rows(outbox, "cell") == 240


def test_room_that_pruning_left_is_used_again(outbox):
    for number in range(1, 6):
        for key in keep(outbox, number, pictures=PICTURES):
            outbox.mark_sent(key, NOW)
        outbox.free_space(NOW, 300 * 1024, keep_unsigned=False)
    pages = outbox._connection.execute("PRAGMA page_count").fetchone()[0]
    assert pages * 4096 < 1024 * 1024


def test_an_outbox_that_cannot_be_read_takes_no_new_sample(outbox):
    room = Quota(outbox, MIB)
    outbox.close()
    assert "cannot be read" in str(room.why_full(NOW))
    assert "cannot be read" in room.warning()


def test_pruning_by_number_takes_cells_and_pictures_along(outbox):
    old, new = keep(outbox, 1, 2, pictures=PICTURES)
    outbox.mark_sent(old, NOW)
    outbox.mark_sent(new, NOW)
    assert outbox.prune(NOW, max_sent=1, keep_unsigned=False) == 1
    assert list(pictures_of(outbox, old.id, 1)) == []
    assert len(list(pictures_of(outbox, new.id, 1))) == 30
    assert rows(outbox, "cell") == 30


def test_pictures_can_be_read_back(outbox):
    (key,) = keep(outbox, 1, pictures=PICTURES)
    first = next(pictures_of(outbox, key.id, 1))
    assert (first.number, first.name, first.webp) == (1, "blast", b"w" * 8000)


@pytest.mark.parametrize("state", [State.PENDING, State.SENT])
def test_pictures_count_as_no_reports(outbox, state):
    keep(outbox, 1, pictures=PICTURES)
    assert len(outbox.list(State.PENDING, "report")) == 1
    assert outbox.counts().pending == 1


def test_the_quota_holds_in_a_new_process_too(tmp_path):
    with Outbox.open(tmp_path / "outbox") as outbox:
        keep(outbox, *range(1, 9))
    with Outbox.open(tmp_path / "outbox") as outbox:
        assert Quota(outbox, 4096).why_full(NOW)
