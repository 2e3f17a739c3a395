"""The reports in the collector's store, as the page sees them."""

import base64
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from leukoscope.messages.report import decode_kept
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
    PictureFacts,
    Sample,
    SampleReport,
    Sentence,
    Submitted,
    Verbatim,
    arguments_of,
    exported,
    findings_as_sentences,
    grounds_sent,
    line_of,
    missed_in,
)
from leukoscope_collector.web.steps import Steps

_LATE = timedelta(seconds=60)
"""So much later than others a collector may commit what it received, or so much may its clock be behind theirs."""
_SETTLED = timedelta(minutes=10)
"""So long after the newest report came nothing older is waited for."""
_IS_NEW = (
    " AND NOT EXISTS (SELECT 1 FROM web_worklist WHERE web_worklist.id = CAST(report.id AS text)"
    " AND web_worklist.version >= report.version)"
)
_BESIDE = ("erythroblast", "smudge", "artefact")
"""What a bundle may have beside the differential; the device refuses what its own has not."""


class CentralReports:
    """As `web.reports.Reports`, of every device."""

    at_centre = True

    def __init__(self, databases: Databases, steps: Steps, now: Clock) -> None:
        self._databases, self._steps, self._now = databases, steps, now
        self._cached = lru_cache(maxsize=8)(self._read)

    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        """As in `Reports`; a little is looked through again each time, of which only what is new is given."""
        place = _Place.read(cursor)
        # Amid many that are new nothing is known yet, and to look would cost more than to read it.
        is_new = _IS_NEW if place.id == _NIL else ""
        rows = self._databases.get().execute(
            "SELECT received_at, id, version, payload FROM report"  # noqa: S608
            f" WHERE (received_at, id, version) > (:at, :id, :version){is_new}"
            " ORDER BY received_at, id, version LIMIT :most",
            {"at": _text(place.at), "id": place.id, "version": place.version, "most": BATCH},
        )
        newest = max([place.newest, *(_moment(at) for at, *_ in rows)])
        if len(rows) == BATCH:
            at, identifier, version, _ = rows[-1]
            after = _Place(_moment(at), str(identifier), version, newest)
        else:
            settled = self._now() - newest > _SETTLED
            after = _Place(newest if settled else max(newest - _LATE, _LONG_AGO), _NIL, 0, newest)
        return [line_of(_message(row[3])) for row in rows], after.text()

    def sample(self, report_id: str) -> Sample:
        """As in `Reports`."""
        _check_id(report_id)
        database = self._databases.get()
        rows = database.execute(
            "SELECT version, site, device FROM report WHERE id = :id ORDER BY version DESC LIMIT 1", {"id": report_id}
        )
        if not rows:
            raise GoneError(Sentence("there is no report {report} here", report=report_id), "see the worklist")
        ((version, site, device),) = rows
        ((kept,),) = database.execute(
            "SELECT count(*) FROM cell WHERE report = :report AND site = :site AND device = :device",
            {"report": report_id, "site": site, "device": device},
        )
        return self._cached(report_id, version, site, device, kept, self._steps.count_done(report_id))

    def _read(self, report_id: str, version: int, site: str, device: str, kept: int, done: int) -> Sample:
        """Read a sample; what the page asks for at each key comes from the memory."""
        database = self._databases.get()
        ((payload,),) = database.execute(
            "SELECT payload FROM report WHERE id = :id AND version = :version", {"id": report_id, "version": version}
        )
        report = decode_kept(_message(payload))
        rows = database.execute(
            "SELECT cell, payload FROM cell WHERE report = :report AND site = :site AND device = :device"
            " ORDER BY cell, version",
            {"report": report_id, "site": site, "device": device},
        )
        messages = {number: _message(payload) for number, payload in rows}
        names, looked_at = self._names_given(report, {number: one["class"] for number, one in messages.items()})
        cells, pictures = [], {}
        for number, cell in messages.items():
            xmin, ymin, xmax, ymax = cell["box"]
            suspect = tuple(cell.get("suspect", ()))
            box, shares = (xmin, ymin, xmax, ymax), cell.get("probabilities", {})
            record = CellRecord(number, cell["field"], cell["class"], cell["confidence"], box, suspect, shares)
            cells.append(Named(record, names.get(number, cell["class"]), number in names))
            pictures[number] = PictureFacts.of(cell["picture"])
        if cells:
            cells += [Named(one, names.get(one.number, UNSURE), True) for one in missed_in(report)]
        sent = next((one["grounds"] for one in messages.values() if "grounds" in one), None)
        grounds = grounds_sent(sent, report, cells)
        known = dict.fromkeys([*(one.cell_class for one in report.differential), *report.beside, *_BESIDE])
        if grounds is not None:
            known = dict.fromkeys(one.key for one in grounds.naming.classes)
        known.pop(UNSURE, None)
        findings = findings_as_sentences(report, cells, grounds)
        return Sample(report, tuple(cells), looked_at, pictures, (*known, UNSURE), grounds, "stored", findings)

    def _names_given(self, report: SampleReport, answers: Mapping[int, str]) -> tuple[dict[int, str], frozenset[int]]:
        """What people called cells, and which they looked at, as far as it is known here.

        Args:
            report: in the version in force.
            answers: class by number of the cell, as the classifier said.
        """
        names, looked_at = dict[int, str](), set[int]()
        for arguments in self._steps.done(report.id):
            for step in arguments["steps"]:
                looked_at |= set(step.get("looked_at", ()))
                names |= {number: answers[number] for number in step.get("confirmed", ()) if number in answers}
        for step in report.life.steps:
            names |= {int(one.item[5:]): one.after for one in step.changes if one.item.startswith("cell/")}
        return names, frozenset(looked_at)

    def picture(self, report_id: str, number: int) -> bytes:
        """As in `Reports`."""
        _, site, device = self._in_force(report_id)
        rows = self._databases.get().execute(
            "SELECT payload FROM cell WHERE report = :report AND cell = :cell AND site = :site AND device = :device"
            " ORDER BY version DESC LIMIT 1",
            {"report": report_id, "cell": number, "site": site, "device": device},
        )
        if not rows:
            raise GoneError(
                Sentence(
                    "there is no picture of cell {number}: it was not sent, or was pruned to make room", number=number
                ),
                "raise cells.pictures on the device for the samples to come",
            )
        return base64.b64decode(_message(rows[0][0])["picture"]["base64"])

    def field(self, report_id: str, number: int) -> None:
        """As in `Reports`: pictures of fields stay on the device."""
        return

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
            return Sentence("{device}: {answer}", device=Verbatim(device), answer=command_text)
        way = Sentence("on its way to {device}", device=Verbatim(device))
        return way.and_also(" ({why})", why=command_text) if command_text else way

    def export(self, report_id: str, form: str) -> bytes:
        """As in `Reports`; pictures of cells are left out."""
        message, _, _ = self._in_force(report_id)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"report-{report_id}-v{message['version']}.json"
            file.write_text(json.dumps(message), "utf-8")
            return exported(str(file), form)

    def _in_force(self, report_id: str) -> tuple[dict[str, Any], str, str]:
        _check_id(report_id)
        rows = self._databases.get().execute(
            "SELECT payload, site, device FROM report WHERE id = :id ORDER BY version DESC LIMIT 1", {"id": report_id}
        )
        if not rows:
            raise GoneError(Sentence("there is no report {report} here", report=report_id), "see the worklist")
        return _message(rows[0][0]), rows[0][1], rows[0][2]


_NIL = "00000000-0000-0000-0000-000000000000"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far the worklist has come."""

    at: datetime
    """Reports that came later are looked through; of those that came then, those behind id and version."""
    id: str
    version: int
    newest: datetime
    """When the newest report known came."""

    @classmethod
    def read(cls, cursor: str) -> "_Place":
        if not cursor:
            return cls(_LONG_AGO, _NIL, 0, _LONG_AGO)
        # Earlier versions kept no fourth part.
        at, identifier, version, newest = [*json.loads(cursor), None][:4]
        return cls(_moment(at), identifier, version, _moment(newest or at))

    def text(self) -> str:
        return json.dumps([_text(self.at), self.id, self.version, _text(self.newest)])


def _check_id(text: str) -> None:
    if not _ID.fullmatch(text):
        raise GoneError("there is no such report here", "see the worklist")


def _message(payload: Any) -> dict[str, Any]:
    """PostgreSQL gives JSON as it is, SQLite as text."""
    read: Mapping[str, Any] = json.loads(payload) if isinstance(payload, str | bytes) else payload
    return dict(read)


def _moment(at: Any) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def _text(at: Any) -> str:
    return _moment(at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
