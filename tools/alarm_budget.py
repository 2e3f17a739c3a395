#!/usr/bin/env python3
"""Counts false and missed findings in samples whose truth is known: what the rules cost, and what they bring.

tools/alarm_budget.py                    all rows of the table
tools/alarm_budget.py --samples 50       a quick look
tools/alarm_budget.py --left-out cnmc=FILE --samples 200
                                         cnmc's blasts, too, by a network that left cnmc out (judge_blasts.py --keep)

Samples are of cells that the classifier had not learnt from, drawn from what it says of them (kept in
out/named-cells/; LEUKOSCOPE_DATA): healthy simulated slides, normal donors' laboratories by a normal mix, the patients
of deepapl as they are, and blasts of taleqani, cnmc and deepapl mixed into normal cells of other laboratories. "false"
rows should find nothing, the others must. A bench is taken as not verified: no cell was checked.

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
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from intervals_simulated.laboratories import Laboratory
from leukoscope.analysis.classifier import Classifier
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.service.models import naming_of
from leukoscope.specimen.cell import UNSURE, Decision
from leukoscope.specimen.sample import Basis, Certainty, Finding, RedCells
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Counts, Naming, Summary, Undecided
from named_cells.cache import NamedCells, meanings, named_cells, opened
from named_cells.left_out import cells_left_out
from named_cells.simulated import healthy_slides

NORMAL = ("pbc", "raabin", "krd_wbc", "seg_wbc", "deepbionet")
NORMAL_MIX: Mapping[str, float] = {
    "segmented": 0.57, "band": 0.02, "lymphocyte": 0.30, "monocyte": 0.065, "eosinophil": 0.03, "basophil": 0.006,
}  # fmt: skip
BLASTS = ("taleqani", "cnmc", "deepapl")
BLAST_SHARES = (0.05, 0.2, 0.3)
NOT_SEEN = ((0.3, 0.0, 0.25), (0.2, 0.366, 0.521), (0.3, 0.366, 0.521))
"""Share of malignant cells, and which part of these is named blasts, and is suspect without the name: the worst that is
asked for, and deepapl by a network that was never taught by it (`models/recipes/second_opinion.py --without`)."""
SLIDES, CELLS_OF_SLIDE = 12, 50
"""Healthy simulated ones."""
BLAST_CODES = ("blasts_seen", "blasts_5_percent", "blasts_10_percent", "blasts_20_percent", "blast_suspects")


Cells = list[tuple[NamedCells, int]]


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


class Judge:
    """Makes the findings of cells, as a bench would that is not verified."""

    def __init__(self, bundle: Bundle, rules: Rules) -> None:
        self._naming: Naming = naming_of(bundle)
        self._keys = [one.key for one in self._naming.classes]
        self._classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
        self._rules = rules
        self._decisions: dict[tuple[str, int], Decision] = {}

    def pointed(self, laboratory: NamedCells, number: int) -> str:
        """ "blast" for a cell that is named so, "suspect" for one that only may be, else empty."""
        decision = self._decide(laboratory, number)
        return "blast" if decision.cell_class == "blast" else "suspect" if "blast" in decision.suspect else ""

    def _decide(self, laboratory: NamedCells, number: int) -> Decision:
        key = (laboratory.laboratory, number)
        if key not in self._decisions:
            self._decisions[key] = self._classifier.decide(self._shares(laboratory, number))
        return self._decisions[key]

    def _shares(self, laboratory: NamedCells, number: int) -> dict[str, float]:
        return dict(zip(self._keys, laboratory.probabilities[number].tolist(), strict=True))

    def findings(self, cells: Sequence[tuple[NamedCells, int]]) -> tuple[Finding, ...]:
        """Of these cells, each by its laboratory and number."""
        named: Counter[str] = Counter()
        suspects: Counter[str] = Counter()
        unsure = []
        for laboratory, number in cells:
            decision = self._decide(laboratory, number)
            named[decision.cell_class] += 1
            suspects.update(decision.suspect)
            if decision.cell_class == UNSURE:
                unsure.append(self._shares(laboratory, number))
        counts = Counts(named, {}, RedCells(0, None, None, None), 0, None, Undecided(suspects, tuple(unsure)))
        return Summary(counts, self._naming, 0.1, self._rules).judge(None)[2]


def main(
    classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier",
    samples: Annotated[int, typer.Option(min=1, help="Samples per row.")] = 200,
    cells: Annotated[int, typer.Option(min=10, help="Cells per sample.")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    left_out: Annotated[
        list[str] | None, typer.Option(help="LABORATORY=FILE: what a network that left it out says of each cell.")
    ] = None,
) -> None:
    """Print the table."""
    bundle, facts, data = opened(classifier)
    found, means, rng = named_cells(bundle, data), meanings(bundle), np.random.default_rng(seed)
    laboratories = {name: Laboratory(one, facts, means) for name, one in found.items()}
    laboratories["simulated"] = Laboratory(healthy_slides(bundle, SLIDES, CELLS_OF_SLIDE), facts, means)
    judge = Judge(bundle, Rules.shipped())
    table = Table(title=f"{cells} cells a sample, {bundle.manifest.name} {bundle.manifest.version}, not verified")
    headings = "samples of", "n", "likely findings a sample", "% with likely blasts", "% with a line on blasts", "which"
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("samples of", "which") else "right")
    rows = chain(
        _rows(laboratories, judge, samples, cells, rng),
        *(_rows_left_out(one, bundle, facts, means, samples, cells, rng) for one in left_out or ()),
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
    laboratories: Mapping[str, Laboratory], judge: Judge, samples: int, cells: int, rng: np.random.Generator
) -> Iterator[tuple[str, Iterator[Cells]]]:
    for name in ("simulated", *NORMAL):
        yield f"false: normal, {name}", (_normal(laboratories[name], cells, rng) for _ in range(samples))
    yield "deepapl, patients as they are", _patients(laboratories["deepapl"], samples, cells, rng)
    for name in BLASTS:
        for share in BLAST_SHARES:
            yield (
                f"{share:.0%} blasts of {name}",
                (_mixed(laboratories[name], laboratories, share, cells, rng) for _ in range(samples)),
            )

    pool = Pool(laboratories, judge)
    for share, blasts, suspects in NOT_SEEN:
        yield (
            f"not seen: {share:.0%}, of which {blasts:.0%} named, {suspects:.0%} suspect",
            (pool.not_seen(share, blasts, suspects, cells, rng) for _ in range(samples)),
        )


def _rows_left_out(
    named: str,
    bundle: Bundle,
    facts: ClassifierFacts,
    means: Mapping[str, tuple[str, ...]],
    samples: int,
    cells: int,
    rng: np.random.Generator,
) -> Iterator[tuple[str, Iterator[Cells]]]:
    """Blasts of the laboratory that `named` (LABORATORY=FILE) left out, among the others' normal cells."""
    name, _, path = named.partition("=")
    found = cells_left_out(Path(path), Path(path).stem, bundle)
    if name not in found:
        raise typer.BadParameter(f"expected LABORATORY=FILE with one of {sorted(found)}, found {named}")
    laboratories = {key: Laboratory(one, facts, means) for key, one in found.items()}
    for share in BLAST_SHARES:
        yield (
            f"{share:.0%} blasts of {name}, left out",
            (_mixed(laboratories[name], laboratories, share, cells, rng) for _ in range(samples)),
        )
    for normal in NORMAL:
        yield (
            f"false: normal, {normal}, without {name}",
            (_normal(laboratories[normal], cells, rng) for _ in range(samples)),
        )


