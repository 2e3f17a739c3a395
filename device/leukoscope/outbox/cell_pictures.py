"""Pictures of a report's white cells in the outbox, sent after everything else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leukoscope.messages.cell_message import decode_cell, encode_cell
from leukoscope.messages.identity import Identity
from leukoscope.outbox import white_cells
from leukoscope.outbox.store import CELL, Key, Outbox, put, take_sequence
from leukoscope.specimen.cell import Box
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
        for cell, picture in pictures:
            payload = encode_cell(report, cell, picture, identity, sequence=take_sequence(sql), sent_clock=moment)
            key = Key(f"{report.id}-{cell.number}", report.version, CELL)
            put(sql, key, CELL, payload, moment)


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


def pictures_of(outbox: Outbox, report_id: str, version: int) -> Iterator[KeptPicture]:
    """The pictures of a report's cells that are still kept, in the order of counting."""
    with outbox.reading() as sql:
        rows = sql.execute(
            "SELECT payload FROM message WHERE kind = ? AND substr(id, 1, 36) = ? ORDER BY seq", (CELL, report_id)
        ).fetchall()
        said = white_cells.names_given(sql, report_id, version)
    for (payload,) in rows:
        sent = decode_cell(payload)
        yield KeptPicture(
            number=sent.number,
            name=said.get(sent.number, sent.cell_class),
            by_person=sent.number in said,
            webp=sent.webp,
            box=sent.box,
            um_per_px=sent.um_per_px,
        )
