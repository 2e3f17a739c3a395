"""A counted field as it is written down, so that the slide can be built again after a power cut."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.counting.detections import Detection
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import Sight

Picture = NDArray[np.uint8]
"""A small grey picture, shape (rows, cols)."""
PICTURE_QUALITY = 5
"""Of WebP, 0-100: a place is recognised by its cells, not by their grain, and a memory card wears with every byte."""


@dataclass(frozen=True, slots=True)
class FieldRecord:
    """What has to be known of a field to count it again."""

    seen: Detection
    place: Place | None
    """Where it was thought to lie before its cells were asked; None for the first of a new patch."""
    picture: Picture | None
    """What it is recognised by; None where every picture is another place."""


def as_event(field: FieldRecord) -> dict[str, Any]:
    """The field, JSON-ready but for the picture's bytes; `read_event` gives back exactly this, with less grain."""
    seen, place = field.seen, field.place
    return {
        "size": [seen.rows, seen.cols],
        "um_per_px": seen.um_per_px,
        "place": None if place is None else place_as_list(place),
        "picture": None if field.picture is None else _as_webp(field.picture),
        "sights": _sights_as_columns(seen.sights),
    }


def read_event(event: Mapping[str, Any]) -> FieldRecord:
    """The field of an event that `as_event` made."""
    rows, cols = event["size"]
    return FieldRecord(
        seen=Detection(tuple(_read_sights(event["sights"])), rows, cols, event["um_per_px"]),
        place=None if event["place"] is None else Place(*event["place"]),
        picture=None if event["picture"] is None else _read_picture(event["picture"]),
    )


def place_as_list(place: Place) -> list[float]:
    """[patch, row, col]."""
    return [place.patch, place.row, place.col]


def _sights_as_columns(sights: tuple[Sight, ...]) -> dict[str, Any]:
    """Column by column: like stands beside like, which halves what is left of it once compressed."""
    return {
        "field": [sight.field for sight in sights],
        "kind": [sight.kind.value for sight in sights],
        "row": [sight.box.row for sight in sights],
        "col": [sight.box.col for sight in sights],
        "height": [sight.box.row_end - sight.box.row for sight in sights],
        "width": [sight.box.col_end - sight.box.col for sight in sights],
        "score": [sight.score for sight in sights],
        "whole": _as_digits(sight.whole for sight in sights),
        "in_frame": _as_digits(sight.in_frame for sight in sights),
        "class": [sight.cell_class for sight in sights],
        "confidence": [None if sight.confidence == sight.score else sight.confidence for sight in sights],
        "probabilities": {i: dict(sight.probabilities) for i, sight in enumerate(sights) if sight.probabilities},
        "diameter_um": [sight.diameter_um for sight in sights],
        "irregular": _as_digits(sight.irregular for sight in sights),
        "suspect": {i: list(sight.suspect) for i, sight in enumerate(sights) if sight.suspect},
    }


def _as_digits(flags: Iterable[bool]) -> str:
    return "".join(str(int(flag)) for flag in flags)


def _read_sights(columns: Mapping[str, Any]) -> Iterator[Sight]:
    probabilities = {int(index): shares for index, shares in columns["probabilities"].items()}
    # Journals of versions up to 0.1.0 have no suspects.
    suspect = {int(index): tuple(classes) for index, classes in columns.get("suspect", {}).items()}
    names = ("score", "whole", "in_frame", "class", "confidence", "diameter_um", "irregular")
    boxes = zip(*(columns[name] for name in ("row", "col", "height", "width")), strict=True)
    looks = zip(*(columns[name] for name in names), strict=True)
    sights = zip(columns["field"], columns["kind"], boxes, looks, strict=True)
    for index, (number, kind, (row, col, height, width), look) in enumerate(sights):
        score, whole, in_frame, cell_class, confidence, diameter_um, irregular = look
        yield Sight(
            field=number,
            kind=CellKind(kind),
            box=Box(row, col, row + height, col + width),
            score=score,
            whole=whole == "1",
            in_frame=in_frame == "1",
            cell_class=cell_class,
            confidence=score if confidence is None else confidence,
            probabilities=probabilities.get(index, {}),
            diameter_um=diameter_um,
            irregular=irregular == "1",
            suspect=suspect.get(index, ()),
        )


def _as_webp(picture: Picture) -> bytes:
    _, webp = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, PICTURE_QUALITY])
    return webp.tobytes()


def _read_picture(webp: bytes) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
