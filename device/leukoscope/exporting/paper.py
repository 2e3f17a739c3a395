"""Sheets of A4 to write and draw on: lengths in points, y down from the upper edge."""

import io
from typing import Any

from leukoscope.errors import ExportError
from leukoscope.exporting.drawing import INK, Bar, Disc, Drawing, Line, Mark, Side

WIDTH, HEIGHT = 595.28, 841.89
"""A4, points."""
MARGIN = 36.0


class Paper:
    """A PDF of one page, or more where `next_sheet` is called; a letter that its fonts lack becomes "?"."""

    def __init__(self, title: str, made_by: str) -> None:
        """Begin an empty page.

        Raises:
            ExportError: reportlab is not installed.
        """
        try:
            from reportlab.lib.utils import ImageReader, simpleSplit
            from reportlab.pdfbase.pdfmetrics import stringWidth
            from reportlab.pdfgen.canvas import Canvas
        except ImportError as error:
            raise ExportError(
                "a PDF needs reportlab, which is not installed", "pip install 'leukoscope[export]'"
            ) from error
        self._file = io.BytesIO()
        # Without the time of writing in it, the same report is the same file.
        self._canvas: Any = Canvas(self._file, pagesize=(WIDTH, HEIGHT), invariant=True)
        self._image, self._split, self._width_of = ImageReader, simpleSplit, stringWidth
        self._canvas.setTitle(_latin(title))
        self._canvas.setAuthor(_latin(made_by))

    def text(
        self, x: float, y: float, text: str, size: float, colour: str = INK, *, bold: bool = False, side: Side = "left"
    ) -> None:
        """A line of text on its baseline."""
        self._canvas.setFont(_font(bold), size)
        self._canvas.setFillColor(colour)
        put = {"left": self._canvas.drawString, "centre": self._canvas.drawCentredString}
        put.get(side, self._canvas.drawRightString)(x, HEIGHT - y, _latin(text))

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """How wide a text is, points."""
        return float(self._width_of(_latin(text), _font(bold), size))

    def fitted(self, text: str, width: float, size: float, *, bold: bool = False) -> str:
        """The text, shortened until it is no wider than this."""
        plain = _latin(text)
        if self._width_of(plain, _font(bold), size) <= width:
            return plain
        while plain and self._width_of(f"{plain}…", _font(bold), size) > width:
            plain = plain[:-1]
        return f"{plain}…"

    def lines(self, text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
        """The text broken into lines no wider than this, within words where it must."""
        lines: list[str] = []
        for line in self._split(_latin(text), _font(bold), size, width):
            rest = str(line)
            while self._width_of(rest, _font(bold), size) > width:
                fits = next(end for end in range(len(rest), 0, -1) if self._fits(rest[:end], width, size, bold=bold))
                lines.append(rest[:fits])
                rest = rest[fits:]
            lines.append(rest)
        return lines or [""]

    def _fits(self, text: str, width: float, size: float, *, bold: bool) -> bool:
        return len(text) == 1 or bool(self._width_of(text, _font(bold), size) <= width)

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """A filled rectangle, (x, y) its upper left corner."""
        self._canvas.setFillColor(fill)
        self._canvas.rect(x, HEIGHT - y - height, width, height, stroke=0, fill=1)

    def rule(self, y: float, colour: str, width: float) -> None:
        """A line across the page."""
        self._line(Line(MARGIN, y, WIDTH - MARGIN, y, colour, width), 0, 0)

    def line(self, x: float, y: float, to_x: float, colour: str) -> None:
        """A hairline from `x` to `to_x`."""
        self._line(Line(x, y, to_x, y, colour, 0.5), 0, 0)

    def next_sheet(self, title: str) -> None:
        """Go on on another sheet, which says what it belongs to."""
        self._canvas.showPage()
        self.text(MARGIN, 44, self.fitted(title, WIDTH - 2 * MARGIN, 9.4, bold=True), 9.4, bold=True)

    def disc(self, x: float, y: float, radius: float, fill: str | None, edge: str) -> None:
        """A circle, filled or not."""
        self._canvas.setStrokeColor(edge)
        self._canvas.setLineWidth(0.8)
        if fill is not None:
            self._canvas.setFillColor(fill)
        self._canvas.circle(x, HEIGHT - y, radius, stroke=1, fill=int(fill is not None))

    def picture(self, picture: bytes, x: float, y: float, width: float, height: float) -> None:
        """A PNG, JPEG or WebP inside a box, its proportions kept, (x, y) the box's upper left corner."""
        image = self._image(io.BytesIO(picture))
        self._canvas.drawImage(image, x, HEIGHT - y - height, width, height, preserveAspectRatio=True, anchor="nw")

    def width_at(self, picture: bytes, height: float) -> float:
        """How wide a picture is that is drawn so high."""
        cols, rows = self._image(io.BytesIO(picture)).getSize()
        return height * float(cols) / float(rows)

    def paint(self, drawing: Drawing, x: float, y: float) -> None:
        """A drawing, (x, y) its upper left corner."""
        for mark in drawing.marks:
            self._mark(mark, x, y)

    def finish(self) -> bytes:
        """The file."""
        self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue()

    def _mark(self, mark: Mark, x: float, y: float) -> None:
        match mark:
            case Bar():
                self.box(x + mark.x, y + mark.y, mark.width, mark.height, mark.fill)
            case Line():
                self._line(mark, x, y)
            case Disc():
                self.disc(x + mark.x, y + mark.y, mark.radius, mark.fill, mark.fill)
            case _:
                self.text(x + mark.x, y + mark.y, mark.text, mark.size, mark.colour, side=mark.side)

    def _line(self, line: Line, x: float, y: float) -> None:
        self._canvas.setStrokeColor(line.colour)
        self._canvas.setLineWidth(line.width)
        self._canvas.line(x + line.x1, HEIGHT - y - line.y1, x + line.x2, HEIGHT - y - line.y2)


def _font(bold: bool) -> str:
    return "Helvetica-Bold" if bold else "Helvetica"


def _latin(text: str) -> str:
    return text.encode("cp1252", "replace").decode("cp1252")
