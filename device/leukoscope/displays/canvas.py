"""A colour picture to write on: lengths in units of a 240-pixel display, texts that never run over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from leukoscope.displays.flow import flow
from leukoscope.displays.language import ENGLISH, Words
from leukoscope.displays.lettering import draw_text, font, plain, printable, text_length
from leukoscope.displays.palette import ACCENT, EDGE, GROUND, TEXT, Colour

Side = Literal["left", "centre", "right"]
LEADING = 1.3
"""Distance of two baselines in font sizes."""
_ANCHOR: dict[Side, str] = {"left": "ls", "centre": "ms", "right": "rs"}


@dataclass(frozen=True, slots=True)
class PlacedText:
    """Where the ink of a text lies, half-open, in pixels."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class Canvas:
    """A picture whose positions are given in units of 1/240 of its shorter side."""

    def __init__(self, size: tuple[int, int], words: Words = ENGLISH) -> None:
        self.image = Image.new("RGB", size, GROUND)
        self._words = words
        self.unit = min(size) / 240
        self.width = size[0] / self.unit
        """Width in units; 240 or more."""
        self.height = size[1] / self.unit
        """Height in units; 240 or more."""
        self.placed: list[PlacedText] = []
        self._draw = ImageDraw.Draw(self.image)

    def length(self, text: str, size: float) -> float:
        """Width of the text in units, at this font size and in the canvas's language."""
        return self._length(self._words(text), size)

    def _length(self, text: str, size: float) -> float:
        return text_length(text, self._px(size)) / self.unit

    def _shortened(self, text: str, size: float, room: float) -> str:
        """The text, or as much of its beginning as fits into `room` units, ending in "…"."""
        if self._length(text, size) <= room:
            return text
        kept = text
        while kept and self._length(kept.rstrip() + "…", size) > room:
            kept = kept[:-1]
        return kept.rstrip() + "…" if kept else ""

    def text(
        self,
        x: float,
        baseline: float,
        text: str,
        size: float,
        room: float,
        colour: Colour = TEXT,
        side: Side = "left",
    ) -> float:
        """Write on a baseline, cut short to `room` units; `x` is the text's left, middle or right end.

        Returns the width in units that the text really took.
        """
        return self._write(x, baseline, self._words(text), size, room, colour, side)

    def _write(
        self, x: float, baseline: float, text: str, size: float, room: float, colour: Colour = TEXT, side: Side = "left"
    ) -> float:
        fitting = printable(self._shortened(text, size, room))
        if not fitting:
            return 0.0
        pixels, anchor = self._px(size), _ANCHOR[side]
        at = (float(round(x * self.unit)), float(round(baseline * self.unit)))
        draw_text(self.image, at, fitting, pixels, colour, anchor)
        ink = self._draw.textbbox(at, plain(fitting), font=font(pixels), anchor=anchor)
        self.placed.append(PlacedText(fitting, *ink))
        return text_length(fitting, pixels) / self.unit

    def paragraphs(
        self,
        box: tuple[float, float, float, float],
        paragraphs: Sequence[tuple[str, Colour]],
        sizes: Sequence[float],
        side: Side = "left",
    ) -> None:
        """Fill a box (left, top, right, bottom, in units) with text, in the largest size that needs no cut.

        Where even the last of `sizes` is too large, the longest paragraphs end in "…".
        """
        left, top, right, bottom = box
        texts = [text for text, _ in paragraphs]
        for size in sizes:
            lines = self._flowed(texts, size, right - left, bottom - top)
            if not any(line.endswith("…") for _, line in lines) and len(lines) >= len(texts):
                break
        x = {"left": left, "centre": (left + right) / 2, "right": right}[side]
        for row, (index, line) in enumerate(lines, start=1):
            baseline = top + row * size * LEADING - size * 0.25
            self._write(x, baseline, line, size, right - left, paragraphs[index][1], side)

    def bullets(
        self, box: tuple[float, float, float, float], remarks: Sequence[tuple[str, Colour]], size: float
    ) -> None:
        """Fill a box (left, top, right, bottom, in units) with remarks behind coloured dots."""
        left, top, right, bottom = box
        indent = size * 0.85
        before = -1
        lines = self._flowed([text for text, _ in remarks], size, right - left - indent, bottom - top)
        for row, (index, line) in enumerate(lines, start=1):
            baseline = top + row * size * LEADING - size * 0.25
            if index != before:
                self.disc(left + size * 0.25, baseline - size * 0.32, size * 0.22, remarks[index][1])
            self._write(left + indent, baseline, line, size, right - left - indent)
            before = index

    def _flowed(self, texts: Sequence[str], size: float, width: float, height: float) -> list[tuple[int, str]]:
        room = int(height / (size * LEADING) + 0.01)
        said = [self._words(text) for text in texts]
        return flow(said, lambda text: self._shortened(text, size, width), room, self._words("+{count} more"))

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle, smooth at its edge."""
        half = max(2, round(radius * self.unit * 2)) / 2
        side = round(half * 2)
        mask = Image.new("L", (side * 4, side * 4))
        ImageDraw.Draw(mask).ellipse((0, 0, side * 4 - 1, side * 4 - 1), fill=255)
        corner = (round(x * self.unit - half), round(y * self.unit - half))
        self.image.paste(colour, corner, mask.reduce(4))

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 0) -> None:
        """A filled rectangle, half-open, with round corners where asked."""
        edges = [round(value * self.unit) for value in (left, top, right, bottom)]
        if edges[2] > edges[0] and edges[3] > edges[1]:
            self._draw.rounded_rectangle(
                (edges[0], edges[1], edges[2] - 1, edges[3] - 1), round(radius * self.unit), fill=fill
            )

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour) -> None:
        """A thin upright or level line, at least one pixel thick, ends included."""
        (x, y), (to_x, to_y) = start, end
        thin = max(1, round(self.unit)) - 1
        left, top = round(x * self.unit), round(y * self.unit)
        right, bottom = max(left + thin, round(to_x * self.unit)), max(top + thin, round(to_y * self.unit))
        self._draw.rectangle((left, top, right, bottom), fill=colour)

    def progress(self, left: float, top: float, right: float, bottom: float, share: float) -> None:
        """A progress bar filled to `share` (0-1)."""
        radius = (bottom - top) / 2
        self.box(left, top, right, bottom, EDGE, radius)
        if share > 0:
            # Never shorter than its own round ends, and never full before it is.
            height = bottom - top
            filled = (right - left) * share if share >= 1 else min((right - left) * share, right - left - height)
            self.box(left, top, left + max(height, filled), bottom, ACCENT, radius)

    def stamp(self, mask: Image.Image, x: float, y: float, colour: Colour) -> None:
        """Paint a mask with its middle at (x, y)."""
        corner = (round(x * self.unit - mask.width / 2), round(y * self.unit - mask.height / 2))
        self.image.paste(colour, corner, mask)

    def _px(self, units: float) -> int:
        return max(1, round(units * self.unit))
