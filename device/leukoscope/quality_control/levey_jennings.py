"""The trend as a picture: one strip per measure, its limits as bands, what is outside in red."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from leukoscope.quality_control.series import Point, Series

WIDTH, STRIP, LEFT, RIGHT, TITLE = 1200, 118, 210, 30, 46
"""Pixels."""
FINE = 2
INK, MUTED, AXIS, PAPER = "#1d2733", "#66717f", "#d9dee5", "#ffffff"
LINE, BAND_3S, BAND_2S, VALUE, BASELINE, OUT = "#b4c2d1", "#eef3f8", "#dde7f1", "#33587f", "#9fb4ca", "#c0392b"


class Pen:
    """Draws in pixels of the finished picture."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, x: float, y: float, text: str, colour: str, size: int, anchor: str = "la") -> None:
        """A text at its anchor, as Pillow names them."""
        font = ImageFont.load_default(FINE * size)
        # Pillow's own font has no micro sign.
        self._draw.text((FINE * x, FINE * y), text.replace("µ", "u"), colour, font, anchor=anchor)

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """A filled rectangle."""
        self._draw.rectangle((FINE * left, FINE * top, FINE * right, FINE * bottom), fill=colour)

    def line(self, places: Sequence[tuple[float, float]], colour: str) -> None:
        """A thin line through these places."""
        self._draw.line([(FINE * x, FINE * y) for x, y in places], colour, FINE)

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled circle."""
        ends = (FINE * (x - radius), FINE * (y - radius), FINE * (x + radius), FINE * (y + radius))
        self._draw.ellipse(ends, fill=colour)


def draw_trend(every: Mapping[str, Sequence[Series]]) -> Image.Image:
    """Every measure of every reference, oldest run on the left."""
    strips = sum(len(many) for many in every.values())
    height = TITLE * max(1, len(every)) + STRIP * strips + 20
    # Drawn twice as large and shrunk: Pillow's discs have corners.
    picture = Image.new("RGB", (FINE * WIDTH, FINE * height), PAPER)
    draw = Pen(ImageDraw.Draw(picture))
    y = 0
    for reference, many in every.items():
        draw.text(24, y + 16, _title(reference, many), INK, 19)
        y += TITLE
        for series in many:
            _strip(draw, series, y)
            y += STRIP
    return picture.resize((WIDTH, height), Image.Resampling.LANCZOS)


def _title(reference: str, many: Sequence[Series]) -> str:
    days = sorted(point.run.at for series in many for point in series.points)
    return f"{reference}: {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}" if days else reference


def _strip(draw: Pen, series: Series, top: int) -> None:
    low, high = _range(series)
    bottom, right = top + STRIP - 16, WIDTH - RIGHT

    def down(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top - 8)

    limits, decimals = series.limits, series.measure.decimals
    if limits is not None:
        for sides, colour in ((3, BAND_3S), (2, BAND_2S)):
            ends = down(limits.mean + sides * limits.s), down(limits.mean - sides * limits.s)
            draw.box(LEFT, ends[0], right, ends[1], colour)
        draw.line([(LEFT, down(limits.mean)), (right, down(limits.mean))], BASELINE)
    draw.line([(LEFT, bottom + 4), (right, bottom + 4)], AXIS)
    draw.text(24, top + 14, series.measure.title, INK, 15)
    draw.text(24, top + 36, series.measure.unit, MUTED, 12)
    if series.points:
        newest = series.points[-1]
        draw.text(24, top + 54, f"{newest.value:.{decimals}f}", OUT if newest.broken else INK, 19)
    for value in (low, high):
        draw.text(LEFT - 8, down(value), f"{value:.{decimals}f}", MUTED, 11, anchor="rm")
    places = [(_across(number, len(series.points)), down(point.value)) for number, point in enumerate(series.points)]
    if len(places) > 1:
        draw.line(places, LINE)
    before: Point | None = None
    for point, (x, y) in zip(series.points, places, strict=True):
        colour = OUT if point.broken else BASELINE if point.in_baseline else VALUE
        draw.disc(x, y, 5 if point.broken else 3, colour)
        if point.broken and (before is None or point.broken is not before.broken):
            draw.text(x, y - 9, point.broken.value, OUT, 11, anchor="mb")
        before = point


def _across(number: int, points: int) -> float:
    return LEFT + 14 + number * (WIDTH - RIGHT - LEFT - 28) / max(1, points - 1)


def _range(series: Series) -> tuple[float, float]:
    values = [point.value for point in series.points]
    if series.limits is not None:
        values += [series.limits.mean + sides * series.limits.s for sides in (-3.5, 3.5)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 1, high + 1)
