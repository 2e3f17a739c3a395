"""The pictures on a PDF report: cells by class where they were kept, else fields."""

from leukoscope.exporting.drawing import MUTED
from leukoscope.exporting.paper import MARGIN, WIDTH, Paper
from leukoscope.exporting.sheet import Sheet

CELL_SIDE, CELL_GAP, CLASS_GAP = 30.0, 2.0, 10.0
CELLS_PER_CLASS = 6
NAME_HEIGHT = 10.0
FIELD_GAP = 6.0
MOST_FIELD_HEIGHT = 130.0


def pictures(paper: Paper, sheet: Sheet, top: float, bottom: float) -> None:
    """As many pictures as there is room for between two heights; none where there are none."""
    if sheet.cells and bottom - top > NAME_HEIGHT + CELL_SIDE + 6:
        paper.text(MARGIN, top, "Cells, as they were named", 9.4, bold=True)
        _cells(paper, sheet, top + 6, bottom)
    elif not sheet.cells and sheet.fields and bottom - top > 60:
        paper.text(MARGIN, top, "Fields, as the device outlined and named their cells", 9.4, bold=True)
        _fields(paper, sheet, top + 6, bottom)


def _cells(paper: Paper, sheet: Sheet, y: float, bottom: float) -> None:
    x = MARGIN
    for name, kept in sheet.cells.items():
        shown = kept[:CELLS_PER_CLASS]
        width = len(shown) * (CELL_SIDE + CELL_GAP) - CELL_GAP
        if x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + CELL_SIDE + NAME_HEIGHT + 5
        if y + CELL_SIDE + NAME_HEIGHT > bottom:
            return
        for number, picture in enumerate(shown):
            paper.picture(picture, x + number * (CELL_SIDE + CELL_GAP), y, CELL_SIDE, CELL_SIDE)
        paper.text(x, y + CELL_SIDE + 8, paper.fitted(name, max(width, 44), 6.8), 6.8, MUTED)
        x += max(width, 44) + CLASS_GAP


def _fields(paper: Paper, sheet: Sheet, y: float, bottom: float) -> None:
    x, tall = MARGIN, min(bottom - y, MOST_FIELD_HEIGHT)
    for picture in sheet.fields:
        width = paper.width_at(picture, tall)
        if x + width > WIDTH - MARGIN + 1:
            return
        paper.picture(picture, x, y, width, tall)
        x += width + FIELD_GAP
