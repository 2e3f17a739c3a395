#!/usr/bin/env python3
"""Counts how often the intervals of the differential hold the true share, in samples whose truth is known.

tools/interval_coverage.py                         simulated laboratories and real ones, all methods, both tables
tools/interval_coverage.py --only real             labelled cells of each laboratory, which is left out in turn
tools/interval_coverage.py --only simulated        mixes drawn from the bundle's validation, laboratories that differ
tools/interval_coverage.py --samples 5             a quick look

Every bench has --checked cells that a person has named; the other laboratories' matrices are the prior. An interval of
95 % should hold the truth 95 times of 100: more often is too wide, less often promises too much. A verified bench gives
one only for classes of which enough cells were checked; only such samples count, for every method. Real cells need the
picture collection (LEUKOSCOPE_DATA); what the classifier says of them is kept in out/named-cells/. EMQ and PACC need
QuaPy (pip install 'leukoscope[quantification]').
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from evaluation.tables import data_folder
from intervals_simulated.laboratories import FEWEST_CELLS, Laboratory
from intervals_simulated.methods import METHODS
from intervals_simulated.samples import Sample
from intervals_simulated.scoring import score, table_of
from intervals_simulated.world import World
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction
from leukoscope.system.assets import find_asset
from named_cells.cache import meanings, named_cells


def main(
    classifier: Annotated[str, typer.Option(help="A classifier bundle that holds a validation.")] = "classifier",
    only: Annotated[Literal["both", "real", "simulated"], typer.Option(help="Which samples.")] = "both",
    samples: Annotated[int, typer.Option(min=1, help="Samples per mix, and per specimen a fifth of it.")] = 50,
    cells: Annotated[int, typer.Option(min=10, help="Cells counted per sample.")] = 200,
    checked: Annotated[int, typer.Option(min=1, help="Cells of the bench that were checked.")] = 100,
    between: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="How much simulated laboratories differ; else measured."),
    ] = None,
    method: Annotated[list[str], typer.Option(help="Which intervals.")] = list(METHODS),  # noqa: B006
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Print the tables."""
    bundle = Bundle.read(find_asset("models", classifier))
    path, facts = bundle.validation_path(), bundle.manifest.classifier
    if path is None or facts is None:
        raise BundleError(
            f"bundle {bundle.manifest.name} holds no validation: expected one in its manifest",
            "measure it with the recipe of the bundle",
        )
    validation, rng, console = Validation.read(path), np.random.default_rng(seed), Console(width=150)
    setting = f"{cells} cells counted, {checked} checked on the bench, {bundle.manifest.name} {bundle.manifest.version}"
    if only != "real":
        record = NamingRecord.read(validation, facts)
        spread = Correction(record, NamingRecord.of((), facts)).between if between is None else between
        drawn = World(validation, facts, between=spread).samples(cells, samples, rng, checked)
        shown = track(drawn, description="simulated", console=Console(stderr=True))
        console.print(table_of(score(facts, shown, method), f"Simulated mixes (between {spread:.3f}), {setting}"))
    if only != "simulated":
        shown = track(_real(bundle, facts, checked, cells, samples, rng), "real", console=Console(stderr=True))
        console.print(table_of(score(facts, shown, method), f"Real cells, laboratory left out, {setting}"))


def _real(
    bundle: Bundle, facts: ClassifierFacts, checked: int, cells: int, samples: int, rng: np.random.Generator
) -> Iterator[Sample]:
    data = data_folder()
    if data is None:
        raise typer.BadParameter("no labelled pictures found: set LEUKOSCOPE_DATA, or say --only simulated")
    means = meanings(bundle)
    laboratories = {name: Laboratory(found, facts, means) for name, found in named_cells(bundle, data).items()}
    matrices: dict[str, ConfusionMatrix] = {name: one.matrix() for name, one in laboratories.items()}
    for name, laboratory in laboratories.items():
        others = tuple(matrix for other, matrix in matrices.items() if other != name)
        # A laboratory of blasts alone, or of few cells, has no differential.
        if len(laboratory.kept) >= FEWEST_CELLS and len(laboratory.parts) > 2:
            yield from laboratory.drawn(others, checked, cells, samples, rng)
            yield from laboratory.specimens(others, checked, cells, max(1, samples // 5), rng)


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        raise SystemExit(str(error)) from error
