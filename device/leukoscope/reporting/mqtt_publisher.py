"""Reports over MQTT: sent until the broker acknowledges them, and only then marked sent."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from leukoscope.errors import BrokerError, InvalidMessage, LeukoscopeError, OutboxError
from leukoscope.host import clock_synchronised
from leukoscope.reporting import status
from leukoscope.reporting.backoff import Backoff
from leukoscope.reporting.commands import Commands
from leukoscope.reporting.doubt import Doubt
from leukoscope.reporting.identity import Identity
from leukoscope.reporting.lateness import as_sent
from leukoscope.reporting.mqtt import MqttSettings
from leukoscope.reporting.mqtt_link import Answer, Heard, Link
from leukoscope.reporting.mqtt_presence import Presence
from leukoscope.reporting.outbox import CELL, REPORT, Entry, Key, Outbox
from leukoscope.reporting.sink import Clock, SinkState
from leukoscope.reporting.wire import from_bytes, to_bytes, validate

_TURN_S = 0.1
_LOOK_S = 1.0
"""How often the outbox is looked at when nobody woke us: another process may have said retry."""
_GOODBYE_S = 2.0
_SUSPECT_AFTER = 2
"""Unanswered this often, a message is sent alone and after the others, which it may be holding up."""
_CELLS_IN_FLIGHT = 2
"""Pictures of cells sent at a time: on a slow line a report must not wait behind many."""
_MOST_REPLIES = 5
"""How often one connection repeats its birth over an old will; more would be a quarrel."""

_HIGHEST_SESSION = 2**53 - 1
"""What JSON readers can hold; also in status.v1.schema.json."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A publication that has not been answered yet."""

    what: str
    key: Key | None
    """None for birth and health, which are not kept."""
    attempts: int
    overdue_at: float
    alone: bool


