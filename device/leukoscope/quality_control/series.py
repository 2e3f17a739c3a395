"""One measure over many runs, with its limits and what lies outside."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leukoscope.quality_control.run_record import MEASURES, SAMPLES, SHARE_OF, Kind, Measure, Run, measure_of
from leukoscope.quality_control.westgard import BASELINE_RUNS, Limits, Rule
from leukoscope.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Point:
    """One run's value."""

    run: Run
    value: float
    in_baseline: bool
    broken: Rule | None
    """The rule it breaks; None where it is in control, or there are no limits yet."""


@dataclass(frozen=True, slots=True)
class Series:
    """A measure of one reference since the last restart."""

    name: str
    reference: str
    points: tuple[Point, ...]
    limits: Limits | None
    """None while the baseline is being established, and for what has no limits."""

    @property
    def measure(self) -> Measure:
        """What is measured."""
        return measure_of(self.name)

    @property
    def alarm(self) -> str | None:
        """What to tell a technician about the newest value; None when it is in control."""
        last = self.points[-1] if self.points else None
        if last is None or last.broken is None or self.limits is None:
            return None
        measure, limits = self.measure, self.limits
        low, high = (f"{limits.mean + side * limits.s:.{measure.decimals}f}" for side in (-2, 2))
        return Sentence(
            f"{measure.title} {{value}}, expected {{low}} to {{high}} ({{rule}})",
            value=f"{last.value:.{measure.decimals}f}",
            low=low,
            high=high,
            rule=last.broken,
        )


def series_of(runs: Sequence[Run], reference: str, name: str) -> Series:
    """A measure over the runs of a reference; what was before the last restart is left out."""
    measure = measure_of(name)
    found = [(run, value) for run in since_restart(runs, reference) if (value := run.value(name)) is not None]
    values = [value for _, value in found]
    limits = None
    limited = measure.least_s is not None and (reference != SAMPLES or measure.of_samples)
    if limited and measure.least_s is not None and len(values) >= BASELINE_RUNS:
        limits = Limits.of(values[:BASELINE_RUNS], measure.least_s)
    points = []
    for number, (run, value) in enumerate(found):
        in_baseline = number < BASELINE_RUNS
        broken = None if limits is None or in_baseline else limits.broken_by(values[number - 1 : number + 1])
        points.append(Point(run, value, in_baseline, broken))
    return Series(name, reference, tuple(points), limits)


def every_series(runs: Sequence[Run], reference: str) -> list[Series]:
    """Everything that was measured of a reference, and at the end the mix of classes, the most frequent first."""
    shares: Counter[str] = Counter()
    for run in since_restart(runs, reference):
        shares.update(run.classes)
    names = [*MEASURES, *(SHARE_OF + name for name, _ in shares.most_common())]
    every = [series_of(runs, reference, name) for name in names]
    return [series for series in every if series.points]


def since_restart(runs: Sequence[Run], reference: str) -> list[Run]:
    """The runs of a reference since a new baseline was begun."""
    last = max((number for number, run in enumerate(runs) if run.kind is Kind.RESTART), default=-1)
    return [run for run in runs[last + 1 :] if run.reference == reference]


def references_of(runs: Sequence[Run]) -> tuple[str, ...]:
    """Every reference that was counted, samples first."""
    names = dict.fromkeys(run.reference for run in runs if run.kind is not Kind.RESTART)
    return tuple(sorted(names, key=lambda name: (name != SAMPLES, name)))


def alarms_of(runs: Sequence[Run]) -> tuple[str, ...]:
    """What is out of limits in the newest run of each reference."""
    return tuple(_alarms(runs))


def _alarms(runs: Sequence[Run]) -> Iterator[str]:
    for reference in references_of(runs):
        newest = since_restart(runs, reference)[-1:]
        for name in MEASURES:
            series = series_of(runs, reference, name)
            # An alarm is about now: a value that the newest run could not measure says nothing.
            if series.alarm is not None and newest == [series.points[-1].run]:
                yield series.alarm
