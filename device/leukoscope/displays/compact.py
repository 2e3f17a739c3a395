"""The layout for small displays (128x64 and thereabouts): one bold word, short lines, one bar."""

from PIL import Image

from leukoscope.displays import dots
from leukoscope.displays.dotcanvas import DotCanvas
from leukoscope.displays.flow import flow, wrapped
from leukoscope.displays.gist import Gist, gist
from leukoscope.displays.language import Words
from leukoscope.displays.state import DifferentialLine, Screen
from leukoscope.displays.wording import largest_in_order, percent

LINE = dots.HEIGHT + 1
"""Pixels from one line of text to the next."""
BAR = 7
"""Height of the progress bar."""
MARGIN = 1
ROW = 46
"""Width that a line of the differential needs at least."""


def draw_compact(screen: Screen, size: tuple[int, int], words: Words) -> Image.Image:
    """The screen as a one-bit picture; displays of 256x128 and more get dots of two pixels."""
    magnified = max(1, min(size[0] // 128, size[1] // 64))
    canvas = DotCanvas((size[0] // magnified, size[1] // magnified), words("+{count} more"))
    paint_compact(gist(screen, words), canvas)
    return canvas.image.resize(size, Image.Resampling.NEAREST)


def paint_compact(content: Gist, canvas: DotCanvas) -> None:
    """Put the gist on the canvas from the top down, leaving out what no longer fits."""
    width, height = canvas.image.size
    _header(content, canvas)
    if height < 48:
        _in_two_lines(content, canvas)
        return
    top = LINE + 2
    if content.progress is not None and content.beside:
        bar_top = _number_and_rows(content, canvas, top)
        canvas.bar(0, bar_top, width, BAR, content.progress)
        _paragraphs(content.paragraphs, canvas, bar_top + BAR + 2, height)
    elif content.progress is not None:
        bar_top = height - BAR - 1
        canvas.bar(0, bar_top, width, BAR, content.progress)
        _paragraphs(content.paragraphs, canvas, _words(content, canvas, top), bar_top)
    elif content.rows:
        _paragraphs(content.paragraphs[:1], canvas, top, top + LINE)
        below = _two_columns(content.rows, canvas, top + LINE, height - 2 * LINE)
        _paragraphs(content.paragraphs[1:], canvas, below, height)
    else:
        _paragraphs(content.paragraphs, canvas, _words(content, canvas, top), height)


def _header(content: Gist, canvas: DotCanvas) -> None:
    width = canvas.image.width
    canvas.block(0, 0, width, LINE)
    corner = canvas.text_right(width - 2, 1, content.corner, width * 2 // 3, dark=True)
    canvas.text(2, 1, content.title, width - corner - 8, dark=True)


def _in_two_lines(content: Gist, canvas: DotCanvas) -> None:
    width, height = canvas.image.size
    said = " ".join(filter(None, (content.big, *content.beside)))
    paragraphs = [said, *content.paragraphs] if said else list(content.paragraphs)
    bottom = height
    if content.progress is not None:
        bottom -= 6
        canvas.bar(0, bottom, width, 5, content.progress)
    _paragraphs(paragraphs[: (bottom - LINE - 1) // LINE], canvas, LINE + 2, bottom)


def _number_and_rows(content: Gist, canvas: DotCanvas, top: int) -> int:
    width = canvas.image.width
    beside = max(map(dots.width, content.beside))
    scale = 3 if MARGIN + dots.width(content.big, 3) + beside + ROW <= width else 2
    used = MARGIN + canvas.text(MARGIN, top, content.big, width // 2, scale=scale) + 3
    for index, line in enumerate(content.beside):
        canvas.text(used, top + index * LINE + 2, line, max(0, width - ROW - used))
    rows_left = min(max(used + beside + 6, width * 7 // 12), width - ROW)
    for index, row in enumerate(largest_in_order(content.rows, 3)):
        _row(row, canvas, rows_left, width - MARGIN, top + index * dots.HEIGHT)
    return top + 3 * dots.HEIGHT


def _words(content: Gist, canvas: DotCanvas, top: int) -> int:
    if not content.big:
        return top
    room = canvas.image.width - MARGIN
    used = MARGIN
    for line in wrapped(content.big, lambda text: dots.shortened(text, room, 2))[:2]:
        used = MARGIN + canvas.text(MARGIN, top, line, room, scale=2) + 4
        top += 2 * dots.HEIGHT + 1
    if content.beside:
        canvas.text(used, top - dots.HEIGHT - 3, content.beside[-1], room - used)
    return top + 1


def _two_columns(rows: tuple[DifferentialLine, ...], canvas: DotCanvas, top: int, bottom: int) -> int:
    width = canvas.image.width
    deep = max(0, (bottom - top) // dots.HEIGHT)
    shown = largest_in_order(rows, 2 * deep)
    deep = -(-len(shown) // 2)
    for index, row in enumerate(shown):
        left = MARGIN if index < deep else width // 2 + 4
        _row(row, canvas, left, left + width // 2 - 4 - MARGIN, top + index % max(1, deep) * dots.HEIGHT)
    return top + deep * dots.HEIGHT


def _row(row: DifferentialLine, canvas: DotCanvas, left: int, right: int, top: int) -> None:
    used = canvas.text_right(right, top, f"{percent(row.percent)}%", right - left)
    canvas.text(left, top, row.label, right - left - used - 3)


def _paragraphs(paragraphs: tuple[str, ...] | list[str], canvas: DotCanvas, top: int, bottom: int) -> None:
    width = canvas.image.width - MARGIN
    room = (bottom - top + 1) // LINE
    for index, (_, line) in enumerate(flow(paragraphs, lambda text: dots.shortened(text, width), room, canvas.more)):
        canvas.text(MARGIN, top + index * LINE, line, width)
