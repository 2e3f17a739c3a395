"""Where in its field the small picture of a cell was cut out, and where in that picture the cell lies."""

from collections.abc import Iterable

from leukoscope.specimen.cell import Box

AROUND = 1.5
"""Side of the picture, in sides of the cell's box: what lies around a cell helps to name it."""


def window_of(box: Box) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of the picture of a cell, in pixels of its field; it may end beyond the field."""
    top, left = _corner(box)
    row, col = box.centre
    reach = _reach(box)
    return top, left, round(row + reach), round(col + reach)


def middle_of(box: Box, um_per_px: float, picture_um_per_px: float) -> tuple[float, float]:
    """Where in its picture the middle of a cell lies, (row, col) in pixels; at the edge of a field not in its middle.

    Args:
        box: of the cell, in pixels of its field.
        um_per_px: scale of the field.
        picture_um_per_px: scale of the picture.
    """
    (top, left), (row, col) = _corner(box), box.centre
    by = um_per_px / picture_um_per_px
    return by * (row - top), by * (col - left)


def in_field(
    corners: Iterable[tuple[float, float]], box: Box, um_per_px: float, picture_um_per_px: float
) -> tuple[tuple[float, float], ...]:
    """Corners of an outline, (x, y) in pixels of the cell's picture, as (x, y) in pixels of its field.

    Args:
        corners: of the outline.
        box: of the cell, in pixels of its field.
        um_per_px: scale of the field.
        picture_um_per_px: scale of the picture.
    """
    top, left = _corner(box)
    by = picture_um_per_px / um_per_px
    return tuple((left + by * x, top + by * y) for x, y in corners)


def _reach(box: Box) -> float:
    return AROUND * max(box.height, box.width) / 2


def _corner(box: Box) -> tuple[int, int]:
    row, col = box.centre
    return max(0, round(row - _reach(box))), max(0, round(col - _reach(box)))