class Pool:
    """Malignant cells by what the classifier makes of them."""

    def __init__(self, laboratories: Mapping[str, Laboratory], judge: Judge) -> None:
        self._laboratories = laboratories
        self._cells: dict[str, Cells] = {"blast": [], "suspect": [], "": []}
        for name in BLASTS:
            for number in _of(laboratories[name], "blast"):
                cell = (laboratories[name].cells, int(number))
                if kind := judge.pointed(*cell):
                    self._cells[kind].append(cell)
        # A malignant cell that is not pointed at has the look of a normal one.
        for name in NORMAL:
            cells = laboratories[name].cells
            for key in ("lymphocyte", "monocyte"):
                self._cells[""] += [
                    (cells, int(one)) for one in _of(laboratories[name], key) if not judge.pointed(cells, int(one))
                ]

    def not_seen(self, share: float, blasts: float, suspects: float, cells: int, rng: np.random.Generator) -> Cells:
        """So many malignant cells, pointed at so often, among normal ones."""
        malignant = round(share * cells)
        named, only_suspect = round(blasts * malignant), round(suspects * malignant)
        found: Cells = []
        counts = (("blast", named), ("suspect", only_suspect), ("", malignant - named - only_suspect))
        for kind, count in counts:
            chosen = _pick(np.arange(len(self._cells[kind])), count, rng)
            found += [self._cells[kind][one] for one in chosen]
        return found + _normal(self._laboratories[str(rng.choice(NORMAL))], cells - malignant, rng)


def _normal(laboratory: Laboratory, cells: int, rng: np.random.Generator) -> Cells:
    """Cells of a laboratory by a normal mix, a little varied; classes that it lacks are left out."""
    shares = np.array([sum(NORMAL_MIX.get(key, 0.0) for key in keys) for keys in laboratory.parts.values()])
    drawn = rng.standard_gamma(200 * shares / shares.sum() + 1e-9)
    found: Cells = []
    for label, count in zip(laboratory.parts, rng.multinomial(cells, drawn / drawn.sum()), strict=True):
        found += [(laboratory.cells, int(number)) for number in _pick(_of(laboratory, label), count, rng)]
    return found


def _mixed(
    source: Laboratory, laboratories: Mapping[str, Laboratory], share: float, cells: int, rng: np.random.Generator
) -> Cells:
    """Blasts of one laboratory among normal cells of another, which is drawn."""
    normal = [name for name in NORMAL if laboratories[name] is not source]
    count = round(share * cells)
    blasts = [(source.cells, int(number)) for number in _pick(_of(source, "blast"), count, rng)]
    return blasts + _normal(laboratories[str(rng.choice(normal))], cells - count, rng)


def _patients(laboratory: Laboratory, samples: int, cells: int, rng: np.random.Generator) -> Iterator[Cells]:
    """Patients with at least a fifth of blasts and promyelocytes among their white cells, each as it is."""
    groups = np.array(laboratory.cells.groups)[laboratory.kept]
    patients = []
    for name in np.unique(groups):
        own = laboratory.kept[groups == name]
        labels = [laboratory.truth[number] for number in own]
        white = [label for label in labels if label in laboratory.parts]
        if len(own) >= 10 and sum(label in ("blast", "promyelocyte") for label in white) >= 0.2 * len(white) > 0:
            patients.append(own)
    for number in range(samples if patients else 0):
        own = patients[number % len(patients)]
        yield [(laboratory.cells, int(one)) for one in _pick(own, cells, rng)]


def _of(laboratory: Laboratory, label: str) -> NDArray[np.intp]:
    return np.array([number for number in laboratory.kept if laboratory.truth[number] == label], dtype=np.intp)


def _pick(among: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Each at most once as long as there are enough."""
    return rng.choice(among, count, replace=count > len(among)) if len(among) else among


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        raise SystemExit(str(error)) from error
