"""Steps on their way to the devices: kept in the store until the device has answered."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leukoscope.messages.command import COMMAND_SCHEMA, LONGEST_LIFE, MOST_REVIEW_BYTES
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_text, validate
from leukoscope.web import Databases, ReviewError

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

    def add(self, site: str, device: str, name: str, arguments: Mapping[str, Any], now: datetime) -> None:
        """Keep a step; it is on the disk when this returns, and sent from then on.

        Raises:
            ReviewError: another step of this report is on its way, or it is too large for one command.
        """
        identifier = str(uuid.uuid4())
        message = {
            "schema": COMMAND_SCHEMA,
            "id": identifier,
            "name": "review",
            "by": name,
            "issued_at": utc_text(now),
            "expires_at": utc_text(now + LONGEST_LIFE),
            "arguments": dict(arguments),
        }
        validate(message, COMMAND_SCHEMA)
        payload = to_bytes(message)
        if len(payload) > MOST_REVIEW_BYTES:
            raise ReviewError(f"this names too many cells for one message: expected at most {MOST_REVIEW_BYTES} bytes")
        report = str(arguments["report"])
        database = self._databases.get()
        with database.transaction():
            waiting = database.execute(
                "SELECT 1 FROM web_command WHERE report = :report AND outcome = ''", {"report": report}
            )
            if waiting:
                raise ReviewError(
                    f"another step of this report is on its way to {site}/{device}", "wait for its answer"
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

    def due(self, now: datetime) -> list[Step]:
        """What is to be sent now, for the first time or again; what has expired is stored as refused."""
        database = self._databases.get()
        with database.transaction():
            database.execute(
                "UPDATE web_command SET outcome = 'refused', told = 'the device did not come back within a day'"
                " WHERE outcome = '' AND made_at < :since",
                {"since": (now - LONGEST_LIFE).isoformat()},
            )
        rows = database.execute(
            "SELECT id, site, device, payload FROM web_command WHERE outcome = '' AND sent_at < :since",
            {"since": (now - AGAIN_AFTER).isoformat()},
        )
        return [Step(identifier, site, device, payload.encode()) for identifier, site, device, payload in rows]

    def mark_sent(self, identifier: str, now: datetime) -> None:
        """It was given to the broker."""
        database = self._databases.get()
        with database.transaction():
            database.execute(
                "UPDATE web_command SET sent_at = :at WHERE id = :id", {"at": now.isoformat(), "id": identifier}
            )

    def answer(self, site: str, device: str, payload: bytes) -> None:
        """Take a device's answer; the draft of what was done has become a version."""
        result = from_bytes(payload)
        database = self._databases.get()
        key = {"id": str(result.get("command")), "site": site, "device": device}
        with database.transaction():
            rows = database.execute(
                "SELECT report, name FROM web_command WHERE id = :id AND site = :site AND device = :device"
                " AND outcome = ''",
                key,
            )
            if not rows:
                return
            database.execute(
                "UPDATE web_command SET outcome = :outcome, told = :told WHERE id = :id",
                {"id": key["id"], "outcome": str(result["outcome"]), "told": str(result["text"])},
            )
            if result["outcome"] == "done":
                database.execute(
                    "DELETE FROM web_draft WHERE report = :report AND name = :name",
                    {"report": rows[0][0], "name": rows[0][1]},
                )

    def last(self, report_id: str) -> tuple[str, str, str] | None:
        """Where the last step of a report went, its outcome and what the device said; None where there was none."""
        rows = self._databases.get().execute(
            "SELECT site, device, outcome, told FROM web_command WHERE report = :report ORDER BY made_at DESC LIMIT 1",
            {"report": report_id},
        )
        return (f"{rows[0][0]}/{rows[0][1]}", rows[0][2], rows[0][3]) if rows else None

    def done(self, report_id: str) -> list[Mapping[str, Any]]:
        """The arguments of what the device did to a report, in their order."""
        rows = self._databases.get().execute(
            "SELECT payload FROM web_command WHERE report = :report AND outcome = 'done' ORDER BY made_at",
            {"report": report_id},
        )
        return [json.loads(payload)["arguments"] for (payload,) in rows]
