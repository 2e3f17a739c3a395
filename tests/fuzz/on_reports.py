"""What comes over the network or lies in the outbox."""

import functools
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from leukoscope.messages.json_format import from_bytes, to_bytes, validate
from leukoscope.messages.report import decode, encode
from leukoscope.messages.status import birth, health, last_will, session_of
from leukoscope.outbox.entry import Key
from leukoscope.outbox.store import Outbox
from tests.fuzz.target import Target, of_bytes, of_json
from tests.messages.examples import IDENTITY, NOW, report


@functools.cache
def _reports() -> Sequence[bytes]:
    return [to_bytes(encode(report(number), boot_id="boot-1", sequence=7, sent_clock=NOW)) for number in (1, 2)]


def _read_report(content: bytes, folder: Path) -> None:
    message = from_bytes(content)
    validate(message)
    decode(message)


@functools.cache
def _statuses() -> Sequence[bytes]:
    figures = {"reports": {"pending": 1}, "measurements": {"load_1min": 0.5, "cpu_temperature_c": None}}
    return [
        to_bytes(birth(IDENTITY, session=7, at=NOW)),
        to_bytes(last_will(IDENTITY, session=7)),
        to_bytes(health(IDENTITY, at=NOW, uptime_s=3.5, faults=["none"], **figures)),  # type: ignore[arg-type]
    ]


def _read_status(content: bytes, folder: Path) -> None:
    assert isinstance(session_of(content), int), "what anybody may publish under our topic never stops the publisher"
    validate(from_bytes(content))


@functools.cache
def _outboxes() -> Sequence[bytes]:
    files = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (0, 6):
            path = Path(folder) / f"{count}.sqlite"
            with Outbox.open(path) as outbox:
                for number in range(count):
                    key = Key(f"id-{number}", 1, "report")
                    outbox.put(key, "report", _reports()[0][:900], NOW)
                    if number % 3 == 1:
                        outbox.mark_sent(key, NOW)
                    elif number % 3 == 2:
                        outbox.mark_refused(key, NOW, "too large")
                outbox.next_sequence()
            files.append(path.read_bytes())
    return files


def _read_outbox(content: bytes, folder: Path) -> None:
    path = folder / "outbox.sqlite"
    path.write_bytes(content)
    if hashlib.sha256(content).digest()[0] < 100:
        # A command that only looks in changes nothing and says so.
        with Outbox.open(path, owner=False) as outbox:
            outbox.list()
    with Outbox.open(path) as outbox:
        for entry in (*outbox.list(), *outbox.pending(10)):
            assert outbox.get(entry.key) is not None
        outbox.counts()
        key = Key("new", 1, "report")
        outbox.put(key, "report", b"{}", NOW)
        outbox.mark_unanswered([key], "no answer")
        outbox.mark_sent(key, NOW)
        outbox.next_sequence()
        outbox.next_session(NOW)
        outbox.retry()
        outbox.prune(NOW, max_sent=3, keep_unsigned=False)
    with Outbox.open(path, owner=False) as outbox:
        outbox.list()


REPORT_TARGETS = (
    Target("report messages", of_json(_reports), _read_report, _reports),
    Target("status messages", of_json(_statuses), _read_status, _statuses),
    Target("outbox files", of_bytes(_outboxes), _read_outbox, _outboxes, 0.3),
)
