"""Remote commands: each is answered, done at most once, and only where the settings allow it."""

import hashlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Connection

from leukoscope.messages.command import Command, CommandName, Outcome, Refusal, query_in, read_command, result_of
from leukoscope.messages.historical import as_sent
from leukoscope.messages.identity import CHANNELS, Identity
from leukoscope.messages.json_format import utc_text
from leukoscope.outbox import audit_trail
from leukoscope.outbox.counters import take_sequence
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import Clock
from leukoscope.system.host import clock_synchronised

AHEAD = timedelta(minutes=5)
"""By how much a sender's clock may be ahead of ours."""
MOST_REMEMBERED = 1000
"""Commands that could still be valid."""
MOST_KNOWN = 5000
"""Commands that are known to have come, whatever the clock says now: one of them is never done again."""
_MOST_REPLIES = 2 * MOST_REMEMBERED
"""More than commands can wait: none is dropped while the broker is away."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A result, and to whom it goes."""

    payload: bytes
    reply_to: str | None
    """A topic that the sender named (MQTT 5), beside our own."""
    correlation: bytes | None
    """What the sender wants to know it by."""


class CommandInbox:
    """Between the thread that hears commands and the one that does them.

    A command is written down before it is done, and its result after: one whose result is missing after a restart was
    interrupted, and is not tried again, but for steps of a report: the versions they made tell what was done. Both are
    remembered by number, not by age: a clock that steps back makes a command valid that was done long ago.
    """

    def __init__(
        self,
        outbox: Outbox,
        identity: Identity,
        allow: Collection[CommandName],
        *,
        now: Clock,
        clock_quality: Callable[[], bool | None] = clock_synchronised,
        through: str = "over MQTT",
    ) -> None:
        """Nothing waits.

        Args:
            outbox: where commands are remembered.
            identity: of the device.
            allow: what is done; everything else is refused.
            now: the time of day.
            clock_quality: whether that can be trusted.
            through: how commands come, for the audit trail.
        """
        self._outbox = outbox
        self._identity = identity
        self._allow = frozenset(allow)
        self._now = now
        self._clock_quality = clock_quality
        self._through = through
        self._waiting: deque[Command] = deque()
        self._replies: deque[Reply] = deque(maxlen=_MOST_REPLIES)
        self._senders: dict[str, tuple[str | None, bytes | None]] = {}
        self._lock = threading.RLock()

    def receive(
        self, payload: bytes, *, stored: bool = False, reply_to: str | None = None, correlation: bytes | None = None
    ) -> None:
        """Take a command in; its result, or a refusal, will be among the replies.

        Args:
            payload: as it came from the network, whatever its content.
            stored: it was retained at the broker, so how often it was heard before is unknown.
            reply_to: another topic the result is to go to; a device's own, or what is no topic, is ignored.
            correlation: returned with the result.

        Raises:
            OutboxError: it cannot be remembered, so it is not done.
        """
        sender = (reply_to if _may_be_answered(reply_to) else None, correlation)
        with self._lock:
            try:
                order = read_command(payload, stored=stored)
            except Refusal as refusal:
                with self._outbox.writing() as sql:
                    result = self._refuse(sql, *query_in(payload), refusal)
                self._replies.append(Reply(result, *sender))
                return
            with self._outbox.writing() as sql:
                known = self._result_known(sql, order)
            if known is None:
                self._senders[order.id] = sender
            else:
                late = as_sent(known, boot_id=self._identity.boot_id, now=self._now())
                self._replies.append(Reply(late, *sender))

    def take(self) -> Command | None:
        """The next command to do; it stays the next one until it is answered."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def check_valid(self, order: Command) -> None:
        """Whether a command that was heard before a restart may still be done: settings and clock have moved on.

        Raises:
            Refusal: it is not allowed any more, or has expired.
        """
        _refuse_outside_its_life(order, self._now())
        self._refuse_what_is_not_allowed(order)

    def answer(self, order: Command, outcome: Outcome) -> None:
        """Say what became of a command.

        Raises:
            OutboxError: it cannot be written; the command counts as interrupted.
        """
        with self._lock:
            self._waiting.remove(order)
            details = {"name": order.name.value, "outcome": outcome.outcome, "text": outcome.text}
            with self._outbox.writing() as sql:
                result = self._result(sql, order.id, order.name, outcome)
                sql.execute("UPDATE command SET result = ? WHERE id = ?", (result, order.id))
                subject = f"command {order.id}"
                # Any client that writes to the topic can choose the name it gives itself.
                by = f"{order.by} ({self._through})"
                audit_trail.append(sql, at=self._now(), by=by, action="command", subject=subject, details=details)
            self._replies.append(Reply(result, *self._senders.pop(order.id, (None, None))))

    def replies(self) -> list[Reply]:
        """What is to be published; each is handed out once."""
        return [self._replies.popleft() for _ in range(len(self._replies))]

    def _result_known(self, sql: Connection, order: Command) -> bytes | None:
        """What is answered to a command that is not to be done, or was done; None for one that waits to be done."""
        digest = hashlib.sha256(audit_trail.canonical(order.content).encode()).hexdigest()
        now = self._now()
        found = sql.execute("SELECT digest, result FROM command WHERE id = ?", (order.id,)).fetchone()
        if found is not None:
            return self._known_before(sql, order, digest, *found)
        try:
            _refuse_outside_its_life(order, now)
            _refuse_one_too_many(sql, now)
            self._refuse_what_is_not_allowed(order)
            result = None
        except Refusal as refusal:
            result = self._refuse(sql, order.id, order.name, refusal)
            if refusal.reason != "not_allowed":
                # What has expired stays so, and what comes too early or too often may come again.
                return result
        forget_at = utc_text(order.expires_at + AHEAD)
        sql.execute("INSERT INTO command VALUES (?, ?, ?, ?)", (order.id, digest, forget_at, result))
        if result is None:
            self._waiting.append(order)
        return result

    def _known_before(
        self, sql: Connection, order: Command, digest: str, known_digest: str, result: bytes | None
    ) -> bytes | None:
        if digest != known_digest:
            refusal = Refusal("id_reused", "another command had this id: give each its own")
            return self._refuse(sql, order.id, order.name, refusal)
        if result is None and not any(waiting.id == order.id for waiting in self._waiting):
            if order.name is CommandName.REVIEW:
                # Its versions hold its id: what was done before is found there, and not done again.
                self._waiting.append(order)
                return None
            text = "the device stopped meanwhile; whether it was done is not known, and it is not tried again"
            return self._result(sql, order.id, order.name, Outcome("failed", text, "interrupted"))
        return result

    def _refuse_what_is_not_allowed(self, order: Command) -> None:
        if order.name not in self._allow:
            text = f"{order.name} is not allowed here: commands.allow in the settings names what is"
            raise Refusal("not_allowed", text)

    def _refuse(self, sql: Connection, identifier: str | None, name: str | None, refusal: Refusal) -> bytes:
        _log.warning("command %s refused (%s): %s", identifier, refusal.reason, refusal.text)
        return self._result(sql, identifier, name, Outcome("refused", refusal.text, refusal.reason))

    def _result(self, sql: Connection, identifier: str | None, name: str | None, outcome: Outcome) -> bytes:
        return result_of(
            identifier,
            name,
            outcome,
            self._identity,
            sequence=take_sequence(sql),
            at=self._now(),
            clock_synchronised=self._clock_quality(),
        )


def _may_be_answered(topic: str | None) -> bool:
    """Never under a name that devices speak under, or a sender could make one of them speak for another."""
    if not topic or len(topic) > 200 or topic.startswith("$") or any(sign in topic for sign in "+#\0"):
        return False
    return topic.rpartition("/")[2] not in CHANNELS


def _refuse_outside_its_life(order: Command, now: datetime) -> None:
    # A clock that is wrong by more than a command's life refuses all of them, whichever way it is wrong.
    if now > order.expires_at:
        raise Refusal("expired", f"it expired at {utc_text(order.expires_at)}; here it is {utc_text(now)}")
    if order.issued_at > now + AHEAD:
        raise Refusal("not_yet", f"it is issued at {utc_text(order.issued_at)}; here it is {utc_text(now)}")


def _refuse_one_too_many(sql: Connection, now: datetime) -> None:
    sql.execute(
        "DELETE FROM command WHERE forget_at < ?"
        " AND rowid <= (SELECT rowid FROM command ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
        (utc_text(now), MOST_KNOWN - 1),
    )
    (remembered,) = sql.execute("SELECT count(*) FROM command WHERE forget_at >= ?", (utc_text(now),)).fetchone()
    if remembered >= MOST_REMEMBERED:
        raise Refusal("too_many", f"{remembered} commands are remembered: wait until some have expired")
