"""White cells that the device missed: where a person may add one, and which cell is there already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leukoscope.counting.picture_window import in_field
from leukoscope.errors import ReviewError
from leukoscope.outbox.cell_pictures import PictureFacts
from leukoscope.outbox.field_pictures import FieldPictures
from leukoscope.outbox.white_cells import Named
from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import Box
from leukoscope.specimen.census import CellRecord, MissedCell
from leukoscope.specimen.place import Place
from leukoscope.specimen.sample import SampleReport

SIDE_UM = 12.0
"""Side of the box of an added cell, about the diameter of a white cell in a smear. The box lies inside the field: a
cell that the edge cuts is not counted."""
MOST_MISSED = 200
"""Cells that one step adds."""
Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The counted fields of a report that can be looked at, and where its cells lie in them."""

    um_per_px: float
    sizes: Mapping[int, tuple[int, int]]
    """(cols, rows) in pixels of each field of which a picture is kept, by its number."""
    places: Mapping[int, Place]
    """Where counted fields lie on the slide, by their number."""
    pictures: Mapping[int, PictureFacts]
    """Of cells, by number: where one has an outline, a place beside that is free; else the cell's box stands for it."""
    apart: bool
    """No two fields show the same part of the slide."""

    def box_of(self, x: int, y: int) -> tuple[int, int, int, int]:
        """The box of a cell that is added there, [xmin, ymin, xmax, ymax]."""
        return _box_of(x, y, self.um_per_px)

    def check(self, field: int, x: int, y: int) -> None:
        """Whether a cell may be added there.

        Raises:
            ReviewError: it may not; the words say why.
        """
        if field not in self.sizes:
            raise ReviewError(
                Sentence("no picture of field {field} is kept, so no cell can be added there", field=field),
                "cells are added where the page shows a field; raise cells.fields for the samples to come",
            )
        if not self.apart and field not in self.places:
            raise ReviewError(
                Sentence(
                    "where field {field} lies was not kept, so a cell there may be counted in another field already",
                    field=field,
                ),
                "count the slide again to add cells",
            )
        cols, rows = self.sizes[field]
        xmin, ymin, xmax, ymax = self.box_of(x, y)
        if xmin < 0 or ymin < 0 or xmax > cols or ymax > rows:
            raise ReviewError(
                Sentence(
                    "a cell less than {um} µm from the edge of field {field} may be cut by it, found ({x}, {y}) of "
                    "{cols} x {rows} pixels",
                    um=f"{SIDE_UM / 2:.0f}",
                    field=field,
                    x=x,
                    y=y,
                    cols=cols,
                    rows=rows,
                ),
                "add it where another field shows it whole, or leave it out",
            )

    def cell_at(self, cells: Iterable[Named], field: int, x: float, y: float) -> int | None:
        """The number of the cell that is there already, in this field or in one that shows the same place."""
        for cell in cells:
            if (point := self._seen_from(cell.record, field, x, y)) is not None and self._holds(cell.record, *point):
                return cell.record.number
        return None

    def _seen_from(self, cell: CellRecord, field: int, x: float, y: float) -> tuple[float, float] | None:
        """A point of a field in pixels of the field that shows a cell best; None where the two are apart."""
        if cell.field == field:
            return x, y
        here, there = self.places.get(field), self.places.get(cell.field)
        if here is None or there is None or here.patch != there.patch:
            return None
        return x + here.col - there.col, y + here.row - there.row

    def outline_of(self, cell: CellRecord) -> Corners | None:
        """Corners of a cell's outline, (x, y) in pixels of its field; None where it is not known."""
        picture = self.pictures.get(cell.number)
        if picture is None or not picture.outline:
            return None
        xmin, ymin, xmax, ymax = cell.box
        return in_field(picture.outline, Box(ymin, xmin, ymax, xmax), self.um_per_px, picture.um_per_px)

    def _holds(self, cell: CellRecord, x: float, y: float) -> bool:
        xmin, ymin, xmax, ymax = cell.box
        if not (xmin <= x < xmax and ymin <= y < ymax):
            return False
        outline = self.outline_of(cell)
        return outline is None or _is_inside(outline, x, y)


def field_map(report: SampleReport, pictures: Mapping[int, PictureFacts], fields: FieldPictures) -> FieldMap:
    """What is known of a report's fields.

    Args:
        report: in any version.
        pictures: what is known of the pictures of its cells, by number of the cell.
        fields: the device's pictures of fields.
    """
    sizes = {number: (one.cols, one.rows) for number, one in fields.all_of(report.id).items()}
    apart = report.patches is None or report.fields_counted == 1
    return FieldMap(report.provenance.um_per_px, sizes, fields.places(report.id), pictures, apart)


def missed_in(report: SampleReport) -> list[CellRecord]:
    """The cells that people added to a report, as its history says."""
    changes = (one for step in report.life.steps for one in step.changes)
    placed = ((int(one.item.removeprefix("cell/")), one.missed_at) for one in changes if one.missed_at is not None)
    um_per_px = report.provenance.um_per_px
    return [CellRecord(number, at[0], "", 0.0, _box_of(at[1], at[2], um_per_px)) for number, at in placed if at]


def _box_of(x: int, y: int, um_per_px: float) -> tuple[int, int, int, int]:
    reach = round(SIDE_UM / um_per_px / 2)
    return x - reach, y - reach, x + reach, y + reach


def added_cells(known: Sequence[Named], missed: Iterable[MissedCell], fields: FieldMap | None) -> list[CellRecord]:
    """Records of cells that a person adds, numbered behind those that there are.

    Args:
        known: the cells of the report.
        missed: what is added.
        fields: what is known of the fields; None where no picture of any is kept.

    Raises:
        ReviewError: one may not be added there, or is there already.
    """
    added: list[CellRecord] = []
    number = max((cell.record.number for cell in known), default=0)
    for one in missed:
        if fields is None:
            raise ReviewError("no pictures of fields are kept, so no cell can be added", "name cells that there are")
        fields.check(one.field, one.x, one.y)
        there = [*known, *(Named(record, one.name, True) for record in added)]
        if (found := fields.cell_at(there, one.field, one.x, one.y)) is not None:
            raise ReviewError(
                Sentence(
                    "cell {found} lies at ({x}, {y}) of field {field}: it would be counted twice",
                    found=found,
                    x=one.x,
                    y=one.y,
                    field=one.field,
                ),
                Sentence("name it instead, as {found}={name}", found=found, name=one.name),
            )
        number += 1
        added.append(CellRecord(number, one.field, "", 0.0, fields.box_of(one.x, one.y)))
    return added


def _is_inside(corners: Corners, x: float, y: float) -> bool:
    """Whether a ray from the point crosses the outline an odd number of times (Shimrat 1962)."""
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside
