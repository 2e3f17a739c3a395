"""How often intervals held the truth, how wide they were and how far off the shares, and the table that says so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from intervals_simulated.methods import METHODS, Estimated
from intervals_simulated.samples import Sample
from leukoscope.inference.bundle import ClassifierFacts

SMALLEST = 0.01
"""True share from which a class of a sample enters the table."""
FEWEST = 10
"""Samples below which a row is left out."""
CAPTION = (
    "n: samples in which each method gives an interval, of those with the class; held: % of 95 % intervals with the "
    "truth; width: over the counts'; off: points"
)


@dataclass(frozen=True, slots=True)
class Score:
    """How the intervals of one part of one world fared."""

    samples: int
    """In which each method gives an interval."""
    of: int
    """Samples with the part."""
    held: float
    """Share of intervals that held the truth, 0-1."""
    width: float
    """Median distance between their ends, over that of the counts' interval."""
    off: float
    """Mean distance of the share from the truth, 0-1."""


Scores = Mapping[tuple[str, str], Mapping[str, Score]]


def score(facts: ClassifierFacts, samples: Iterable[Sample], methods: Sequence[str]) -> Scores:
    """By world and part, and by method; true shares of at least SMALLEST count, where each method gives an interval."""
    rows: dict[tuple[str, str], list[tuple[float, list[Estimated | None]]]] = {}
    for sample in samples:
        found = [METHODS[method](sample, facts) for method in methods]
        for part, truth in sample.truth.items():
            if truth >= SMALLEST:
                estimates = [one.get(part) for one in found]
                rows.setdefault((sample.world, part), []).append((truth, estimates))
    return {key: scores for key, found in sorted(rows.items()) if (scores := _of_part(found, methods))}


def _of_part(
    found: Sequence[tuple[float, Sequence[Estimated | None]]], methods: Sequence[str]
) -> Mapping[str, Score] | None:
    """The scores of each method in the samples where all give an interval; None where these are too few."""
    given = [(truth, [one for one in estimates if one is not None]) for truth, estimates in found]
    given = [(truth, estimates) for truth, estimates in given if len(estimates) == len(methods)]
    if len(given) < FEWEST:
        return None
    by_method = {method: [(truth, row[number]) for truth, row in given] for number, method in enumerate(methods)}
    counts = by_method.get("counts", by_method[methods[0]])
    return {method: _score(rows, counts, len(found)) for method, rows in by_method.items()}


def _score(found: Sequence[tuple[float, Estimated]], counts: Sequence[tuple[float, Estimated]], of: int) -> Score:
    width = np.median([one.high - one.low for _, one in found])
    of_counts = np.median([one.high - one.low for _, one in counts])
    return Score(
        len(found),
        of,
        float(np.mean([one.low <= truth <= one.high for truth, one in found])),
        float(width / of_counts),
        float(np.mean([abs(one.value - truth) for truth, one in found])),
    )


def table_of(scores: Scores, title: str) -> Table:
    """The scores for a terminal; < and > mark coverage outside 93-97 %."""
    methods = list(next(iter(scores.values()))) if scores else []
    table = Table(title=title, caption=CAPTION)
    table.add_column("laboratory", no_wrap=True)
    table.add_column("class or group", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for method in methods:
        table.add_column(f"{method} held", justify="right")
        table.add_column("width", justify="right")
        table.add_column("off", justify="right")
    last = ""
    for (world, part), by_method in scores.items():
        if world != last and last:
            table.add_section()
        cells = []
        for method in methods:
            one = by_method[method]
            mark = "" if 0.93 <= one.held <= 0.97 else "<" if one.held < 0.93 else ">"
            cells += [f"{100 * one.held:.0f}{mark}", f"{one.width:.2f}", f"{100 * one.off:.1f}"]
        table.add_row(
            world if world != last else "",
            part,
            f"{by_method[methods[0]].samples} of {by_method[methods[0]].of}",
            *cells,
        )
        last = world
    table.add_section()
    table.add_row("all", "", "", *_together(list(scores.values()), methods))
    return table


def _together(rows: Sequence[Mapping[str, Score]], methods: Sequence[str]) -> list[str]:
    """Means over the rows; the width is a median."""
    cells = []
    for method in methods:
        of_method = [row[method] for row in rows]
        if not of_method:
            return []
        cells += [
            f"{100 * np.mean([one.held for one in of_method]):.1f}",
            f"{np.median([one.width for one in of_method]):.2f}",
            f"{100 * np.mean([one.off for one in of_method]):.1f}",
        ]
    return cells
