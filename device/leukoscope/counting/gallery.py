"""Small pictures of white cells, of those that are most worth a second look."""

import heapq
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from leukoscope.counting.outline_polygon import polygon_of
from leukoscope.counting.picture_window import window_of
from leukoscope.schema import FrozenModel
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.field import CountedField, RejectedField
from leukoscope.specimen.frame import Micrograph

MOST_BYTES = 8192
"""Of one picture."""
LONGEST_SIDE = 160
"""Pixels; a larger picture is made smaller, about 0.1 µm per pixel for a large cell."""
Corners = tuple[int, int, int, int]
_QUALITIES = (85, 70, 50, 30, 10)


class CellSettings(FrozenModel):
    """Small pictures of white cells, sent after the report for people to review."""

    pictures: Annotated[int, Field(ge=0, le=1000)] = 0
    """Per sample, 0-1000; of more cells than that those the classifier was least sure of. 0: none are made."""
    fields: Annotated[int, Field(ge=0, le=1000)] = 0
    """Small pictures of whole fields with white cells per sample, 0-1000, some 100 kB each; the first that are counted.
    They stay on the device, for the page to show what lies around a cell."""
    fields_max_mib: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Mebibytes of them all; those of the oldest reports make room."""


class Gallery:
    """Pictures of white cells, taken while their field is at hand."""

    def __init__(self, settings: CellSettings) -> None:
        self._most_sent = settings.pictures
        # A cell can be in several fields; which of them shows it best is known at the end.
        self._most_held = 2 * settings.pictures
        self._pictures: list[tuple[float, int, tuple[int, Corners], CellPicture]] = []
        self._taken = 0

    def add(self, field: CountedField | RejectedField, number: int) -> None:
        """Take pictures of a field's whole white cells; when there are too many, those of the surest go.

        Args:
            field: one look at the slide; a refused one holds nothing.
            number: which counted field of the sample it is, from 1.

        Raises:
            OSError: the encoder failed.
        """
        if isinstance(field, RejectedField):
            return
        for cell in field.cells:
            if cell.instance.kind is not CellKind.WBC or cell.instance.touches_border:
                continue
            full = len(self._pictures) >= self._most_held
            if full and (not self._pictures or -cell.confidence <= self._pictures[0][0]):
                continue
            self._taken += 1
            box = cell.instance.box
            picture = picture_of(field.micrograph, box, cell.instance.outline)
            entry = (-cell.confidence, self._taken, (number, box.as_xyxy()), picture)
            (heapq.heapreplace if full else heapq.heappush)(self._pictures, entry)

    def pictures(self, cells: Sequence[CellRecord]) -> list[tuple[CellRecord, CellPicture]]:
        """Pictures of a report's cells, of the least sure ones, in the order of their numbers."""
        found = {where: picture for _, _, where, picture in self._pictures}
        shown = [(cell, found[cell.field, cell.box]) for cell in cells if (cell.field, cell.box) in found]
        least_sure = sorted(shown, key=lambda one: (one[0].confidence, one[0].number))[: self._most_sent]
        return sorted(least_sure, key=lambda one: one[0].number)


def picture_of(micrograph: Micrograph, box: Box, outline: NDArray[np.bool_] | None = None) -> CellPicture:
    """A cell and what is around it, as WebP of at most MOST_BYTES; cut where the field ends.

    Args:
        micrograph: the field.
        box: of the cell.
        outline: which pixels of the box are cell; None: the picture says nothing of it.

    Raises:
        OSError: the encoder failed.
    """
    top, left, bottom, right = window_of(box)
    pixels = micrograph.pixels[top:bottom, left:right]
    picture = encode_webp(pixels, micrograph.um_per_px)
    if outline is None:
        return picture
    by = micrograph.um_per_px / picture.um_per_px
    corners = [(by * (x + box.col - left), by * (y + box.row - top)) for x, y in polygon_of(outline)]
    return replace(picture, outline=tuple((round(x, 1), round(y, 1)) for x, y in corners))


def encode_webp(pixels: NDArray[np.uint8], um_per_px: float) -> CellPicture:
    """A picture as WebP of at most MOST_BYTES: first the quality is lowered until it fits, then the size.

    Args:
        pixels: RGB, shape (rows, cols, 3).
        um_per_px: its scale.

    Raises:
        OSError: the encoder failed.
    """
    whole = Image.fromarray(pixels)
    side = min(LONGEST_SIDE, max(whole.size))
    while True:
        shrunk = whole if side == max(whole.size) else _shrink(whole, side)
        for quality in _QUALITIES:
            content = io.BytesIO()
            try:
                shrunk.save(content, "WEBP", quality=quality, method=4)
            except KeyError as error:
                raise OSError(
                    "this Pillow was built without WebP: install another, or set cells.pictures to 0"
                ) from error
            if content.tell() <= MOST_BYTES:
                scale = um_per_px * max(whole.size) / max(shrunk.size)
                return CellPicture(content.getvalue(), shrunk.width, shrunk.height, scale)
        side = side * 3 // 4


def _shrink(whole: Image.Image, side: int) -> Image.Image:
    by = side / max(whole.size)
    size = max(1, round(whole.width * by)), max(1, round(whole.height * by))
    return whole.resize(size, Image.Resampling.LANCZOS)
