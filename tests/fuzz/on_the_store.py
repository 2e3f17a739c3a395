"""Reports that devices send under each other's ids, and clocks that step while commands come and reports are pruned."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.command import CommandName, Outcome
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.entry import Key
from leukoscope.outbox.store import Outbox
from leukoscope_collector.judging import Accepted, judge
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.collector.running import id_of, message
from tests.fuzz.target import Target
from tests.messages.examples import IDENTITY, NOW, PROVENANCE
from tests.messages.test_commands import command

_DEVICES = ("scope-1", "scope-2", "scope-3")
_STEPS_DAYS = (0, 0, 0, 1, 200, -200, 3650, -3650)


def _reports(rng: Random) -> bytes:
    """Some reports: whose, which id, which version."""
    said = [[rng.choice(_DEVICES), rng.randint(1, 3), rng.choice((1, 1, 2, 3, 900))] for _ in range(rng.randint(1, 8))]
    return json.dumps(said).encode()


def _read_reports(content: bytes, folder: Path) -> None:
    """Valid where each id came from one device; another's goes to quarantine, and nothing of it comes into force."""
    owners: dict[str, str] = {}
    foreign = 0
    store = SqliteSettings(driver="sqlite", file=folder / "store.sqlite").open()
    try:
        for device, number, version in json.loads(content):
            foreign += owners.setdefault(id_of(number), device) != device
            payload = message(number, version=version, provenance=replace(PROVENANCE, device=device))
            topic = f"leukoscope/v1/ward-3/{device}/report"
            judged = judge(topic, payload, topic_root="leukoscope/v1", largest=10**6)
            assert isinstance(judged, Accepted)
            store.keep([judged], [], NOW)
        found = {
            str(identifier): device for identifier, device in store.execute("SELECT id, device FROM report_in_force")
        }
        assert found == owners, f"in force: {found}, first sent: {owners}"
    finally:
        store.close()
    if foreign:
        raise InvalidMessage(f"{foreign} came from another device than the first", "give each report an id of its own")


def _steps(rng: Random) -> bytes:
    """What happens at which moment, by a clock that steps: days from the right time, and what."""
    what = ("command", "report", "prune", "restart")
    return json.dumps([[rng.choice(_STEPS_DAYS), rng.choice(what)] for _ in range(rng.randint(1, 12))]).encode()


def _read_steps(content: bytes, folder: Path) -> None:
    """A command is done once whatever the clock says; what nobody signed is never pruned.

    Valid where the command was done; refused where the clock never was within its life.
    """
    captured, done, put = command(), 0, 0
    outbox = Outbox.open(folder / "outbox.sqlite")
    try:
        for days, what in json.loads(content):
            now = NOW + timedelta(days=days)
            if what == "restart":
                outbox.close()
                outbox = Outbox.open(folder / "outbox.sqlite")
            elif what == "command":
                done += _commanded(outbox, captured, now)
            elif what == "report":
                put += 1
                key = Key(f"id-{put}", 1, "report")
                outbox.put(key, "report", b"{}", now)
                outbox.mark_sent(key, now)
            else:
                assert outbox.prune(now, max_sent=0) == 0
        assert len(outbox.list()) == put
    finally:
        outbox.close()
    assert done <= 1, f"a captured command was done {done} times"
    if not done:
        raise InvalidMessage("the command came at no time at which it holds", "send it again")


def _commanded(outbox: Outbox, payload: bytes, now: datetime) -> int:
    settings: dict[str, Any] = {"now": lambda: now, "clock_quality": lambda: True}
    inbox = CommandInbox(outbox, IDENTITY, tuple(CommandName), **settings)
    inbox.receive(payload)
    order = inbox.take()
    if order is None:
        assert inbox.replies(), "every command is answered"
        return 0
    inbox.answer(order, Outcome("done", "this is in force"))
    return 1


def _own_reports() -> Sequence[bytes]:
    return [json.dumps(said).encode() for said in ([["scope-1", 1, 1]], [["scope-1", 1, 2], ["scope-1", 1, 1]])]


def _done_at_once() -> Sequence[bytes]:
    return [
        b'[[0, "command"]]',
        b'[[0, "command"], [3650, "command"], [3650, "restart"], [0, "command"], [0, "prune"]]',
    ]


STORE_TARGETS = (
    Target("forged origins", _reports, _read_reports, _own_reports, 0.1),
    Target("clocks that step", _steps, _read_steps, _done_at_once, 0.1),
)