class Publisher:
    """Empties an outbox into a broker from a thread of its own.

    Every connection is a new one with a new session number; what was in flight when it ended is
    sent again, so a reader may see a report twice and keeps one per (id, version).
    """

    def __init__(
        self,
        outbox: Outbox,
        settings: MqttSettings,
        identity: Identity,
        *,
        now: Clock,
        rng: Random,
        commands: Commands | None = None,
        clock_quality: Callable[[], bool | None] = clock_synchronised,
    ) -> None:
        """A publisher that is not yet started.

        Args:
            outbox: what is sent.
            settings: where to.
            identity: whose it is.
            now: the time.
            rng: spreads the attempts of many devices.
            commands: takes in what is commanded; None: the device listens to nobody.
            clock_quality: whether the time can be trusted; None where nobody can tell.
        """
        self._outbox = outbox
        self._commands = commands
        self._clock_quality = clock_quality
        self._settings = settings
        self._identity = identity
        self._now = now
        self._backoff = Backoff(settings.first_retry_s, settings.longest_retry_s, rng)
        self._doubt = Doubt(outbox, settings.doubt_s)
        self._presence = Presence(outbox.path)
        self._flights: dict[int, _Flight] = {}
        self._not_before: dict[Key, float] = {}
        self._spare_session: tuple[int, int] | None = None
        self._session_floor = 0
        self._health: Mapping[str, Any] | None = None
        self._replies = 0
        self._look_at = 0.0
        self._count_at = 0.0
        self._due_at = time.monotonic()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        scheme = "mqtts" if settings.tls else "mqtt"
        self._state = SinkState(
            destination=f"{scheme}://{settings.host}:{settings.address_port}/{self._topic('report')}",
            connected=False,
            last_error=None,
            pending=0,
            sent=0,
            refused=0,
        )

    @property
    def state(self) -> SinkState:
        """How things stood a moment ago; never waits for the network or the disk."""
        return self._state

    @property
    def late_s(self) -> float:
        """Seconds since the thread should have begun its next turn; a broker that is away does not make it late."""
        return 0.0 if self._thread is None else max(0.0, time.monotonic() - self._due_at)

    def start(self) -> None:
        """Begin to connect and to send; a publisher that was stopped stays so."""
        if self._thread is None and not self._stopping.is_set():
            self._presence.show()
            self._thread = threading.Thread(target=self._run, name="reporting-mqtt", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look at the outbox at the next turn."""
        self._look_at = 0.0

    def post_health(self, message: Mapping[str, Any]) -> None:
        """Publish the device's health, retained, when next connected; only the latest is kept.

        Raises:
            InvalidMessage: it is not a leukoscope/health/1 message.
        """
        validate(message, status.HEALTH_SCHEMA)
        self._health = message

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is pending; False when the time ran out first."""
        until = time.monotonic() + timeout_s
        self.wake()
        try:
            while self._outbox.counts().pending:
                if time.monotonic() > until:
                    return False
                time.sleep(_TURN_S / 2)
        except OutboxError:
            # The thread meets the same error and puts it into the state.
            return False
        return True

    def stop(self, timeout_s: float = 5.0) -> None:
        """Say farewell, if anybody is there, and end the thread; what is pending stays in the outbox."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout_s)
        self._presence.end()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._use_one_connection()
                continue
            except LeukoscopeError as error:
                self._tell(connected=False, last_error=str(error))
            except Exception as error:
                # A thread that dies of a surprise would leave every later report unsent, unseen.
                _log.exception("the MQTT publisher met an error nobody foresaw and goes on")
                self._tell(connected=False, last_error=f"unexpected {type(error).__name__}: {error}")
            pause_s = self._backoff.next_s()
            self._due_at = time.monotonic() + pause_s
            self._stopping.wait(pause_s)
            self._due_at = time.monotonic()

    def _use_one_connection(self) -> None:
        self._doubt.look_back(self._now())
        self._count()
        spare = self._spare_session or (
            self._outbox.next_session(self._now(), above=self._session_floor),
            self._outbox.next_sequence(),
        )
        self._spare_session = spare
        session, sequence = spare
        will = status.last_will(self._identity, session=session, sequence=sequence)
        link = Link(
            self._settings, self._settings.client_id_of(self._identity), (self._topic("status"), to_bytes(will))
        )
        try:
            try:
                link.connect(give_up=self._stopping.is_set)
            finally:
                # A number that no broker has heard can be used again; it saves the card a write.
                self._spare_session = None if link.greeted else spare
            self._serve(link, session)
        except BrokerError as error:
            self._write_off(link, str(error))
            self._doubt.connection_lost()
            if not self._stopping.is_set():
                raise
        finally:
            self._flights.clear()
            link.close()

    def _serve(self, link: Link, session: int) -> None:
        birth = to_bytes(status.birth(self._identity, session=session, at=self._now(), **self._stamp()))
        self._tell(connected=True, last_error=None)
        self._replies = 0
        self.wake()
        # First listen, then speak: the status stored at the broker is then heard before it is replaced.
        link.listen(self._topic("status"), *([] if self._commands is None else [self._topic("command")]))
        self._publish(link, "status", birth, "the birth message", retain=True)
        while not self._stopping.is_set():
            self._due_at = time.monotonic()
            if time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + _LOOK_S
                self._send_due(link)
                # With a long backlog counting takes as long as sending.
                if not self._flights or time.monotonic() >= self._count_at:
                    self._count()
            health, self._health = self._health, None
            if health is not None:
                message = to_bytes(status.stamped(health, **self._stamp()))
                self._publish(link, "health", message, "the health message", retain=True)
            link.turn(_TURN_S)
            self._take_answers(link)
            for said in link.heard():
                if self._commands is not None and said.topic == self._topic("command"):
                    self._commands.hear(
                        said.payload, stored=said.stored, reply_to=said.reply_to, correlation=said.correlation
                    )
                elif said.payload != birth:
                    self._weigh_status(link, said, birth, session)
            self._send_results(link)
            self._give_up_on_overdue()
        self._say_farewell(link, session)

    def _send_due(self, link: Link) -> None:
        window = min(self._settings.in_flight, link.receive_maximum)
        flying = {flight.key for flight in self._flights.values()}
        cells = sum(key is not None and key.kind == CELL for key in flying)
        most_cells = max(1, min(_CELLS_IN_FLIGHT, window - 1))
        limit = window + len(flying) + len(self._not_before)
        pending = self._outbox.pending(limit, but=CELL if cells >= most_cells else "")
        # Whoever is to have the pictures has the report first, also where it waits for a reader.
        reports_wait = any(entry.key.kind != CELL for entry in pending)
        for entry in pending:
            if len(self._flights) >= window or any(flight.alone for flight in self._flights.values()):
                return
            if entry.key in flying or self._not_before.get(entry.key, 0.0) > time.monotonic():
                continue
            suspect = entry.attempts >= _SUSPECT_AFTER
            if suspect and self._flights:
                return
            if entry.key.kind == CELL:
                if reports_wait:
                    return
                cells += 1
                if cells > most_cells:
                    return
            self._send(link, entry, alone=suspect)

    def _send(self, link: Link, entry: Entry, *, alone: bool) -> None:
        try:
            payload = as_sent(entry.payload, boot_id=self._identity.boot_id, now=self._now())
            needed = self._settings.needs_reader and entry.key.kind == REPORT
            mid = link.publish(self._topic(entry.topic), payload, retain=False, needs_reader=needed)
        except InvalidMessage as error:
            self._refuse(entry.key, str(error))
        else:
            overdue_at = time.monotonic() + self._settings.ack_timeout_s
            self._flights[mid] = _Flight(str(entry.key), entry.key, entry.attempts, overdue_at, alone)

    def _publish(self, link: Link, name: str, payload: bytes, what: str, *, retain: bool) -> None:
        mid = link.publish(self._topic(name), payload, retain=retain)
        overdue_at = time.monotonic() + self._settings.ack_timeout_s
        self._flights[mid] = _Flight(what, None, 0, overdue_at, alone=False)

    def _send_results(self, link: Link) -> None:
        for reply in () if self._commands is None else self._commands.replies():
            for topic in filter(None, (self._topic("result"), reply.reply_to)):
                try:
                    mid = link.publish(topic, reply.payload, retain=False, correlation=reply.correlation)
                except InvalidMessage as error:
                    _log.warning("a result cannot go to %r, where its sender wants it: %s", topic, error)
                    continue
                overdue_at = time.monotonic() + self._settings.ack_timeout_s
                self._flights[mid] = _Flight(f"a result under {topic}", None, 0, overdue_at, alone=False)

    def _take_answers(self, link: Link) -> None:
        accepted: dict[Key, str] = {}
        for answer in link.answers():
            self._backoff.reset()
            flight = self._flights.pop(answer.mid, None)
            if flight is None:
                continue
            self.wake()
            if flight.key is None:
                if answer.refusal:
                    self._tell(last_error=f"the broker refused {flight.what}: {answer.refusal}")
            elif answer.refusal is None:
                accepted[flight.key] = "" if answer.heard else "acknowledged, but nobody was subscribed to it"
            else:
                self._put_back(flight.key, flight, answer)
        if accepted:
            self._settle(accepted)

    def _settle(self, accepted: Mapping[Key, str]) -> None:
        """The broker has these now; one write to the disk for all of them, or a backlog waits for the card."""
        self._outbox.mark_all_sent(accepted, self._now())
        for key in accepted:
            self._doubt.acknowledged(key)
            self._not_before.pop(key, None)
            if str(key) in (self._state.last_error or ""):
                self._tell(last_error=None)

    def _put_back(self, key: Key, flight: _Flight, answer: Answer) -> None:
        if answer.for_good:
            self._refuse(key, f"the broker refused it: {answer.refusal}")
        else:
            self._outbox.mark_unanswered([key], f"the broker put it off: {answer.refusal}")
            self._not_before[key] = time.monotonic() + self._backoff.after(flight.attempts)
            self._tell(last_error=f"the broker put {key} off: {answer.refusal}")

    def _refuse(self, key: Key, reason: str) -> None:
        self._outbox.mark_refused(key, self._now(), reason)
        self._not_before.pop(key, None)
        self._tell(last_error=f"{key}: {reason}")

    def _give_up_on_overdue(self) -> None:
        for flight in self._flights.values():
            if time.monotonic() > flight.overdue_at:
                # MQTT allows sending again only on a new connection.
                raise BrokerError(
                    f"the broker did not acknowledge {flight.what} within "
                    f"{self._settings.ack_timeout_s:g} s; connecting anew"
                )

    def _write_off(self, link: Link, why: str) -> None:
        """Whatever was in flight goes back to pending; what the broker can never take is refused."""
        lost = {flight.key: flight for flight in self._flights.values() if flight.key is not None}
        if len(lost) == 1:
            ((key, flight),) = lost.items()
            blame = link.blame(alone=flight.alone)
            if blame is not None:
                self._refuse(key, blame)
                return
        if lost:
            self._outbox.mark_unanswered(list(lost), why)
        for key, flight in lost.items():
            if flight.attempts + 1 >= _SUSPECT_AFTER:
                self._not_before[key] = time.monotonic() + self._backoff.after(flight.attempts)

    def _weigh_status(self, link: Link, said: Heard, birth: bytes, session: int) -> None:
        """Somebody else's word under our status: an earlier connection's, or another device's.

        Our own old will may reach the broker after our new birth; then the birth is said again.
        A stored number above ours means that our outbox was lost; readers would ignore us until we
        count on from there.
        """
        number = _session_of(said.payload)
        if number <= session:
            if not said.stored and self._replies < _MOST_REPLIES:
                self._replies += 1
                self._publish(link, "status", birth, "the birth message", retain=True)
        elif said.stored:
            self._session_floor = number
            raise BrokerError(f"the broker remembers session {number}, we are at {session}; counting on from it")
        else:
            name = f"{self._identity.site}/{self._identity.device}"
            self._tell(last_error=f"another device calls itself {name}: give each its own name")

    def _say_farewell(self, link: Link, session: int) -> None:
        self._send_results(link)
        farewell = to_bytes(status.farewell(self._identity, session=session, at=self._now(), **self._stamp()))
        self._publish(link, "status", farewell, "the farewell", retain=True)
        until = time.monotonic() + _GOODBYE_S
        while self._flights and time.monotonic() < until:
            link.turn(_TURN_S)
            self._take_answers(link)
        self._count()
        self._tell(connected=False)
        link.leave()

    def _stamp(self) -> dict[str, Any]:
        """What a message that is made now says about its place and its clock."""
        return {"sequence": self._outbox.next_sequence(), "clock_synchronised": self._clock_quality()}

    def _topic(self, name: str) -> str:
        return self._identity.topic(name, self._settings.topic_root)

    def _count(self) -> None:
        self._count_at = time.monotonic() + _LOOK_S
        counts = self._outbox.counts()
        self._tell(pending=counts.pending, sent=counts.sent, refused=counts.refused)

    def _tell(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)


def _session_of(payload: bytes) -> int:
    """The session number in a status message; 0 for what is none, and for numbers nobody can exceed."""
    try:
        message = from_bytes(payload)
        validate(message, status.STATUS_SCHEMA)
    except InvalidMessage:
        return 0
    number = message["session"]
    return int(number) if number < _HIGHEST_SESSION else 0
