"""Steps on their way to the devices: kept in the store until the device has answered."""

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leukoscope.messages.command import LONGEST_LIFE, MOST_REVIEW_BYTES, CommandName, command_of
from leukoscope.web import Databases, ReviewError, Sentence, kept, read
from leukoscope_collector.commanding import Answered

AGAIN_AFTER = timedelta(seconds=2)
"""An unanswered command is sent again, under its id: the device answers the same and does nothing twice."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command that has not been answered."""

    id: str
    site: str
    device: str
    payload: bytes


class Steps:
    """Every step that was taken on this page."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._added = threading.Event()

    def add(self, site: str, device: str, name: str, arguments: Mapping[str, Any], now: datetime) -> None:
        """Keep a step; it is on the disk when this returns, and sent from then on.

        Raises:
            ReviewError: another step of this report is on its way, or it is too large for one command.
        """
        identifier = str(uuid.uuid4())
        payload = command_of(
            identifier,
            CommandName.REVIEW,
            by=name,
            issued_at=now,
            expires_at=now + LONGEST_LIFE,
            arguments=arguments,
        )
        if len(payload) > MOST_REVIEW_BYTES:
            raise ReviewError(
                Sentence(
                    "this names too many cells for one message: expected at most {most} bytes",
                    most=MOST_REVIEW_BYTES,
                ),
                "name fewer cells at a time",
            )
        report = str(arguments["report"])
        database = self._databases.get()
        with database.transaction():
            waiting = database.execute(
                "SELECT 1 FROM web_command WHERE report = :report AND outcome = ''", {"report": report}
            )
            if waiting:
                raise ReviewError(
                    Sentence("another step of this report is on its way to {site}/{device}", site=site, device=device),
                    "wait for its answer",
                )
            database.execute(
                "INSERT INTO web_command VALUES (:id, :site, :device, :report, :name, :payload, :at, '', '', '')",
                {
                    "id": identifier,
                    "site": site,
                    "device": device,
                    "report": report,
                    "name": name,
                    "payload": payload.decode(),
                    "at": now.isoformat(),
                },
            )
        self._added.set()

    def close(self) -> None:
        """Let go of this thread's connection to the store."""
        self._databases.close()

    def take_added(self) -> bool:
        """Whether a step was added here since the last call."""
        found = self._added.is_set()
        self._added.clear()
        return found

    def due(self, now: datetime) -> list[Step]:
        """What is to be sent now, for the first time or again; what has expired is stored as refused."""
        database = self._databases.get()
        rows = database.execute(
            "SELECT id, site, device, payload, made_at, sent_at FROM web_command WHERE outcome = '' ORDER BY made_at"
        )
        expired_before, sent_before = (now - LONGEST_LIFE).isoformat(), (now - AGAIN_AFTER).isoformat()
        if any(made_at < expired_before for *_, made_at, _ in rows):
            with database.transaction():
                database.execute(
                    "UPDATE web_command SET outcome = 'refused', text = 'the device did not come back within a day'"
                    " WHERE outcome = '' AND made_at < :since",
                    {"since": expired_before},
                )
        return [
            Step(identifier, site, device, payload.encode())
            for identifier, site, device, payload, made_at, sent_at in rows
            if made_at >= expired_before and sent_at < sent_before
        ]

    def mark_sent(self, identifier: str, now: datetime, text: str = "") -> None:
        """It was given to the broker, which said this to it."""
        database = self._databases.get()
        with database.transaction():
            database.execute(
                "UPDATE web_command SET sent_at = :at, text = :text WHERE id = :id AND outcome = ''",
                {"at": now.isoformat(), "text": text, "id": identifier},
            )

    def answer(self, answered: Answered) -> None:
        """Take a device's answer; the draft of what was done has become a version."""
        database, outcome = self._databases.get(), answered.outcome
        key = {"id": answered.command, "site": answered.site, "device": answered.device}
        of_it = "id = :id AND site = :site AND device = :device AND outcome = ''"
        if not database.execute(f"SELECT 1 FROM web_command WHERE {of_it}", key):  # noqa: S608
            return
        with database.transaction():
            rows = database.execute(
                f"UPDATE web_command SET outcome = :outcome, text = :text WHERE {of_it}"  # noqa: S608
                " RETURNING report, name",
                key | {"outcome": outcome.outcome, "text": kept(outcome.text)},
            )
            if rows and outcome.outcome == "done":
                database.execute(
                    "DELETE FROM web_draft WHERE report = :report AND name = :name",
                    {"report": rows[0][0], "name": rows[0][1]},
                )

    def last(self, report_id: str) -> tuple[str, str, str] | None:
        """Where the last step of a report went, its outcome and what the device said; None where there was none."""
        rows = self._databases.get().execute(
            "SELECT site, device, outcome, text FROM web_command WHERE report = :report ORDER BY made_at DESC LIMIT 1",
            {"report": report_id},
        )
        return (f"{rows[0][0]}/{rows[0][1]}", rows[0][2], read(rows[0][3])) if rows else None

    def count_done(self, report_id: str) -> int:
        """How many steps of a report its device has done."""
        ((count,),) = self._databases.get().execute(
            "SELECT count(*) FROM web_command WHERE report = :report AND outcome = 'done'", {"report": report_id}
        )
        return int(count)

    def done(self, report_id: str) -> list[Mapping[str, Any]]:
        """The arguments of what the device did to a report, in their order."""
        rows = self._databases.get().execute(
            "SELECT payload FROM web_command WHERE report = :report AND outcome = 'done' ORDER BY made_at",
            {"report": report_id},
        )
        return [json.loads(payload)["arguments"] for (payload,) in rows]
