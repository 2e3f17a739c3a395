"""Where reports are kept: each (id, version) once, in one transaction per batch, whatever is sent twice."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256
from operator import add
from typing import Any, TypeVar

from leukoscope.errors import LeukoscopeError
from leukoscope_collector.beside import keep_answers, keep_pictures
from leukoscope_collector.bounds import Limits, prune_conflicts, separate_excess
from leukoscope_collector.judging import Accepted, Answer, DeviceStatus, Picture, Report, Suspect
from leukoscope_collector.origins import Origin, separate

_KEPT_BYTES = 65_536

Key = tuple[str, int]
Kind = TypeVar("Kind", Report, DeviceStatus, Picture, Answer)


class StoreUnavailable(LeukoscopeError, OSError):
    """The database cannot be reached or written now; nothing of the batch was stored."""


class StoreRefuses(LeukoscopeError, ValueError):
    """The database will never take this batch: something in it is not for it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a batch."""

    stored: int = 0
    duplicates: int = 0
    """Stored before, with the same content."""
    conflicts: int = 0
    """Stored before under the same id and version with other content; kept beside it and flagged."""
    quarantined: int = 0
    pictures: int = 0
    """Of white cells, stored for the first time."""
    answers: int = 0
    """To commands, stored for the first time."""
    foreign: int = 0
    """Of those quarantined: reports under an id that belongs to another device."""
    critical: int = 0
    """Of those stored: with a finding that the laboratory should telephone about."""

    def __add__(self, other: "Kept") -> "Kept":
        """Of both batches."""
        return Kept(*map(add, astuple(self), astuple(other)))


class Store(ABC):
    """The statements that both databases understand; a driver adds its connection and its dialect.

    A store is used by one thread. After `StoreUnavailable` it is thrown away and a new one opened.
    """

    limits: Limits

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """One transaction, committed and on the disk when the block ends.

        Raises:
            StoreUnavailable: it could not be committed.
            StoreRefuses: the database says that the data is not for it.
        """

    @abstractmethod
    def execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a statement with `:named` values gives; errors as `transaction`."""

    @abstractmethod
    def bind_origins(self, claims: Mapping[str, Origin], at: datetime) -> dict[str, Origin]:
        """As in `Origins`; inside a transaction."""

    @abstractmethod
    def insert_reports(self, reports: Sequence[Report], at: datetime) -> set[Key]:
        """Insert those whose key is not there, and return the keys that were inserted; inside a transaction."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database; safe to call twice."""

    def keep(self, accepted: Sequence[Accepted], suspects: Sequence[Suspect], at: datetime) -> Kept:
        """Store a batch, all or nothing.

        Args:
            said: judged fit, in the order of arrival; the same may be there twice.
            suspects: what will not do.
            at: now; timezone-aware.

        Raises:
            StoreUnavailable: nothing was stored; try again with a new store.
            StoreRefuses: nothing was stored; try the messages one by one.
        """
        with self.transaction():
            first: dict[Key, Report] = {}
            rest = []
            own, foreign = separate(self, _of(Report, accepted), at)
            own, excess = separate_excess(self.execute, own, self.limits.versions)
            # Two collectors that lock the same rows in one order never wait for each other in a circle.
            for report in sorted(own, key=lambda report: (report.id, report.version)):
                if first.setdefault((report.id, report.version), report) is not report:
                    rest.append(report)
            inserted = self.insert_reports(list(first.values()), at)
            critical = sum(bool(first[key].critical) for key in inserted)
            rest += [report for key, report in first.items() if key not in inserted]
            conflicts = sum(self._keep_conflict(report, at) for report in rest)
            if conflicts:
                prune_conflicts(self.execute, self.limits)
            for status in _last_of_each(_of(DeviceStatus, accepted)):
                self._keep_status(status, at)
            pictures, others = keep_pictures(self.execute, _of(Picture, accepted), at, self.limits.pictures)
            answers = keep_answers(self.execute, _of(Answer, accepted), at, self.limits.answers)
            suspects = [*suspects, *foreign, *excess, *others]
            for suspect in suspects:
                self._keep_suspect(suspect, at)
            if suspects:
                self._prune_quarantine()
        return Kept(
            len(inserted), len(rest) - conflicts, conflicts, len(suspects), pictures, answers, len(foreign), critical
        )

    def _keep_conflict(self, report: Report, at: datetime) -> bool:
        key = {"id": report.id, "version": report.version, "sha256": report.sha256}
        ((stored,),) = self.execute("SELECT sha256 FROM report_key WHERE id = :id AND version = :version", key)
        if stored == report.sha256:
            return False
        self.execute(
            "INSERT INTO conflict (id, version, sha256, site, device, received_at, payload)"
            " VALUES (:id, :version, :sha256, :site, :device, :at, :payload)"
            " ON CONFLICT (id, version, sha256) DO UPDATE SET seen = conflict.seen + 1",
            key | {"site": report.site, "device": report.device, "at": at, "payload": report.payload},
        )
        self.execute("UPDATE report SET contested = TRUE WHERE id = :id AND version = :version", key)
        return True

    def _keep_status(self, status: DeviceStatus, at: datetime) -> None:
        values = {"site": status.site, "device": status.device, "at": at, "payload": status.payload}
        if status.kind == "health":
            self.execute(
                "INSERT INTO device (site, device, health, health_at) VALUES (:site, :device, :payload, :at)"
                " ON CONFLICT (site, device) DO UPDATE SET health = excluded.health, health_at = excluded.health_at",
                values,
            )
            return
        # A connection ends once: what is online with a number that has ended is an echo, and so is a lower number.
        self.execute(
            "INSERT INTO device (site, device, state, session, status, status_at)"
            " VALUES (:site, :device, :state, :session, :payload, :at)"
            " ON CONFLICT (site, device) DO UPDATE SET state = excluded.state, session = excluded.session,"
            " status = excluded.status, status_at = excluded.status_at"
            " WHERE device.session IS NULL OR excluded.session > device.session"
            " OR (excluded.session = device.session AND excluded.state = 'offline' AND device.state = 'online')",
            values | {"state": status.state, "session": status.session},
        )

    def _keep_suspect(self, suspect: Suspect, at: datetime) -> None:
        self.execute(
            "INSERT INTO quarantine (topic, sha256, reason, bytes, received_at, payload)"
            " VALUES (:topic, :sha256, :reason, :bytes, :at, :payload)"
            " ON CONFLICT (topic, sha256) DO UPDATE SET seen = quarantine.seen + 1",
            {
                "topic": suspect.topic.replace("\0", "?"),
                "sha256": sha256(suspect.payload).hexdigest(),
                "reason": suspect.reason,
                "bytes": suspect.cut_from or len(suspect.payload),
                "at": at,
                "payload": suspect.payload[:_KEPT_BYTES],
            },
        )

    def _prune_quarantine(self) -> None:
        self.execute(
            "DELETE FROM quarantine WHERE number IN (SELECT number FROM (SELECT number,"
            " row_number() OVER (PARTITION BY topic ORDER BY number DESC) AS of_topic,"
            " row_number() OVER (ORDER BY number DESC) AS of_all FROM quarantine) AS ranked"
            " WHERE of_topic > :per_topic OR of_all > :in_all)",
            {"per_topic": self.limits.per_topic, "in_all": self.limits.in_all},
        )


def _of(kind: type[Kind], accepted: Iterable[Accepted]) -> list[Kind]:
    return [one for one in accepted if isinstance(one, kind)]


def _last_of_each(words: Iterable[DeviceStatus]) -> list[DeviceStatus]:
    """Each device's status in the order of arrival, and its last health only; sorted against deadlocks."""
    last = {(status.site, status.device): status for status in words if status.kind == "health"}
    statuses = [status for status in words if status.kind == "status"]
    return sorted([*statuses, *last.values()], key=lambda status: (status.site, status.device))
