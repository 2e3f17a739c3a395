"""The reports of the device that this page runs on, through the door that the command line uses."""

import base64
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from leukoscope.errors import OutboxError, ReviewError
from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.report import decode
from leukoscope.messages.worklist_line import Line, line_of
from leukoscope.outbox.store import CELL, REPORT, Outbox
from leukoscope.outbox.white_cells import find
from leukoscope.reviewing.desk import Desk
from leukoscope.reviewing.review import Word
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.recount import Grounds
from leukoscope.web.exports import exported
from leukoscope.web.reports import BATCH, Alike, GoneError, PictureFacts, Sample, Submitted


class DeviceReports:
    """As `web.reports.Reports`, of one outbox."""

    at_centre = False

    def __init__(self, desk: Desk, storage: Path, bench: Path) -> None:
        """Read from an outbox that a running device may be writing.

        Args:
            desk: where steps are taken.
            storage: the folder of results.
            bench: the settings file, for exports.
        """
        self._desk, self._storage, self._bench = desk, storage, bench
        self._submitting = threading.Lock()
        self._cached = lru_cache(maxsize=8)(self._read)

    @property
    def _outbox(self) -> Outbox:
        return self._desk.outbox

    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        """As in `Reports`."""
        with self._outbox.reading() as sql:
            rows = sql.execute(
                "SELECT seq, payload FROM message WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?",
                (REPORT, int(cursor or 0), BATCH),
            ).fetchall()
        return [line_of(from_bytes(payload)) for _, payload in rows], str(rows[-1][0]) if rows else cursor

    def sample(self, report_id: str) -> Sample:
        """As in `Reports`."""
        with self._outbox.reading() as sql:
            row = sql.execute(
                "SELECT version, state FROM message WHERE kind = ? AND id = ? ORDER BY version DESC LIMIT 1",
                (REPORT, report_id),
            ).fetchone()
        if row is None:
            raise GoneError(f"there is no report {report_id[:36]} here any more: those sent long ago are pruned")
        return self._cached(report_id, row[0], row[1])

    def _read(self, report_id: str, version: int, state: str) -> Sample:
        payload = self._outbox.versions(report_id)[-1].payload
        with self._outbox.reading() as sql:
            kept = find(sql, report_id)
            rows = sql.execute(
                "SELECT json_extract(CAST(payload AS TEXT), '$.cell'),"
                " json_extract(CAST(payload AS TEXT), '$.picture.width'),"
                " json_extract(CAST(payload AS TEXT), '$.picture.height'),"
                " json_extract(CAST(payload AS TEXT), '$.picture.um_per_px')"
                " FROM message WHERE kind = ? AND substr(id, 1, 36) = ?",
                (CELL, report_id),
            ).fetchall()
        grounds = None if kept is None else Grounds.from_json(kept.grounds)
        return Sample(
            report=decode(payload),
            cells=() if kept is None else kept.cells,
            looked_at=frozenset() if kept is None else kept.looked_at,
            pictures={number: PictureFacts(width, height, scale) for number, width, height, scale in rows},
            classes=() if grounds is None else (*(one.key for one in grounds.naming.classes), UNSURE),
            grounds=grounds,
            delivery=state,
        )

    def picture(self, report_id: str, number: int) -> bytes:
        """As in `Reports`."""
        with self._outbox.reading() as sql:
            row = sql.execute(
                "SELECT json_extract(CAST(payload AS TEXT), '$.picture.base64') FROM message WHERE kind = ? AND id = ?",
                (CELL, f"{report_id}-{number}"),
            ).fetchone()
        if row is None:
            raise GoneError(f"there is no picture of cell {number}: it was not kept, or was pruned to make room")
        return base64.b64decode(row[0])

    def alike(self, report_id: str, name: str, most: int) -> Sequence[Alike]:
        """As in `Reports`."""
        with self._outbox.reading() as sql:
            rows = sql.execute(
                "SELECT verdict.report, verdict.number FROM verdict JOIN message"
                " ON message.kind = ? AND message.id = verdict.report || '-' || verdict.number"
                " WHERE verdict.class = ? AND verdict.report <> ? ORDER BY message.seq DESC LIMIT ?",
                (CELL, name, report_id, most),
            ).fetchall()
        return [Alike(report, number) for report, number in rows]

    def submit(self, sample: Sample, words: Sequence[Word]) -> Submitted:
        """As in `Reports`."""
        with self._submitting:
            try:
                done = self._desk.take_all(sample.report.id, words)
            except OutboxError as error:
                raise ReviewError(f"{error}; nothing that you named is lost: sign again when that is done") from error
        return Submitted(done.version, f"version {done.version} is {done.life.status}")

    def waiting(self, report_id: str) -> str:
        """As in `Reports`: steps are taken here at once."""
        return ""

    def export(self, report_id: str, form: str) -> bytes:
        """As in `Reports`; in a process of its own, so that what it needs in memory is given back."""
        return exported(report_id, form, "--bench", str(self._bench))
