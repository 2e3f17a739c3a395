"""A counted field as it is written down, so that the slide can be built again after a power cut."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.sights import Seen
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import Sight

Picture = NDArray[np.uint8]
"""A small grey picture, shape (rows, cols)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What has to be known of a field to count it again."""

    seen: Seen
    place: Place | None
    """Where it was thought to lie before its cells were asked; None for the first of a new patch."""
    picture: Picture | None
    """What it is recognised by; None where every picture is another place."""


def as_event(field: Written) -> dict[str, Any]:
    """The field, JSON-ready; `read_event` gives back exactly this."""
    seen, place = field.seen, field.place
    return {
        "size": [seen.rows, seen.cols],
        "um_per_px": seen.um_per_px,
        "place": None if place is None else place_as_list(place),
        "picture": None if field.picture is None else _as_text(field.picture),
        "sights": [_sight_as_list(sight) for sight in seen.sights],
    }


def read_event(event: Mapping[str, Any]) -> Written:
    """The field of an event that `as_event` made."""
    rows, cols = event["size"]
    return Written(
        seen=Seen(tuple(_read_sight(entry) for entry in event["sights"]), rows, cols, event["um_per_px"]),
        place=None if event["place"] is None else Place(*event["place"]),
        picture=None if event["picture"] is None else _read_picture(event["picture"]),
    )


def place_as_list(place: Place) -> list[float]:
    """[patch, row, col]."""
    return [place.patch, place.row, place.col]


def _sight_as_list(sight: Sight) -> list[Any]:
    box = sight.box
    return [
        sight.field,
        sight.kind.value,
        [box.row, box.col, box.row_end, box.col_end],
        sight.score,
        int(sight.whole),
        int(sight.in_frame),
        sight.cell_class,
        sight.confidence,
        dict(sight.probabilities),
        sight.diameter_um,
        int(sight.irregular),
    ]


def _read_sight(entry: list[Any]) -> Sight:
    number, kind, box, score, whole, in_frame, cell_class, confidence, probabilities, diameter_um, irregular = entry
    return Sight(
        field=number,
        kind=CellKind(kind),
        box=Box(*box),
        score=score,
        whole=bool(whole),
        in_frame=bool(in_frame),
        cell_class=cell_class,
        confidence=confidence,
        probabilities=probabilities,
        diameter_um=diameter_um,
        irregular=bool(irregular),
    )


def _as_text(picture: Picture) -> str:
    _, png = cv2.imencode(".png", picture)
    return base64.b64encode(png.tobytes()).decode("ascii")


def _read_picture(text: str) -> Picture:
    png = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.asarray(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
