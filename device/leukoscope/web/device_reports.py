"""The reports of the device that this page runs on, through the door that the command line uses."""

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from leukoscope.errors import OutboxError, ReviewError
from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.report import decode_kept
from leukoscope.messages.worklist_line import Line, line_of
from leukoscope.outbox.cell_pictures import called_so, facts_of, webp_of
from leukoscope.outbox.field_pictures import FieldPicture, FieldPictures
from leukoscope.outbox.report_lookup import beginning_of, reports_since, version_in_force
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import Desk
from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.recount import Grounds
from leukoscope.web.exports import exported
from leukoscope.web.findings_of_cells import findings_as_sentences
from leukoscope.web.reports import BATCH, Alike, GoneError, Sample, Submitted

_OPEN = 4
"""Reports that are read once for all keys on them; of 200 cells each holds half a megabyte."""


class DeviceReports:
    """As `web.reports.Reports`, of one outbox."""

    at_centre = False

    def __init__(self, desk: Desk, bench: Path, storage: Path) -> None:
        """Read from an outbox that a running device may be writing.

        Args:
            desk: where steps are taken.
            bench: the settings file, for exports.
            storage: the folder of results.
        """
        self._desk, self._bench = desk, bench
        self._fields = FieldPictures(storage)
        self._submitting = threading.Lock()
        self._cached = lru_cache(maxsize=_OPEN)(self._read)

    @property
    def _outbox(self) -> Outbox:
        return self._desk.outbox

    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        """As in `Reports`."""
        payloads, after = reports_since(self._outbox, cursor, BATCH)
        return [line_of(from_bytes(payload)) for payload in payloads], after

    def sample(self, report_id: str) -> Sample:
        """As in `Reports`."""
        found = version_in_force(self._outbox, report_id)
        if found is None:
            raise GoneError(
                Sentence(
                    "there is no report {report} here any more: those sent long ago are pruned", report=report_id[:36]
                ),
                "look for it at the centre",
            )
        return self._cached(beginning_of(self._outbox), report_id, *found)

    def _read(self, beginning: str, report_id: str, version: int, state: str) -> Sample:
        payload = self._outbox.versions(report_id)[-1].payload
        kept = self._desk.cells(report_id)
        grounds = None if kept is None else Grounds.from_json(kept.grounds)
        report, pictures = decode_kept(payload), facts_of(self._outbox, report_id)
        cells = () if kept is None else kept.cells
        return Sample(
            report=report,
            cells=cells,
            looked_at=frozenset() if kept is None else kept.looked_at,
            pictures=pictures,
            classes=() if grounds is None else (*(one.key for one in grounds.naming.classes), UNSURE),
            grounds=grounds,
            delivery=state,
            findings=findings_as_sentences(report, cells, grounds),
            fields=None if kept is None else self._desk.field_map(report, pictures),
        )

    def picture(self, report_id: str, number: int) -> bytes:
        """As in `Reports`."""
        webp = webp_of(self._outbox, report_id, number)
        if webp is None:
            raise GoneError(
                Sentence(
                    "there is no picture of cell {number}: it was not kept, or was pruned to make room", number=number
                ),
                "raise cells.pictures for the samples to come",
            )
        return webp

    def field(self, report_id: str, number: int) -> FieldPicture | None:
        """As in `Reports`."""
        return self._fields.find(report_id, number)

    def alike(self, report_id: str, name: str, most: int) -> Sequence[Alike]:
        """As in `Reports`."""
        return [Alike(*found) for found in called_so(self._outbox, name, most, but=report_id)]

    def submit(self, sample: Sample, decisions: Sequence[Decision]) -> Submitted:
        """As in `Reports`."""
        with self._submitting:
            try:
                done = self._desk.take_all(sample.report.id, decisions)
            except OutboxError as error:
                happened = Sentence("{happened}; nothing that you named is lost", happened=error.happened)
                todo = Sentence("{todo}; sign again when that is done", todo=error.todo)
                raise ReviewError(happened, todo) from error
        return Submitted(done.report.version, done.unfiled)

    def waiting(self, report_id: str) -> str:
        """As in `Reports`: steps are taken here at once."""
        return ""

    def export(self, report_id: str, form: str) -> bytes:
        """As in `Reports`; in a process of its own, so that what it needs in memory is given back."""
        return exported(report_id, form, "--bench", str(self._bench))
