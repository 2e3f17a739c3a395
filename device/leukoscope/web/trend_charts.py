"""How lamp, focus, scale and the mix of classes went over the days, as lines that a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leukoscope.quality_control.run_record import SAMPLES, SHARE_OF, Run
from leukoscope.quality_control.series import Point, Series, every_series, references_of

WIDTH, HEIGHT = 640.0, 96.0
"""Of a chart, in units of its drawing."""
_EDGE = 8.0
_MOST_POINTS = 400
"""The newest of a chart; more would lie on top of each other."""
_MOST_SHARES = 6
"""Classes whose share has a chart, the most frequent."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One run in a chart."""

    x: float
    y: float
    state: str
    """"in", "out" (breaks a rule) or "baseline"."""
    text: str
    """When and how much."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One measure over time."""

    title: str
    """Empty for the share of a class."""
    share_of: str
    """The class; empty for a measure of the instrument."""
    unit: str
    newest: str
    low: str
    """Lower end of the drawing."""
    high: str
    expected: tuple[str, str] | None
    """Mean less and plus two standard deviations; None while there are no limits."""
    rule: str
    """The rule that the newest run breaks; empty where it breaks none."""
    first: datetime
    last: datetime
    marks: tuple[Mark, ...]
    bands: tuple[tuple[float, float], ...]
    """Top and height of the band of three, and of two, standard deviations; empty without limits."""

    @property
    def line(self) -> str:
        """Corners of the line through the marks, as SVG."""
        return " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Reference:
    """What was counted again and again."""

    name: str
    """Empty for ordinary samples."""
    charts: tuple[Chart, ...]


def charts_of(runs: Sequence[Run], since: datetime | None) -> list[Reference]:
    """A chart for everything that was measured, samples first.

    Args:
        runs: of the bench, oldest first.
        since: earlier runs are left out of the drawing, but not of the limits; None for all.
    """
    found = []
    for name in references_of(runs):
        many = every_series(runs, name)
        shares = [series for series in many if series.name.startswith(SHARE_OF)][:_MOST_SHARES]
        shown = [series for series in many if not series.name.startswith(SHARE_OF)] + shares
        charts = tuple(chart for series in shown if (chart := _chart(series, since)) is not None)
        if charts:
            found.append(Reference("" if name == SAMPLES else name, charts))
    return found


def _chart(series: Series, since: datetime | None) -> Chart | None:
    points = [point for point in series.points if since is None or point.run.at >= since][-_MOST_POINTS:]
    if not points:
        return None
    measure, limits = series.measure, series.limits
    values = [point.value for point in points]
    sides = [] if limits is None else [limits.mean + side * limits.s for side in (-3.5, 3.5)]
    low, high = min(values + sides), max(values + sides)
    if high <= low:
        # One value alone lies amid a tenth of it; none of what is measured is below nought.
        low, high = (0.9 * low, 1.1 * high) if low > 0 else (low, low + 1)

    def down(value: float) -> float:
        return HEIGHT - _EDGE - (value - low) / (high - low) * (HEIGHT - 2 * _EDGE)

    def words(value: float) -> str:
        return f"{value:.{measure.decimals}f}"

    first, last = points[0].run.at, points[-1].run.at
    length = max(last - first, timedelta(seconds=1))
    marks = tuple(
        Mark(
            _EDGE + (point.run.at - first) / length * (WIDTH - 2 * _EDGE),
            down(point.value),
            _state(point),
            f"{point.run.at:%Y-%m-%d %H:%M}: {words(point.value)}",
        )
        for point in points
    )
    bands, expected = [], None
    if limits is not None:
        for side in (3, 2):
            bands.append((down(limits.mean + side * limits.s), down(limits.mean - side * limits.s)))
        expected = words(limits.mean - 2 * limits.s), words(limits.mean + 2 * limits.s)
    share = series.name.removeprefix(SHARE_OF) if series.name.startswith(SHARE_OF) else ""
    return Chart(
        title="" if share else measure.title,
        share_of=share,
        unit=measure.unit,
        newest=words(values[-1]),
        low=words(low),
        high=words(high),
        expected=expected,
        rule="" if points[-1].broken is None else str(points[-1].broken.value),
        first=first,
        last=last,
        marks=marks,
        bands=tuple((top, bottom - top) for top, bottom in bands),
    )


def _state(point: Point) -> str:
    return "out" if point.broken else "baseline" if point.in_baseline else "in"
