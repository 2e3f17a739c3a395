#!/usr/bin/env python3
"""Counts how often the intervals of the differential hold the true share, in simulated samples of known mix.

tools/interval_coverage.py                         the classifier that comes with the software
tools/interval_coverage.py --laboratories differ   each collection, and the bench, with a matrix of its own
tools/interval_coverage.py --samples 20            a quick look

An interval of 95 % should hold the truth 95 times of 100: more often is too wide, less often promises too much.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.optimize import nnls

from leukoscope.analysis.confusion import ConfusionRows, merge_confusion
from leukoscope.analysis.corrected import Correction
from leukoscope.analysis.intervals import clopper_pearson
from leukoscope.assets import find_asset
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE

MIXES: Mapping[str, Mapping[str, float]] = {
    "normal": {
        "segmented": 0.55, "band": 0.03, "metamyelocyte": 0.003, "blast": 0.002, "lymphocyte": 0.29,
        "lymphocyte_variant": 0.012, "monocyte": 0.065, "eosinophil": 0.03, "basophil": 0.008,
    },
    "left shift": {
        "segmented": 0.50, "band": 0.16, "metamyelocyte": 0.06, "myelocyte": 0.04, "promyelocyte": 0.015,
        "blast": 0.005, "lymphocyte": 0.14, "monocyte": 0.06, "eosinophil": 0.015, "basophil": 0.01,
    },
    "lymphocytes": {
        "segmented": 0.20, "band": 0.01, "lymphocyte": 0.68, "lymphocyte_variant": 0.06, "monocyte": 0.03,
        "eosinophil": 0.015, "basophil": 0.005,
    },
    "eosinophils": {
        "segmented": 0.40, "band": 0.02, "lymphocyte": 0.23, "monocyte": 0.05, "eosinophil": 0.28, "basophil": 0.02,
    },
    "monocytes": {
        "segmented": 0.40, "band": 0.05, "metamyelocyte": 0.02, "myelocyte": 0.02, "lymphocyte": 0.20,
        "monocyte": 0.25, "promonocyte": 0.03, "eosinophil": 0.02, "basophil": 0.01,
    },
    "5 % blasts": {
        "segmented": 0.48, "band": 0.05, "metamyelocyte": 0.02, "myelocyte": 0.02, "promyelocyte": 0.01,
        "blast": 0.05, "lymphocyte": 0.28, "monocyte": 0.06, "eosinophil": 0.02, "basophil": 0.01,
    },
    "20 % blasts": {
        "segmented": 0.35, "band": 0.05, "metamyelocyte": 0.02, "myelocyte": 0.02, "promyelocyte": 0.02,
        "blast": 0.20, "lymphocyte": 0.25, "monocyte": 0.06, "eosinophil": 0.02, "basophil": 0.01,
    },
    "60 % blasts": {
        "segmented": 0.12, "band": 0.02, "myelocyte": 0.015, "promyelocyte": 0.03, "blast": 0.57, "promonocyte": 0.02,
        "lymphocyte": 0.15, "monocyte": 0.06, "eosinophil": 0.01, "basophil": 0.005,
    },
}  # fmt: skip
"""Shares of the white cells; what a bundle cannot name is left out."""
BESIDE = {"erythroblast": 0.01, "smudge": 0.03, "artefact": 0.015, "giant_thrombocyte": 0.005}
"""What else is found, as a share of all found."""
ALIKENESS = 80.0
"""How alike samples of one mix are: a share p varies with a standard deviation of sqrt(p (1 - p) / 81)."""
SMALLEST = 0.01
"""True share from which a class of a sample enters the table."""
BOOTSTRAPS = 200

Floats = NDArray[np.float64]
Interval = tuple[float, float]
Intervals = Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Sample:
    """One simulated sample, and the validation its classifier would have come with."""

    mix_name: str
    truth: Mapping[str, float]
    """True share of the white cells by class and group, 0-1."""
    named: Mapping[str, int]
    validation: Validation


@dataclass(frozen=True, slots=True)
class Score:
    """How the intervals of one class fared."""

    samples: int
    held: float
    """Share of intervals that held the truth, 0-1."""
    width: float
    """Mean distance between their ends, 0-1."""


class World:
    """A classifier whose matrix is known; draws validations of the size of a real one, and samples."""

    def __init__(self, validation: Validation, facts: ClassifierFacts, *, between: float = 0.0) -> None:
        """Take the rows of a real validation for the truth, a little smoothed.

        Args:
            validation: gives the rows, and how many cells of which label each collection holds.
            facts: the classifier's.
            between: share of the variance of an answer between laboratories, 0 to below 1; with 0 all are alike.
        """
        self.facts = facts
        self._validation = validation
        self._between = between
        self._classes = [one.key for one in facts.classes]
        self._answers = [*self._classes, UNSURE]
        self._place = {key: number for number, key in enumerate(self._classes)}
        self._differential = [one.key for one in facts.classes if one.in_differential]
        size = len(self._classes)
        rows = np.full((size, size + 1), 1 / (size + 1)) + 2 * np.eye(size, size + 1)
        for matrix in validation.matrices:
            columns = [self._answers.index(key) for key in matrix.named]
            for label, counts in zip(matrix.truth, matrix.counts, strict=True):
                if label in self._place:
                    rows[self._place[label], columns] += counts
        self._rows: Floats = rows / rows.sum(axis=1, keepdims=True)

    def samples(self, cells: int, number: int, rng: np.random.Generator) -> Iterator[Sample]:
        """`number` samples of each mix, each of so many found cells, with validations of their own."""
        for name, shares in MIXES.items():
            wanted = {key: 0.94 * share for key, share in shares.items()} | BESIDE
            mean = np.array([wanted.get(key, 0.0) for key in self._classes])
            for _ in range(number):
                mix = rng.standard_gamma(ALIKENESS * mean / mean.sum())
                mix /= mix.sum()
                counts = rng.multinomial(cells, mix @ self._laboratory(rng))
                named = dict(zip(self._answers, map(int, counts), strict=True))
                yield Sample(name, self._truth(mix), named, self._validate(rng))

    def parts(self) -> dict[str, list[str]]:
        """Classes and groups of the differential, and the classes each stands for."""
        parts = {key: [key] for key in self._differential}
        for group, members in self.facts.groups.items():
            if inside := [key for key in members if key in self._differential]:
                parts[group] = inside
        return parts

    def _truth(self, mix: Floats) -> dict[str, float]:
        white = mix[[self._place[key] for key in self._differential]].sum()
        return {
            name: float(mix[[self._place[key] for key in keys]].sum() / white) for name, keys in self.parts().items()
        }

    def _laboratory(self, rng: np.random.Generator) -> Floats:
        if not self._between:
            return self._rows
        drawn = rng.standard_gamma(self._rows * (1 - self._between) / self._between) + 1e-12
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))

    def _validate(self, rng: np.random.Generator) -> Validation:
        """The same labels and sizes as the real validation, in laboratories that are drawn."""
        matrices = []
        for matrix in self._validation.matrices:
            rows = self._laboratory(rng)
            kept = [label for label in matrix.truth if label in self._place]
            sizes = {label: sum(counts) for label, counts in zip(matrix.truth, matrix.counts, strict=True)}
            counts = [rng.multinomial(sizes[label], rows[self._place[label]]) for label in kept]
            matrices.append(
                ConfusionMatrix(
                    collection=matrix.collection,
                    held_out_by=matrix.held_out_by,
                    truth=tuple(kept),
                    named=tuple(self._answers),
                    counts=tuple(tuple(int(count) for count in row) for row in counts),
                )
            )
        return Validation(matrices=tuple(matrices))


def counted(sample: Sample, parts: Mapping[str, list[str]], facts: ClassifierFacts) -> Intervals:
    """The exact binomial interval of the counts, which knows nothing of wrong names."""
    total = sum(sample.named[one.key] for one in facts.classes if one.in_differential)
    return {name: clopper_pearson(sum(sample.named[key] for key in keys), total) for name, keys in parts.items()}


def corrected(sample: Sample, parts: Mapping[str, list[str]], facts: ClassifierFacts) -> Intervals:
    """What the device reports."""
    mix = Correction(merge_confusion(sample.validation, facts)).correct(sample.named)
    white = [one.key for one in facts.classes if one.in_differential]
    return {name: mix.share(keys, [key for key in white if key not in keys])[1:] for name, keys in parts.items()}


def inverted(sample: Sample, parts: Mapping[str, list[str]], facts: ClassifierFacts) -> Intervals:
    """The plain alternative: the matrix inverted (by non-negative least squares), percentiles of a bootstrap of both.

    Rogan & Gladen, Am J Epidemiol 107, 1978; Buonaccorsi, Measurement Error, 2010, chapter 3.
    """
    rows = merge_confusion(sample.validation, facts)
    counts = np.array([sample.named[key] for key in rows.named])
    rng = np.random.default_rng(counts)
    drawn = np.array([_invert(rows, counts, rng) for _ in range(BOOTSTRAPS)])
    place = {key: number for number, key in enumerate(rows.classes)}
    white = drawn[:, [place[one.key] for one in facts.classes if one.in_differential]].sum(axis=1)
    ends = {}
    for name, keys in parts.items():
        share = drawn[:, [place[key] for key in keys]].sum(axis=1) / white
        low, high = np.quantile(share, [0.025, 0.975])
        ends[name] = float(low), float(high)
    return ends


def _invert(rows: ConfusionRows, counts: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    size = len(rows.classes)
    matrix = np.eye(size, size + 1)
    for number, worth in enumerate(rows.worth):
        if cells := round(worth.sum()):
            matrix[number] = rng.multinomial(cells, worth / worth.sum()) / cells
    mix, _ = nnls(matrix.T, rng.multinomial(counts.sum(), counts / counts.sum()) / counts.sum())
    return np.asarray(mix)


METHODS: Mapping[str, Callable[[Sample, Mapping[str, list[str]], ClassifierFacts], Intervals]] = {
    "counts alone": counted,
    "inverted": inverted,
    "corrected": corrected,
}


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


def main(
    classifier: Annotated[str, typer.Option(help="A classifier bundle that holds a validation.")] = "classifier",
    samples: Annotated[int, typer.Option(min=1, help="Samples per mix and number of cells.")] = 150,
    cells: Annotated[list[int], typer.Option(min=10, help="Found cells per sample; may be given more than once.")] = [  # noqa: B006
        100,
        200,
        500,
    ],
    laboratories: Annotated[
        Literal["agree", "differ"], typer.Option(help="Whether collections and bench share one matrix.")
    ] = "agree",
    between: Annotated[
        float | None, typer.Option(min=0, max=0.9, help="How much they differ; measured where not given.")
    ] = None,
    method: Annotated[list[str], typer.Option(help="Which intervals.")] = list(METHODS),  # noqa: B006
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Print the table."""
    bundle = Bundle.read(find_asset("models", classifier))
    path, facts = bundle.validation_path(), bundle.manifest.classifier
    if path is None or facts is None:
        raise BundleError(f"bundle {bundle.manifest.name} holds no validation: expected one in its manifest")
    validation = Validation.read(path)
    spread = merge_confusion(validation, facts).between if between is None else between
    world = World(validation, facts, between=spread if laboratories == "differ" else 0.0)
    rng = np.random.default_rng(seed)
    everything = (sample for number in cells for sample in world.samples(number, samples, rng))
    total = len(cells) * samples * len(MIXES)
    shown = track(everything, total=total, console=Console(stderr=True), description="samples")
    title = f"95 % intervals, {', '.join(map(str, cells))} cells, laboratories {laboratories}" + (
        f" (between {spread:.3f})" if laboratories == "differ" else ""
    )
    Console(width=100).print(table_of(score(world, shown, method), title))


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        raise SystemExit(str(error)) from error
