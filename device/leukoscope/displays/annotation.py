"""A field with its cells drawn over it: outlines, nuclei and class names."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from leukoscope.displays.annotation_key import with_key
from leukoscope.specimen.cell import UNSURE, Box, CellKind, ClassifiedCell
from leukoscope.specimen.field import CountedField, RejectedField

COLOURS = {
    CellKind.RBC: (200, 40, 40),
    CellKind.WBC: (20, 60, 220),
    CellKind.PLATELET: (0, 140, 60),
}
UNSURE_COLOUR = (230, 130, 0)
MEANINGS = (
    ("red cell", COLOURS[CellKind.RBC], 2),
    ("white cell", COLOURS[CellKind.WBC], 2),
    ("platelet", COLOURS[CellKind.PLATELET], 2),
    ("unsure", UNSURE_COLOUR, 2),
    ("thin: nucleus, or cut by the edge", (90, 90, 90), 1),
)
"""Words, colour and thickness of the outlines."""
MIN_COLS = 960
"""A small field is enlarged to about this many pixels, so that names can be read."""


def annotate(field: CountedField | RejectedField) -> Image.Image:
    """The field's picture with the outline of every cell, and the class of every white cell by name.

    Nuclei, and cells cut by the border, are drawn thin. A refused field says so in its corner. A strip
    below the picture explains the colours and holds a scale bar.
    """
    pixels = field.micrograph.pixels
    zoom = max(1, round(MIN_COLS / pixels.shape[1]))
    size = pixels.shape[1] * zoom, pixels.shape[0] * zoom
    canvas = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC))
    for cell in field.cells:
        _draw_outline(canvas, cell, zoom)
    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(16)
    for cell in field.cells:
        if cell.instance.kind is CellKind.WBC:
            box = cell.instance.box
            text = f"{cell.cell_class.replace('_', ' ')} {cell.confidence:.0%}"
            _write(draw, (box.col * zoom, max(0, box.row * zoom - 20)), text, _colour(cell), font)
    if field.quality.flaws:
        reasons = ", ".join(flaw.value.replace("_", " ") for flaw in field.quality.flaws)
        _write(draw, (6, 6), f"refused: {reasons}", (180, 0, 0), ImageFont.load_default(22))
    return with_key(image, field.micrograph.um_per_px / zoom, MEANINGS)


def _colour(cell: ClassifiedCell) -> tuple[int, int, int]:
    return UNSURE_COLOUR if cell.cell_class == UNSURE else COLOURS[cell.instance.kind]


def _draw_outline(canvas: np.ndarray, cell: ClassifiedCell, zoom: int) -> None:
    instance = cell.instance
    _draw_edge(canvas, instance.outline, instance.box, zoom, _colour(cell), 1 if instance.touches_border else 2)
    if instance.nucleus is not None:
        _draw_edge(canvas, instance.nucleus, instance.box, zoom, _colour(cell), 1)


def _draw_edge(
    canvas: np.ndarray, part: np.ndarray, box: Box, zoom: int, colour: tuple[int, int, int], thickness: int
) -> None:
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        shifted = (contour + np.array([box.col, box.row])) * zoom + zoom // 2
        cv2.drawContours(canvas, [shifted.astype(np.int32)], -1, colour, thickness, cv2.LINE_AA)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top, right, bottom = draw.textbbox(place, text, font=font)
    draw.rectangle((left - 3, top - 2, right + 3, bottom + 2), fill=colour)
    draw.text(place, text, fill=(255, 255, 255), font=font)
