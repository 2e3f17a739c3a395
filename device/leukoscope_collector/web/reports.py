"""The reports in the collector's store, as the page sees them."""

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from leukoscope.messages.report import decode
from leukoscope.web import (
    BATCH,
    UNSURE,
    Alike,
    CellRecord,
    Clock,
    Databases,
    Decision,
    GoneError,
    Line,
    Named,
    PictureSize,
    Sample,
    Submitted,
    arguments_of,
    exported,
    line_of,
)
from leukoscope_collector.web.steps import Steps

_OVERLAP = timedelta(seconds=10)
"""A collector beside may commit what it received a little earlier a little later."""
_BESIDE = ("erythroblast", "smudge", "artefact")
"""What a bundle may have beside the differential; the device refuses what its own has not."""


class CentralReports:
    """As `web.reports.Reports`, of every device."""

    at_centre = True

    def __init__(self, databases: Databases, steps: Steps, now: Clock) -> None:
        self._databases, self._steps, self._now = databases, steps, now

    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        """As in `Reports`."""
        at, identifier, version = json.loads(cursor) if cursor else ("1970-01-01T00:00:00.000000Z", _NIL, 0)
        rows = self._databases.get().execute(
            "SELECT received_at, id, version, payload FROM report"
            " WHERE (received_at, id, version) > (:at, :id, :version) ORDER BY received_at, id, version LIMIT :most",
            {"at": at, "id": identifier, "version": version, "most": BATCH},
        )
        if not rows:
            return [], cursor
        last_at, last_id, last_version, _ = rows[-1]
        after = [_text(last_at), str(last_id), last_version]
        moment = _moment(last_at)
        if len(rows) < BATCH and self._now() - moment < _OVERLAP:
            after = [_text(moment - _OVERLAP), _NIL, 0]
        return [line_of(_message(row[3])) for row in rows], json.dumps(after)

    def sample(self, report_id: str) -> Sample:
        """As in `Reports`."""
        message, site, device = self._in_force(report_id)
        report = decode(message)
        rows = self._databases.get().execute(
            "SELECT cell, payload FROM cell WHERE report = :report AND site = :site AND device = :device"
            " ORDER BY cell, version",
            {"report": report_id, "site": site, "device": device},
        )
        said, looked_at = self._said(report_id, report.life.steps)
        cells, pictures = [], {}
        for number, payload in rows:
            cell = _message(payload)
            box = tuple(cell["box"])
            record = CellRecord(
                number,
                cell["field"],
                cell["class"],
                cell["confidence"],
                (box[0], box[1], box[2], box[3]),
            )
            cells.append(Named(record, said.get(number, cell["class"]), number in said))
            picture = cell["picture"]
            pictures[number] = PictureSize(picture["width"], picture["height"], picture["um_per_px"])
        known = dict.fromkeys([*(one.cell_class for one in report.differential), *report.beside, *_BESIDE])
        known.pop(UNSURE, None)
        return Sample(report, tuple(cells), looked_at, pictures, (*known, UNSURE), None, "stored")

    def _said(self, report_id: str, steps: Sequence[Any]) -> tuple[dict[int, str], frozenset[int]]:
        """What people called cells, and which they looked at, as far as it is known here."""
        said, looked_at = dict[int, str](), set[int]()
        for arguments in self._steps.done(report_id):
            for step in arguments["steps"]:
                looked_at |= set(step.get("looked_at", ()))
                said |= dict.fromkeys(step.get("confirmed", ()), "")
        for step in steps:
            said |= {int(one.item[5:]): one.after for one in step.changes if one.item.startswith("cell/")}
        confirmed = {number for number, name in said.items() if not name}
        if confirmed:
            rows = self._databases.get().execute(
                "SELECT cell, class FROM cell WHERE report = :report", {"report": report_id}
            )
            said |= {number: name for number, name in rows if number in confirmed}
        return {number: name for number, name in said.items() if name}, frozenset(looked_at)

    def picture(self, report_id: str, number: int) -> bytes:
        """As in `Reports`."""
        _, site, device = self._in_force(report_id)
        rows = self._databases.get().execute(
            "SELECT payload FROM cell WHERE report = :report AND cell = :cell AND site = :site AND device = :device"
            " ORDER BY version DESC LIMIT 1",
            {"report": report_id, "cell": number, "site": site, "device": device},
        )
        if not rows:
            raise GoneError(f"there is no picture of cell {number}: it was not sent, or was pruned to make room")
        return base64.b64decode(_message(rows[0][0])["picture"]["base64"])

    def alike(self, report_id: str, name: str, most: int) -> Sequence[Alike]:
        """As in `Reports`; the names that people gave are known at the devices."""
        return ()

    def submit(self, sample: Sample, decisions: Sequence[Decision]) -> Submitted:
        """As in `Reports`: the step goes to the device that counted."""
        made = sample.report.provenance
        arguments = arguments_of(sample.report.id, sample.report.version, decisions)
        self._steps.add(made.site, made.device, decisions[-1].by, arguments, self._now())
        return Submitted(None)

    def waiting(self, report_id: str) -> str:
        """As in `Reports`."""
        last = self._steps.last(report_id)
        if last is None or last[1] == "done":
            return ""
        device, outcome, command_text = last
        if outcome:
            return f"{device}: {command_text}"
        return f"on its way to {device} ({command_text})" if command_text else f"on its way to {device}"

    def export(self, report_id: str, form: str) -> bytes:
        """As in `Reports`; pictures of cells are left out."""
        message, _, _ = self._in_force(report_id)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"report-{report_id}-v{message['version']}.json"
            file.write_text(json.dumps(message), "utf-8")
            return exported(str(file), form)

    def _in_force(self, report_id: str) -> tuple[dict[str, Any], str, str]:
        if not _is_id(report_id):
            raise GoneError("there is no such report here")
        rows = self._databases.get().execute(
            "SELECT payload, site, device FROM report WHERE id = :id ORDER BY version DESC LIMIT 1", {"id": report_id}
        )
        if not rows:
            raise GoneError(f"there is no report {report_id} here")
        return _message(rows[0][0]), rows[0][1], rows[0][2]


_NIL = "00000000-0000-0000-0000-000000000000"


def _is_id(text: str) -> bool:
    return len(text) == len(_NIL) and all(sign in "0123456789abcdef-" for sign in text)


def _message(payload: Any) -> dict[str, Any]:
    """PostgreSQL gives JSON as it is, SQLite as text."""
    read: Mapping[str, Any] = json.loads(payload) if isinstance(payload, str | bytes) else payload
    return dict(read)


def _moment(at: Any) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def _text(at: Any) -> str:
    return _moment(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
