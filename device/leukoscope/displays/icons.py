"""Signs drawn as masks, four times too large and then reduced, so that their edges are smooth."""

from collections.abc import Callable
from functools import lru_cache
from math import cos, pi, sin

from PIL import Image, ImageDraw

from leukoscope.displays.state import Hint

Pen = ImageDraw.ImageDraw
_FINE = 4


@lru_cache(maxsize=64)
def icon(name: str, side: int) -> Image.Image:
    """The sign as a mask, shape (side, side), 0-255; names are the keys of ICONS."""
    big = Image.new("L", (side * _FINE, side * _FINE))
    ICONS[name](ImageDraw.Draw(big), side * _FINE)
    return big.reduce(_FINE)


def _circle(pen: Pen, x: float, y: float, radius: float, fill: int) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _ring(pen: Pen, s: float, radius: float, thick: float) -> None:
    _circle(pen, s / 2, s / 2, radius, 255)
    _circle(pen, s / 2, s / 2, radius - thick, 0)


def _stroke(pen: Pen, s: float, points: list[tuple[float, float]], thick: float) -> None:
    scaled = [(x * s, y * s) for x, y in points]
    pen.line(scaled, fill=255, width=round(thick * s), joint="curve")
    for x, y in scaled:
        _circle(pen, x, y, thick * s / 2, 255)


def _cell(pen: Pen, s: float) -> None:
    _ring(pen, s, s * 0.48, s * 0.05)
    for x, y, radius in ((0.36, 0.38, 0.14), (0.62, 0.36, 0.13), (0.64, 0.62, 0.14), (0.40, 0.64, 0.1)):
        _circle(pen, x * s, y * s, radius * s, 255)
    pen.line(
        [(0.36 * s, 0.38 * s), (0.62 * s, 0.36 * s), (0.64 * s, 0.62 * s), (0.4 * s, 0.64 * s)],
        255,
        round(s * 0.07),
    )


def _button(pen: Pen, s: float) -> None:
    _ring(pen, s, s * 0.48, s * 0.06)
    _circle(pen, s / 2, s / 2, s * 0.3, 255)


def _check(pen: Pen, s: float) -> None:
    _ring(pen, s, s * 0.48, s * 0.06)
    _stroke(pen, s, [(0.29, 0.52), (0.44, 0.67), (0.72, 0.36)], 0.085)


def _slower(pen: Pen, s: float) -> None:
    for left in (0.2, 0.5):
        _stroke(pen, s, [(left + 0.28, 0.22), (left, 0.5), (left + 0.28, 0.78)], 0.09)


def _waiting(pen: Pen, s: float) -> None:
    _ring(pen, s, s * 0.48, s * 0.06)
    _stroke(pen, s, [(0.5, 0.26), (0.5, 0.52), (0.67, 0.62)], 0.075)


def _warning(pen: Pen, s: float) -> None:
    pen.polygon([(0.5 * s, 0.06 * s), (0.97 * s, 0.9 * s), (0.03 * s, 0.9 * s)], fill=255)
    pen.rounded_rectangle((0.45 * s, 0.34 * s, 0.55 * s, 0.64 * s), 0.05 * s, fill=0)
    _circle(pen, 0.5 * s, 0.76 * s, 0.06 * s, 0)


def _move(pen: Pen, s: float) -> None:
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        tip = (0.5 + 0.44 * dx, 0.5 + 0.44 * dy)
        _stroke(pen, s, [(0.5 + 0.12 * dx, 0.5 + 0.12 * dy), tip], 0.07)
        for side in (1, -1):
            barb = (tip[0] - 0.13 * dx - 0.13 * side * dy, tip[1] - 0.13 * dy - 0.13 * side * dx)
            _stroke(pen, s, [tip, barb], 0.07)


def _hold(pen: Pen, s: float) -> None:
    _ring(pen, s, s * 0.48, s * 0.06)
    for left in (0.35, 0.55):
        pen.rounded_rectangle((left * s, 0.3 * s, (left + 0.1) * s, 0.7 * s), 0.03 * s, fill=255)


def _focus(pen: Pen, s: float) -> None:
    for right in (False, True):
        for low in (False, True):
            corner = [(0.08, 0.3), (0.08, 0.08), (0.3, 0.08)]
            turned = [(1 - x if right else x, 1 - y if low else y) for x, y in corner]
            _stroke(pen, s, turned, 0.07)
    _ring(pen, s, s * 0.22, s * 0.06)


def _crowded(pen: Pen, s: float) -> None:
    for x, y in ((0.3, 0.28), (0.62, 0.22), (0.78, 0.5), (0.5, 0.5), (0.24, 0.6), (0.46, 0.78), (0.72, 0.78)):
        _circle(pen, x * s, y * s, 0.2 * s, 255)
        _circle(pen, x * s, y * s, 0.14 * s, 0)


def _empty(pen: Pen, s: float) -> None:
    _ring(pen, s, s * 0.48, s * 0.06)
    _stroke(pen, s, [(0.2, 0.8), (0.8, 0.2)], 0.06)


def _sun(pen: Pen, s: float, radius: float, rays: float) -> None:
    _circle(pen, s / 2, s / 2, radius * s, 255)
    for step in range(8):
        x, y = cos(step * pi / 4), sin(step * pi / 4)
        start = radius + 0.1
        _stroke(pen, s, [(0.5 + start * x, 0.5 + start * y), (0.5 + rays * x, 0.5 + rays * y)], 0.06)


def _bright(pen: Pen, s: float) -> None:
    _sun(pen, s, 0.22, 0.46)


def _dark(pen: Pen, s: float) -> None:
    _circle(pen, 0.5 * s, 0.5 * s, 0.44 * s, 255)
    _circle(pen, 0.68 * s, 0.38 * s, 0.38 * s, 0)


ICONS: dict[str, Callable[[Pen, float], None]] = {
    "cell": _cell,
    "button": _button,
    "check": _check,
    "waiting": _waiting,
    "warning": _warning,
    Hint.MOVE: _move,
    Hint.WAIT: _hold,
    Hint.SLOWER: _slower,
    Hint.FOCUS: _focus,
    Hint.TOO_CROWDED: _crowded,
    Hint.NO_CELLS: _empty,
    Hint.TOO_BRIGHT: _bright,
    Hint.TOO_DARK: _dark,
    Hint.NO_SMEAR: _empty,
    Hint.NO_BLOOD: _empty,
    Hint.CROP: _focus,
}
