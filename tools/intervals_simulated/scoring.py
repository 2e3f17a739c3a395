"""How often intervals held the truth, and the table that says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from intervals_simulated.methods import METHODS
from intervals_simulated.world import Sample, World

SMALLEST = 0.01
"""True share from which a class of a sample enters the table."""


@dataclass(frozen=True, slots=True)
class Score:
    """How the intervals of one class fared."""

    samples: int
    held: float
    """Share of intervals that held the truth, 0-1."""
    width: float
    """Mean distance between their ends, 0-1."""


def score(world: World, samples: Iterable[Sample], methods: Iterable[str]) -> dict[str, dict[str, Score]]:
    """By class and group, and by method, how often the interval held a true share of at least SMALLEST."""
    parts = world.parts()
    found: dict[str, dict[str, list[tuple[bool, float]]]] = {name: {} for name in parts}
    wanted = tuple(methods)
    for sample in samples:
        for method in wanted:
            intervals = METHODS[method](sample, parts, world.facts)
            for name, (low, high) in intervals.items():
                truth = sample.truth[name]
                if truth >= SMALLEST:
                    found[name].setdefault(method, []).append((low <= truth <= high, high - low))
    return {
        name: {
            method: Score(
                len(rows), sum(held for held, _ in rows) / len(rows), sum(width for _, width in rows) / len(rows)
            )
            for method, rows in by_method.items()
        }
        for name, by_method in found.items()
        if by_method
    }


def table_of(scores: Mapping[str, Mapping[str, Score]], title: str) -> Table:
    """The scores for a terminal, in percent; < and > mark what lies outside 93-97 %."""
    methods = list(next(iter(scores.values())))
    table = Table(title=title)
    table.add_column("class or group", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for method in methods:
        table.add_column(method, justify="right", no_wrap=True)
        table.add_column("width", justify="right", no_wrap=True)
    for name, by_method in scores.items():
        cells = []
        for method in methods:
            one = by_method[method]
            mark = "" if 0.93 <= one.held <= 0.97 else " <" if one.held < 0.93 else " >"
            cells += [f"{100 * one.held:.1f}{mark}", f"{100 * one.width:.1f}"]
        table.add_row(name, str(by_method[methods[0]].samples), *cells)
    return table
