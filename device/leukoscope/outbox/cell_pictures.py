"""Pictures of a report's white cells as messages: schema leukoscope/cell/1, sent after everything else."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_text, validate
from leukoscope.outbox import white_cells
from leukoscope.outbox.store import CELL, Key, Outbox, put, take_sequence
from leukoscope.specimen.cell import Box
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.sample import SampleReport
from leukoscope.system.clock import Clock

CELL_SCHEMA = "leukoscope/cell/1"


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
            message = {
                "schema": CELL_SCHEMA,
                "report": report.id,
                "version": report.version,
                "cell": cell.number,
                "class": cell.cell_class,
                "confidence": cell.confidence,
                **({"suspect": list(cell.suspect)} if cell.suspect else {}),
                "field": cell.field,
                "box": list(cell.box),
                "source": report.provenance.source.value,
                "picture": {
                    "format": "webp",
                    "width": picture.width,
                    "height": picture.height,
                    "um_per_px": picture.um_per_px,
                    "base64": base64.b64encode(picture.webp).decode("ascii"),
                },
                "envelope": {
                    "boot_id": identity.boot_id,
                    "sequence": take_sequence(sql),
                    "sent_clock": utc_text(moment),
                    "clock_synchronised": report.provenance.clock_synchronised,
                    "historical": False,
                },
            }
            validate(message, CELL_SCHEMA)
            key = Key(f"{report.id}-{cell.number}", report.version, CELL)
            put(sql, key, CELL, to_bytes(message), moment)


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
        message = from_bytes(payload)
        number, picture = message["cell"], message["picture"]
        xmin, ymin, xmax, ymax = message["box"]
        yield KeptPicture(
            number=number,
            name=said.get(number, message["class"]),
            by_person=number in said,
            webp=base64.b64decode(picture["base64"]),
            box=Box(ymin, xmin, ymax, xmax),
            um_per_px=picture["um_per_px"],
        )
