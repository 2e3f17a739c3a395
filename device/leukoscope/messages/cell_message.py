"""The picture of a white cell as a message: schema leukoscope/cell/1, and back again."""

import base64
from dataclasses import dataclass
from datetime import datetime

from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_text, validate
from leukoscope.specimen.cell import Box
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.sample import SampleReport

CELL_SCHEMA = "leukoscope/cell/1"


@dataclass(frozen=True, slots=True)
class SentPicture:
    """What a message says about a cell and its picture."""

    number: int
    """Of the cell in its report."""
    cell_class: str
    """As the classifier named it."""
    box: Box
    """In pixels of its field."""
    webp: bytes
    um_per_px: float
    """Of the picture; the field's may be another."""
    suspect: tuple[str, ...] = ()
    """Classes that the cell may be although the classifier did not name them."""


def encode_cell(
    report: SampleReport,
    cell: CellRecord,
    picture: CellPicture,
    identity: Identity,
    *,
    sequence: int,
    sent_clock: datetime,
    grounds: bytes = b"",
) -> bytes:
    """The message of one cell of a report.

    Args:
        report: the one that counts the cell.
        cell: which it is.
        picture: of it.
        identity: of the device.
        sequence: the outbox's counter.
        sent_clock: when the message was made; timezone-aware.
        grounds: what the report's numbers rest on, with one of its cells; empty with the others.

    Raises:
        InvalidMessage: it breaks the published schema.
    """
    message = {
        "schema": CELL_SCHEMA,
        "report": report.id,
        "version": report.version,
        "cell": cell.number,
        "class": cell.cell_class,
        "confidence": cell.confidence,
        **({"suspect": list(cell.suspect)} if cell.suspect else {}),
        **({"probabilities": dict(cell.probabilities)} if cell.probabilities else {}),
        **({"grounds": from_bytes(grounds)} if grounds else {}),
        "field": cell.field,
        "box": list(cell.box),
        "source": report.provenance.source.value,
        "picture": {
            "format": "webp",
            "width": picture.width,
            "height": picture.height,
            "um_per_px": picture.um_per_px,
            **({"outline": [list(corner) for corner in picture.outline]} if picture.outline else {}),
            "base64": base64.b64encode(picture.webp).decode("ascii"),
        },
        "envelope": {
            "boot_id": identity.boot_id,
            "sequence": sequence,
            "sent_clock": utc_text(sent_clock),
            "clock_synchronised": report.provenance.clock_synchronised,
            "historical": False,
        },
    }
    validate(message, CELL_SCHEMA)
    return to_bytes(message)


def decode_cell(payload: bytes) -> SentPicture:
    """What `encode_cell` wrote.

    Raises:
        InvalidMessage: the payload is no JSON object.
    """
    message = from_bytes(payload)
    picture = message["picture"]
    xmin, ymin, xmax, ymax = message["box"]
    return SentPicture(
        number=message["cell"],
        cell_class=message["class"],
        box=Box(ymin, xmin, ymax, xmax),
        webp=base64.b64decode(picture["base64"]),
        um_per_px=picture["um_per_px"],
        suspect=tuple(message.get("suspect", ())),
    )
