"""The store in which a report is safe before the device tells anyone of it: SQLite, written through to the disk."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leukoscope.errors import OutboxError
from leukoscope.messages.json_format import utc_text
from leukoscope.outbox import pruning, redelivery_list
from leukoscope.outbox.counters import take_sequence, take_session
from leukoscope.outbox.database_file import connect, damage_in, file_at, quarantine, settle_schema, what_to_do
from leukoscope.outbox.entry import CELL, REPORT, Counts, Entry, Key, State

_COLUMNS = "id, version, kind, topic, payload, state, created_at, settled_at, attempts, note"


class Outbox:
    """Messages that outlive a pulled plug; safe to use from several threads and processes.

    `put` returns when the message is on the disk (WAL, synchronous=FULL). Nothing that was not
    acknowledged is ever deleted.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, quarantined: Path | None, *, owner: bool) -> None:
        self.path = path
        self.quarantined = quarantined
        """Where a corrupt predecessor was moved when this outbox was opened; to be shown to people."""
        self._connection = connection
        self._follows = None if owner else file_at(path)
        """Which file a process that only looks in has open."""
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path, *, owner: bool = True) -> Self:
        """Open the outbox, or begin a new one.

        Args:
            path: the SQLite file; `-wal` and `-shm` files live beside it.
            owner: True for the instrument, which may create the file and set a corrupt one aside as
                `<name>.corrupt-<n>` (see `quarantined`). False for a process that only looks in: a
                missing or corrupt file is then an error.

        Raises:
            OutboxError: the folder cannot be written, the file is missing or corrupt (not the
                owner), or it was made by a newer leukoscope.
        """
        aside = None
        try:
            if owner:
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.exists():
                raise OutboxError(f"no outbox at {path}", "has the instrument run with these settings?")
            damage = damage_in(path)
            if damage and not owner:
                raise OutboxError(
                    f"the outbox {path} is corrupt ({damage}): the instrument sets it aside when it starts",
                    "start the instrument once, it keeps what can be read",
                )
            if damage:
                aside = quarantine(path)
            connection = connect(path)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, OutboxError):
                raise
            raise OutboxError(f"the outbox {path} cannot be opened: {error}", what_to_do(path, error)) from error
        outbox = cls(path, connection, aside, owner=owner)
        with outbox.reading("prepared"):
            settle_schema(connection, path, owner=owner)
        return outbox

    def put(self, key: Key, topic: str, payload: bytes, now: datetime) -> bool:
        """Keep a message; it is on the disk when this returns.

        Returns:
            False when the key is already there: the first message under a key stays.

        Raises:
            OutboxError: it could not be written, as on a full disk. The message is then not kept.
        """
        with self.writing() as sql:
            return put(sql, key, topic, payload, now)

    def pending(self, limit: int, *, but: str = "") -> tuple[Entry, ...]:
        """Up to `limit` messages to send, of every kind but one.

        Pictures of cells come last; before that, those that went unanswered; else the oldest comes first.
        """
        return self._select(
            "WHERE state = 'pending' AND kind <> ? ORDER BY priority, attempts, seq LIMIT ?", (but, limit)
        )

    def get(self, key: Key) -> Entry | None:
        """One message, or None when there is none under this key."""
        found = self._select("WHERE id = ? AND version = ? AND kind = ?", (key.id, key.version, key.kind))
        return found[0] if found else None

    def list(self, state: State | None = None, kind: str | None = None) -> tuple[Entry, ...]:
        """Every message, or those in one state or of one kind, oldest first."""
        values = (None if state is None else state.value, kind)
        return self._select("WHERE state = ifnull(?, state) AND kind = ifnull(?, kind) ORDER BY seq", values)

    def versions(self, report_id: str) -> tuple[Entry, ...]:
        """Every version of a report that is still here, oldest first."""
        return self._select("WHERE kind = ? AND id = ? ORDER BY version", (REPORT, report_id))

    def counts(self, kind: str = REPORT) -> Counts:
        """How many messages of a kind are in each state."""
        with self.reading("read") as sql:
            found = sql.execute("SELECT state, count(*) FROM message WHERE kind = ? GROUP BY state", (kind,)).fetchall()
        by_state = dict(found)
        return Counts(**{state.value: by_state.get(state.value, 0) for state in State})

    def mark_sent(self, key: Key, now: datetime, note: str = "") -> None:
        """The receiver has acknowledged it."""
        self.mark_all_sent({key: note}, now)

    def mark_all_sent(self, notes: Mapping[Key, str], now: datetime) -> None:
        """The receiver has acknowledged these, each with a note, all in one transaction."""
        self._settle(State.SENT, notes, now)

    def mark_refused(self, key: Key, now: datetime, reason: str) -> None:
        """The receiver will not have it; it stays here and holds no other message up."""
        self._settle(State.REFUSED, {key: reason}, now)

    def mark_unanswered(self, keys: Sequence[Key], note: str) -> None:
        """They were sent and no answer came, once for each time they are named: still pending, and others go first."""
        with self.writing() as sql:
            sql.executemany(
                "UPDATE message SET attempts = attempts + 1, note = ?"
                " WHERE id = ? AND version = ? AND kind = ? AND state = 'pending'",
                [(note, key.id, key.version, key.kind) for key in keys],
            )

    def retry(self, key: Key | None = None) -> int:
        """Make a refused message, or all of them, pending again.

        Returns:
            How many there were.
        """
        where, values = "", tuple[Any, ...]()
        if key is not None:
            where, values = " AND id = ? AND version = ? AND kind = ?", (key.id, key.version, key.kind)
        with self.writing() as sql:
            done = sql.execute(
                f"UPDATE message SET state = 'pending', settled_at = NULL, attempts = 0 WHERE state = 'refused'{where}",
                values,
            )
            return done.rowcount

    def redeliver(self, keys: Sequence[Key]) -> None:
        """They were acknowledged, and the receiver may have forgotten them; remembered until `trust`."""
        with self.writing() as sql:
            redelivery_list.add(sql, keys)

    def redeliver_since(self, moment: datetime) -> None:
        """As `redeliver`, for all that were acknowledged at that moment or later."""
        with self.reading() as sql:
            if not redelivery_list.acknowledged_since(sql, moment):
                return
        with self.writing() as sql:
            redelivery_list.add_since(sql, moment)

    def trust(self, keys: Sequence[Key]) -> None:
        """The receiver has acknowledged them once more."""
        with self.writing() as sql:
            redelivery_list.remove(sql, keys)

    def awaiting_redelivery(self) -> tuple[Key, ...]:
        """What the receiver may have forgotten, pictures of cells last, else the oldest first."""
        with self.reading() as sql:
            return redelivery_list.keys(sql)

    def prune(self, now: datetime, *, max_sent: int, keep_unsigned: bool = True) -> int:
        """Delete the oldest reports beyond `max_sent` sent versions, with their cells.

        By number, for a clock may have been wrong when they were sent, or be wrong now. Only what the receiver has in
        every version goes; with `keep_unsigned` only what a person has signed: nothing else could be reviewed later.

        Returns:
            How many versions were deleted.
        """
        with self.writing("pruned") as sql:
            return pruning.prune(sql, now, max_sent=max_sent, keep_unsigned=keep_unsigned)

    def used_bytes(self) -> int:
        """What the messages take up in the file; room that pruning left is not counted."""
        with self.reading("read") as sql:
            return pruning.used_bytes(sql)

    def free_space(self, now: datetime, max_bytes: int, *, keep_unsigned: bool = True) -> bool:
        """Delete pictures of cells, then the oldest reports that `prune` may delete, until `max_bytes` are used.

        Returns:
            False when more is used all the same: what is left waits for a receiver or a signature.
        """
        if self.used_bytes() <= max_bytes:
            return True
        with self.writing("pruned") as sql:
            return pruning.free_space(sql, now, max_bytes, keep_unsigned=keep_unsigned)

    def next_sequence(self) -> int:
        """The next message number, from 1, never given twice by this file."""
        with self.writing() as sql:
            return take_sequence(sql)

    def begin_connection(self, now: datetime, *, above: int = 0) -> tuple[int, int, int]:
        """The numbers that a new connection needs, in one write to the disk.

        Returns:
            Its own as of `next_session`, and two of `next_sequence`, for its will and its birth.
        """
        with self.writing() as sql:
            return take_session(sql, now, above), take_sequence(sql), take_sequence(sql)

    def next_session(self, now: datetime, *, above: int = 0) -> int:
        """The next connection number, always higher than the last one and than `above`.

        It follows the clock's seconds where these are ahead, so that it goes on rising even after
        the file that held it was lost and the clock is right.
        """
        with self.writing() as sql:
            return take_session(sql, now, above)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _settle(self, state: State, notes: Mapping[Key, str], now: datetime) -> None:
        with self.writing() as sql:
            sql.executemany(
                "UPDATE message SET state = ?, settled_at = ?, note = ? WHERE id = ? AND version = ? AND kind = ?",
                [(state.value, utc_text(now), note, key.id, key.version, key.kind) for key, note in notes.items()],
            )

    def _select(self, clause: str, values: tuple[Any, ...]) -> tuple[Entry, ...]:
        with self.reading() as sql:
            rows = sql.execute(f"SELECT {_COLUMNS} FROM message {clause}", values).fetchall()
        return tuple(Entry(Key(row[0], row[1], row[2]), row[3], row[4], State(row[5]), *row[6:]) for row in rows)

    @contextmanager
    def reading(self, verb: str = "read") -> Iterator[sqlite3.Connection]:
        """The connection to one thread at a time; SQLite's errors become ours.

        Raises:
            OutboxError: the file cannot be read; `verb` says in it what was to be done.
        """
        with self._lock:
            try:
                self._follow()
                yield self._connection
            except (sqlite3.Error, UnicodeDecodeError) as error:
                why = " ".join(str(error).split())
                raise OutboxError(
                    f"the outbox {self.path} cannot be {verb}: {why}", what_to_do(self.path, error)
                ) from error

    def _follow(self) -> None:
        """Open the file that stands at the path now, when the instrument has set ours aside and begun anew."""
        if self._follows is None or self._connection.in_transaction:
            return
        now = file_at(self.path)
        if now not in (None, self._follows):
            connection = connect(self.path)
            self._connection.close()
            self._connection, self._follows = connection, now

    @contextmanager
    def writing(self, verb: str = "written") -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk as a whole when it ends, or not at all; inside another one a part of that.

        Raises:
            OutboxError: it could not be written, as on a full disk.
        """
        with self.reading(verb) as sql:
            if sql.in_transaction:
                yield sql
                return
            sql.execute("BEGIN IMMEDIATE")
            try:
                yield sql
                sql.execute("COMMIT")
            except BaseException:
                if sql.in_transaction:
                    sql.execute("ROLLBACK")
                raise


def put(sql: sqlite3.Connection, key: Key, topic: str, payload: bytes, now: datetime) -> bool:
    """As `Outbox.put`, inside a transaction of the caller's."""
    done = sql.execute(
        "INSERT INTO message (id, version, kind, topic, payload, state, created_at, priority)"
        " VALUES (?, ?, ?, ?, ?, 'pending', ?, ?) ON CONFLICT DO NOTHING",
        (key.id, key.version, key.kind, topic, payload, utc_text(now), int(key.kind == CELL)),
    )
    return done.rowcount == 1
