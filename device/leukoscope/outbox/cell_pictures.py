"""Pictures of a report's white cells in the outbox, sent after everything else."""

import base64
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from leukoscope.messages.cell_message import decode_cell, encode_cell
from leukoscope.messages.identity import Identity
from leukoscope.outbox import white_cells
from leukoscope.outbox.counters import take_sequence
from leukoscope.outbox.entry import CELL, REPORT, Key
from leukoscope.outbox.store import Outbox, put
from leukoscope.specimen.cell import UNSURE, Box
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.sample import SampleReport
from leukoscope.system.clock import Clock


def keep_pictures(
    report: SampleReport,
    pictures: Sequence[tuple[CellRecord, CellPicture]],
    outbox: Outbox,
    identity: Identity,
    *,
    now: Clock,
) -> None:
    """Put pictures of a report's cells in the outbox, where every report goes before them.

    Raises:
        OutboxError: the disk is full or failing; then none of them is kept.
    """
    if not pictures:
        return
    moment = now()
    with outbox.writing() as sql:
        # With the first of them: where no pictures of a report are, no person names its cells.
        kept = white_cells.find(sql, report.id)
        grounds = b"" if kept is None else kept.grounds
        for cell, picture in pictures:
            sequence = take_sequence(sql)
            payload = encode_cell(
                report, cell, picture, identity, sequence=sequence, sent_clock=moment, grounds=grounds
            )
            grounds = b""
            key = Key(f"{report.id}-{cell.number}", report.version, CELL)
            put(sql, key, CELL, payload, moment)


# The id of a picture is the report's, a dash and the cell's number; a range, unlike a part of the id, uses the index.
_OF_REPORT = "kind = ? AND id > ? AND id < ?"


def _of(report_id: str) -> tuple[str, str, str]:
    return CELL, f"{report_id}-", f"{report_id}."


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture of a white cell that is still there."""

    number: int
    """Of the cell."""
    name: str
    """What the cell is called in that version: by a person, or else by the classifier."""
    by_person: bool
    """Whether a person named it so, or confirmed it."""
    webp: bytes
    box: Box
    """Of the cell, in pixels of its field."""
    um_per_px: float
    """Of the picture; the field's may be another."""
    suspect: tuple[str, ...] = ()
    """Classes that the cell may be although the classifier did not name them."""


def pictures_of(outbox: Outbox, report_id: str, version: int) -> Iterator[KeptPicture]:
    """The pictures of a report's cells that are still kept, in the order of counting."""
    with outbox.reading() as sql:
        rows = sql.execute(f"SELECT payload FROM message WHERE {_OF_REPORT} ORDER BY seq", _of(report_id)).fetchall()
        names = white_cells.names_given(sql, report_id, version)
    for (payload,) in rows:
        sent = decode_cell(payload)
        yield KeptPicture(
            number=sent.number,
            name=names.get(sent.number, sent.cell_class),
            by_person=sent.number in names,
            webp=sent.webp,
            box=sent.box,
            um_per_px=sent.um_per_px,
            suspect=sent.suspect,
        )


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a kept picture without looking at it."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    um_per_px: float
    corners: bytes = b""
    """Of the cell's outline, x and y after one another as 64-bit floats: a tenth of what tuples of pairs take, and
    a page holds them for each cell of the reports that are open."""

    @classmethod
    def of(cls, picture: Mapping[str, Any]) -> "PictureFacts":
        """Of the picture in a cell's message."""
        corners = array("d", chain.from_iterable(picture.get("outline", ()))).tobytes()
        return cls(picture["width"], picture["height"], picture["um_per_px"], corners)

    @property
    def outline(self) -> tuple[tuple[float, float], ...]:
        """Corners of the cell's outline, (x, y) in pixels of the picture; empty where they are not known."""
        numbers = array("d", self.corners)
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def facts_of(outbox: Outbox, report_id: str) -> Mapping[int, PictureFacts]:
    """What is known of the pictures of a report's cells that are still kept, by number of the cell."""
    with outbox.reading() as sql:
        rows = sql.execute(
            "SELECT json_extract(message, '$.cell'), json_remove(json_extract(message, '$.picture'), '$.base64')"
            f" FROM (SELECT CAST(payload AS TEXT) AS message FROM message WHERE {_OF_REPORT})",
            _of(report_id),
        ).fetchall()
    return {number: PictureFacts.of(json.loads(picture)) for number, picture in rows}


def webp_of(outbox: Outbox, report_id: str, number: int) -> bytes | None:
    """The picture of a cell; None where it was not kept, or was pruned."""
    with outbox.reading() as sql:
        row = sql.execute(
            "SELECT json_extract(CAST(payload AS TEXT), '$.picture.base64') FROM message WHERE kind = ? AND id = ?",
            (CELL, f"{report_id}-{number}"),
        ).fetchone()
    return None if row is None else base64.b64decode(row[0])


def called_so(outbox: Outbox, name: str, most: int, *, but: str) -> list[tuple[str, int]]:
    """Report and number of the cells with a picture that a person last called so, the newest first.

    Args:
        outbox: where they are.
        name: the class.
        most: how many.
        but: a report whose cells are left out.
    """
    with outbox.reading() as sql:
        return sql.execute(
            "SELECT verdict.report, verdict.number FROM verdict JOIN message"
            " ON message.kind = ? AND message.id = verdict.report || '-' || verdict.number"
            " WHERE verdict.class = ? AND verdict.report <> ? AND NOT EXISTS (SELECT 1 FROM verdict AS later"
            " WHERE later.report = verdict.report AND later.number = verdict.number"
            " AND later.version > verdict.version) ORDER BY message.seq DESC LIMIT ?",
            (CELL, name, but, most),
        ).fetchall()


def named_counts(outbox: Outbox) -> list[tuple[str, str, int, int]]:
    """How many cells with a picture people have named: source, class, cells and specimens, the commonest first.

    Reports of one sample id are one specimen; source is that of the report, such as "live".
    """
    with outbox.reading() as sql:
        return sql.execute(
            "WITH report AS (SELECT id, json_extract(CAST(payload AS TEXT), '$.provenance.source') AS source,"
            " COALESCE(NULLIF(json_extract(CAST(payload AS TEXT), '$.sample.sample_id'), ''), id) AS specimen"
            " FROM message WHERE kind = ? GROUP BY id)"
            " SELECT report.source, verdict.class, count(*), count(DISTINCT report.specimen) FROM verdict"
            " JOIN report ON report.id = verdict.report"
            " JOIN message ON message.kind = ? AND message.id = verdict.report || '-' || verdict.number"
            " WHERE verdict.class <> ? AND NOT EXISTS (SELECT 1 FROM verdict AS later"
            " WHERE later.report = verdict.report AND later.number = verdict.number"
            " AND later.version > verdict.version)"
            " GROUP BY report.source, verdict.class ORDER BY count(*) DESC",
            (REPORT, CELL, UNSURE),
        ).fetchall()
