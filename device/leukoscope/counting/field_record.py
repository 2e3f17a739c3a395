"""A counted field as it is written down, so that the slide can be built again after a power cut."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.counting.detections import FieldDetections
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import CellDetection

Picture = NDArray[np.uint8]
"""A small grey picture, shape (rows, cols)."""
PICTURE_QUALITY = 5
"""Of WebP, 0-100: a place is recognised by its cells, not by their grain, and a memory card wears with every byte."""


@dataclass(frozen=True, slots=True)
class FieldRecord:
    """What has to be known of a field to count it again."""

    seen: FieldDetections
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
        # Journals of earlier versions call detections so, and are read after an update.
        "sights": _detections_as_columns(seen.detections),
    }


def read_event(event: Mapping[str, Any]) -> FieldRecord:
    """The field of an event that `as_event` made."""
    rows, cols = event["size"]
    return FieldRecord(
        seen=FieldDetections(tuple(_read_detections(event["sights"])), rows, cols, event["um_per_px"]),
        place=None if event["place"] is None else Place(*event["place"]),
        picture=None if event["picture"] is None else _read_picture(event["picture"]),
    )


def place_as_list(place: Place) -> list[float]:
    """[patch, row, col]."""
    return [place.patch, place.row, place.col]


def _detections_as_columns(detections: tuple[CellDetection, ...]) -> dict[str, Any]:
    """Column by column: like stands beside like, which halves what is left of it once compressed."""
    return {
        "field": [detection.field for detection in detections],
        "kind": [detection.kind.value for detection in detections],
        "row": [detection.box.row for detection in detections],
        "col": [detection.box.col for detection in detections],
        "height": [detection.box.row_end - detection.box.row for detection in detections],
        "width": [detection.box.col_end - detection.box.col for detection in detections],
        "score": [detection.score for detection in detections],
        "whole": _as_digits(detection.whole for detection in detections),
        "in_frame": _as_digits(detection.in_frame for detection in detections),
        "class": [detection.cell_class for detection in detections],
        "confidence": [
            None if detection.confidence == detection.score else detection.confidence for detection in detections
        ],
        "probabilities": {
            i: dict(detection.probabilities) for i, detection in enumerate(detections) if detection.probabilities
        },
        "diameter_um": [detection.diameter_um for detection in detections],
        "irregular": _as_digits(detection.irregular for detection in detections),
        "suspect": {i: list(detection.suspect) for i, detection in enumerate(detections) if detection.suspect},
    }


def _as_digits(flags: Iterable[bool]) -> str:
    return "".join(str(int(flag)) for flag in flags)


def _read_detections(columns: Mapping[str, Any]) -> Iterator[CellDetection]:
    probabilities = {int(index): shares for index, shares in columns["probabilities"].items()}
    # Journals of versions up to 0.1.0 have no suspects.
    suspect = {int(index): tuple(classes) for index, classes in columns.get("suspect", {}).items()}
    names = ("score", "whole", "in_frame", "class", "confidence", "diameter_um", "irregular")
    boxes = zip(*(columns[name] for name in ("row", "col", "height", "width")), strict=True)
    looks = zip(*(columns[name] for name in names), strict=True)
    detections = zip(columns["field"], columns["kind"], boxes, looks, strict=True)
    for index, (number, kind, (row, col, height, width), look) in enumerate(detections):
        score, whole, in_frame, cell_class, confidence, diameter_um, irregular = look
        yield CellDetection(
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
