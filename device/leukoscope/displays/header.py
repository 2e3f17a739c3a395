"""The strip at the top of a colour screen: what is going on, and whether it is real."""

from leukoscope.displays.canvas import Canvas
from leukoscope.displays.palette import CAUTION, GROUND, PANEL, TEXT, Colour
from leukoscope.displays.wording import BADGE
from leukoscope.specimen.sample import Source

HEADER = 30.0
"""Height of the strip, in units."""
MARGIN = 10.0
"""Free space at both sides, in units."""


def header(canvas: Canvas, title: str, colour: Colour, source: Source) -> None:
    """The title behind a coloured dot, and a badge when the source is not a live camera."""
    canvas.box(0, 0, canvas.width, HEADER, PANEL)
    canvas.disc(MARGIN + 5, HEADER / 2, 5, colour)
    right = canvas.width - MARGIN
    badge = BADGE[source]
    if badge:
        wide = canvas.length(badge, 12) + 12
        canvas.box(right - wide, 6, right, HEADER - 6, CAUTION, 4)
        canvas.text(right - wide / 2, 19.5, badge, 12, wide, GROUND, "centre")
        right -= wide + 6
    canvas.text(MARGIN + 17, 20.5, title, 16, right - MARGIN - 17, TEXT)
