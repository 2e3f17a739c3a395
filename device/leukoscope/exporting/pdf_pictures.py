"""The pictures on a PDF report: cells by class where they were kept, else fields."""

from collections.abc import Sequence
from dataclasses import dataclass

from leukoscope.exporting.drawing import INK, MUTED
from leukoscope.exporting.paper import MARGIN, WIDTH, Paper
from leukoscope.exporting.sheet import Sheet

CELL_SIDE, CELL_GAP, CLASS_GAP = 30.0, 2.0, 10.0
CELLS_PER_CLASS = 6
LEAST_NAME_WIDTH = 44.0
NAME_HEIGHT = 10.0
NAME_SIZE = 6.8
FIELD_GAP = 6.0
MOST_FIELD_HEIGHT = 130.0


def pictures(paper: Paper, sheet: Sheet, top: float, bottom: float) -> bool:
    """As many pictures as there is room for between two heights; none where there are none.

    Returns whether there was room for cells of every class that the report points out.
    """
    if sheet.cells and bottom - top > NAME_HEIGHT + CELL_SIDE + 6:
        return _cells(paper, sheet, top, bottom)
    if not sheet.cells and sheet.fields and bottom - top > 60:
        paper.text(MARGIN, top, "Fields, as the device outlined and named their cells", 9.4, bold=True)
        _fields(paper, sheet, top + 6, bottom)
    return False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the pictures of a class go."""

    name: str
    shown: Sequence[bytes]
    x: float
    y: float
    width: float


def _cells(paper: Paper, sheet: Sheet, top: float, bottom: float) -> bool:
    """Rather one picture of each class than six of the first, but of what is pointed out all that are shown."""
    for most in range(CELLS_PER_CLASS, 0, -1):
        places = _places(paper, sheet, most, top + 6, bottom)
        if len(places) == len(sheet.cells):
            break
    left_out = len(sheet.cells) - len(places)
    more = f"; {left_out} more classes are in the HTML" if left_out else ""
    paper.text(MARGIN, top, f"Cells, as they were named{more}", 9.4, bold=True)
    for place in places:
        for number, picture in enumerate(place.shown):
            paper.picture(picture, place.x + number * (CELL_SIDE + CELL_GAP), place.y, CELL_SIDE, CELL_SIDE)
        name = paper.fitted(place.name, place.width, NAME_SIZE)
        paper.text(place.x, place.y + CELL_SIDE + 8, name, NAME_SIZE, INK if place.name in sheet.pointed_out else MUTED)
    return {place.name for place in places} >= set(sheet.pointed_out)


def _places(paper: Paper, sheet: Sheet, most: int, y: float, bottom: float) -> list[_Place]:
    """Of as many classes as there is room for, when each shows up to `most` pictures."""
    x, places = MARGIN, list[_Place]()
    for name, kept in sheet.cells.items():
        shown = kept[: CELLS_PER_CLASS if name in sheet.pointed_out else most]
        # What is pointed out is named whole: cut, "may be blasts, not named so" says something else.
        named = paper.width(name, NAME_SIZE) if name in sheet.pointed_out else LEAST_NAME_WIDTH
        width = max(len(shown) * (CELL_SIDE + CELL_GAP) - CELL_GAP, named)
        if x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + CELL_SIDE + NAME_HEIGHT + 5
        if y + CELL_SIDE + NAME_HEIGHT > bottom:
            break
        places.append(_Place(name, shown, x, y, width))
        x += width + CLASS_GAP
    return places


def _fields(paper: Paper, sheet: Sheet, y: float, bottom: float) -> None:
    x, tall = MARGIN, min(bottom - y, MOST_FIELD_HEIGHT)
    for picture in sheet.fields:
        width = paper.width_at(picture, tall)
        if x + width > WIDTH - MARGIN + 1:
            return
        paper.picture(picture, x, y, width, tall)
        x += width + FIELD_GAP
