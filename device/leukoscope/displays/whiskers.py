"""The differential as bars with the whiskers of their 95 % intervals."""

from collections.abc import Sequence

from leukoscope.displays.canvas import Canvas
from leukoscope.displays.palette import ACCENT, EDGE, MUTED, TEXT, Colour
from leukoscope.displays.state import DifferentialLine
from leukoscope.displays.wording import axis_end, interval, largest_in_order, percent
from leukoscope.sentence import Sentence


def differential(
    canvas: Canvas,
    box: tuple[float, float, float, float],
    lines: Sequence[DifferentialLine],
    *,
    columns: int = 1,
    pitch: float = 17,
) -> float:
    """Draw as many lines as fit into a box (left, top, right, bottom, in units), largest classes kept.

    Returns the bottom of the last row, in units.
    """
    left, top, right, bottom = box
    deep = int((bottom - top) / pitch + 0.01)
    shown = largest_in_order(lines, deep * columns)
    left_out = len(lines) - len(shown)
    if left_out and deep:
        shown = largest_in_order(lines, deep * columns - 1)
        left_out = len(lines) - len(shown)
    end = axis_end(lines)
    gap = 12.0
    wide = (right - left - gap * (columns - 1)) / columns
    # Columns are filled evenly, or three classes would stand beside an empty half.
    deep = min(deep, -(-(len(shown) + bool(left_out)) // columns))
    for index, line in enumerate(shown):
        column, row = divmod(index, deep)
        x = left + column * (wide + gap)
        _row(canvas, (x, top + row * pitch, x + wide, top + (row + 1) * pitch), line, end)
    if left_out and deep:
        column, row = divmod(len(shown), deep)
        x = left + column * (wide + gap)
        canvas.text(x, top + (row + 0.74) * pitch, Sentence("+{count} smaller", count=left_out), 12, wide, MUTED)
    return top + deep * pitch


def _row(canvas: Canvas, box: tuple[float, float, float, float], line: DifferentialLine, end: float) -> None:
    left, top, right, bottom = box
    size = 13.0
    baseline = top + (bottom - top) * 0.74
    canvas.text(left, baseline, line.label, size, 42, TEXT)
    with_interval = right - left >= 165
    if with_interval:
        _whole(canvas, right, baseline, interval(line), 12, 40, MUTED)
        right -= 41
    _whole(canvas, right, baseline, f"{percent(line.percent)} %", size, 36, TEXT)
    _bar(canvas, (left + 45, top, right - 36, bottom), line, end)


def _whole(canvas: Canvas, right: float, baseline: float, text: str, size: float, room: float, colour: Colour) -> None:
    """A number that is never cut short: "100 %" is set smaller where it is too wide."""
    while size > 8 and canvas.length(text, size) > room:
        size -= 0.5
    canvas.text(right, baseline, text, size, room, colour, "right")


def _bar(canvas: Canvas, box: tuple[float, float, float, float], line: DifferentialLine, end: float) -> None:
    left, top, right, bottom = box
    middle, half = (top + bottom) / 2, (bottom - top) * 0.26

    def at(value: float) -> float:
        return left + (right - left) * min(1.0, max(0.0, value / end))

    canvas.box(left, middle - half, right, middle + half, EDGE)
    canvas.box(left, middle - half, at(line.percent), middle + half, ACCENT)
    canvas.line((at(line.low), middle), (at(line.high), middle), TEXT)
    for value in (line.low, line.high):
        canvas.line((at(value), middle - half), (at(value), middle + half), TEXT)
