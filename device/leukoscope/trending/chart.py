"""The trend as a picture: one strip per measure, its limits as bands, what is outside in red."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from leukoscope.trending.series import Point, Series

WIDTH, STRIP, LEFT, RIGHT, TITLE = 1200, 118, 210, 30, 46
"""Pixels."""
INK, MUTED, HAIR, PAPER = "#1d2733", "#66717f", "#d9dee5", "#ffffff"
BAND_3S, BAND_2S, VALUE, BASELINE, OUT = "#eef3f8", "#dde7f1", "#33587f", "#9fb4ca", "#c0392b"


def draw_trend(every: Mapping[str, Sequence[Series]]) -> Image.Image:
    """Every measure of every reference, oldest run on the left."""
    strips = sum(len(many) for many in every.values())
    height = TITLE * max(1, len(every)) + STRIP * strips + 20
    picture = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(picture)
    y = 0
    for reference, many in every.items():
        draw.text((24, y + 16), _title(reference, many), INK, _font(19))
        y += TITLE
        for series in many:
            _strip(draw, series, y)
            y += STRIP
    return picture


def _title(reference: str, many: Sequence[Series]) -> str:
    days = sorted(point.run.at for series in many for point in series.points)
    return f"{reference}: {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}" if days else reference


def _strip(draw: ImageDraw.ImageDraw, series: Series, top: int) -> None:
    low, high = _range(series)
    bottom, right = top + STRIP - 16, WIDTH - RIGHT

    def down(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top - 8)

    limits, decimals = series.limits, series.measure.decimals
    if limits is not None:
        for sides, colour in ((3, BAND_3S), (2, BAND_2S)):
            ends = down(limits.mean + sides * limits.s), down(limits.mean - sides * limits.s)
            draw.rectangle((LEFT, ends[0], right, ends[1]), fill=colour)
        draw.line((LEFT, down(limits.mean), right, down(limits.mean)), VALUE, 1)
    draw.line((LEFT, bottom + 4, right, bottom + 4), HAIR, 1)
    draw.text((24, top + 14), series.measure.title, INK, _font(15))
    draw.text((24, top + 36), series.measure.unit, MUTED, _font(12))
    if series.points:
        newest = series.points[-1]
        draw.text((24, top + 54), f"{newest.value:.{decimals}f}", OUT if newest.broken else INK, _font(19))
    for value in (low, high):
        draw.text((LEFT - 8, down(value)), f"{value:.{decimals}f}", MUTED, _font(11), anchor="rm")
    places = [(_across(number, len(series.points)), down(point.value)) for number, point in enumerate(series.points)]
    if len(places) > 1:
        draw.line(places, HAIR, 1)
    for point, (x, y) in zip(series.points, places, strict=True):
        _dot(draw, point, x, y)


def _dot(draw: ImageDraw.ImageDraw, point: Point, x: float, y: float) -> None:
    radius = 5 if point.broken else 3
    colour = OUT if point.broken else BASELINE if point.in_baseline else VALUE
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    if point.broken:
        draw.text((x, y - 9), point.broken.value, OUT, _font(11), anchor="mb")


def _across(number: int, points: int) -> float:
    return LEFT + 14 + number * (WIDTH - RIGHT - LEFT - 28) / max(1, points - 1)


def _range(series: Series) -> tuple[float, float]:
    values = [point.value for point in series.points]
    if series.limits is not None:
        values += [series.limits.mean + sides * series.limits.s for sides in (-3.5, 3.5)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 1, high + 1)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
