#!/usr/bin/env python3
"""Counts false and missed findings in samples whose truth is known: what the rules cost, and what they bring.

tools/alarm_budget.py                    all rows of the table
tools/alarm_budget.py --samples 50       a quick look
tools/alarm_budget.py --left-out cnmc=FILE --samples 200
                                         cnmc's blasts, too, by a network that left cnmc out (judge_blasts.py --keep)
tools/alarm_budget.py --checked 100      on a bench that is verified by so many other normal cells of that laboratory

Samples are of cells that the classifier had not learnt from, drawn from what it says of them (kept in
out/named-cells/; LEUKOSCOPE_DATA): healthy simulated slides, normal donors' laboratories by a normal mix, left shifts
without a blast, the patients of deepapl as they are, and blasts of taleqani, cnmc and deepapl mixed into normal cells
of other laboratories. "false" rows should find nothing (a left shift no blasts), the others must. A bench is taken as
not verified, unless --checked says of how many cells.

The laboratories have taught the classifier by other cells than these. "Not seen" rows stand for a laboratory that has
not: of its malignant cells so many are named blasts, so many more only suspect, and the rest looks normal.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from intervals_simulated.laboratories import Laboratory
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.specimen.sample import Basis, Certainty, Finding
from leukoscope.statistics.rules import Rules
from named_cells.cache import meanings, named_cells, opened
from named_cells.judged_samples import BLASTS, NORMAL, Drawing, Drawn, Judge, Pool
from named_cells.left_out import cells_left_out
from named_cells.simulated import healthy_slides

BLAST_SHARES = (0.05, 0.2, 0.3)
LEFT_SHIFTS = (0.1, 0.25)
"""Shares of pbc's immature granulocytes: a laboratory that tells the stages apart and has no leukaemia."""
NOT_SEEN = ((0.3, 0.0, 0.25), (0.2, 0.366, 0.521), (0.3, 0.366, 0.521))
"""Share of malignant cells, and which part of these is named blasts, and is suspect without the name: the worst that is
asked for, and deepapl by a network that was never taught by it (`models/recipes/second_opinion.py --without`)."""
SLIDES, CELLS_OF_SLIDE = 12, 50
"""Healthy simulated ones."""
BLAST_CODES = ("blasts_seen", "blasts_5_percent", "blasts_10_percent", "blasts_20_percent", "blast_suspects")


@dataclass(slots=True)
class Alarms:
    """What was found in the samples of one row."""

    samples: int = 0
    likely: int = 0
    """Findings on cells at likely or above, over all samples."""
    with_blasts: int = 0
    """Samples with a blast finding at likely or above."""
    with_alarm: int = 0
    """Samples with any finding on blasts, the worst case included."""
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, findings: Sequence[Finding]) -> None:
        """One sample more."""
        sure = [
            one for one in findings if one.basis is not Basis.NONE and one.certainty is not Certainty.CANNOT_BE_EXCLUDED
        ]
        self.samples += 1
        self.likely += len(sure)
        self.codes.update(one.code for one in sure)
        self.with_blasts += any(one.code in BLAST_CODES for one in sure)
        self.with_alarm += any(one.code in (*BLAST_CODES, "worst_case") for one in findings)


def main(
    classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier",
    samples: Annotated[int, typer.Option(min=1, help="Samples per row.")] = 200,
    cells: Annotated[int, typer.Option(min=10, help="Cells per sample.")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    checked: Annotated[int, typer.Option(min=0, help="Other normal cells of the laboratory that people checked.")] = 0,
    left_out: Annotated[
        list[str] | None, typer.Option(help="LABORATORY=FILE: what a network that left it out says of each cell.")
    ] = None,
) -> None:
    """Print the table."""
    bundle, facts, data = opened(classifier)
    found, means, rng = named_cells(bundle, data), meanings(bundle), np.random.default_rng(seed)
    laboratories = {name: Laboratory(one, facts, means) for name, one in found.items()}
    laboratories["simulated"] = Laboratory(healthy_slides(bundle, SLIDES, CELLS_OF_SLIDE), facts, means)
    judge = Judge(bundle, facts, Rules.shipped())
    draw = Drawing(judge, cells, checked, rng)
    table = Table(
        title=f"{cells} cells a sample, {bundle.manifest.name} {bundle.manifest.version}, {checked} checked beside them"
    )
    headings = "samples of", "n", "likely findings a sample", "% with likely blasts", "% with a line on blasts", "which"
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("samples of", "which") else "right")
    rows = chain(
        _rows(laboratories, judge, draw, samples),
        *(_rows_left_out(one, bundle, facts, means, draw, samples) for one in left_out or ()),
    )
    for name, drawn in rows:
        alarms = Alarms()
        for sample in drawn:
            alarms.add(judge.findings(sample))
        typer.echo(f"{name}: {alarms}", err=True)
        if alarms.samples:
            which = ", ".join(f"{code} {count}" for code, count in alarms.codes.most_common(4))
            table.add_row(
                name, str(alarms.samples), f"{alarms.likely / alarms.samples:.2f}",
                f"{100 * alarms.with_blasts / alarms.samples:.1f}", f"{100 * alarms.with_alarm / alarms.samples:.1f}",
                which,
            )  # fmt: skip
    Console(width=150).print(table)


def _rows(
    laboratories: Mapping[str, Laboratory], judge: Judge, draw: Drawing, samples: int
) -> Iterator[tuple[str, Iterator[Drawn]]]:
    for name in ("simulated", *NORMAL):
        yield f"false: normal, {name}", (draw.normal(laboratories[name]) for _ in range(samples))
    for share in LEFT_SHIFTS:
        shifted = (draw.left_shift(laboratories["pbc"], share) for _ in range(samples))
        yield f"false blasts: left shift of {share:.0%}, pbc", shifted
    yield "deepapl, patients as they are", draw.patients(laboratories["deepapl"], samples)
    for name in BLASTS:
        for share in BLAST_SHARES:
            mixed = (draw.mixed(laboratories[name], laboratories, share) for _ in range(samples))
            yield f"{share:.0%} blasts of {name}", mixed
    pool = Pool(laboratories, judge)
    for share, blasts, suspects in NOT_SEEN:
        yield (
            f"not seen: {share:.0%}, of which {blasts:.0%} named, {suspects:.0%} suspect",
            (draw.not_seen(pool, laboratories, share, blasts, suspects) for _ in range(samples)),
        )


def _rows_left_out(
    named: str,
    bundle: Bundle,
    facts: ClassifierFacts,
    means: Mapping[str, tuple[str, ...]],
    draw: Drawing,
    samples: int,
) -> Iterator[tuple[str, Iterator[Drawn]]]:
    """Blasts of the laboratory that `named` (LABORATORY=FILE) left out, among the others' normal cells."""
    name, _, path = named.partition("=")
    found = cells_left_out(Path(path), Path(path).stem, bundle)
    if name not in found:
        raise typer.BadParameter(f"expected LABORATORY=FILE with one of {sorted(found)}, found {named}")
    laboratories = {key: Laboratory(one, facts, means) for key, one in found.items()}
    for share in BLAST_SHARES:
        mixed = (draw.mixed(laboratories[name], laboratories, share) for _ in range(samples))
        yield f"{share:.0%} blasts of {name}, left out", mixed
    for normal in NORMAL:
        yield f"false: normal, {normal}, without {name}", (draw.normal(laboratories[normal]) for _ in range(samples))


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        raise SystemExit(str(error)) from error
