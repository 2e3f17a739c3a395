#!/usr/bin/env python3
"""Counts how often the intervals of the differential hold the true share, in simulated samples of known mix.

tools/interval_coverage.py                         the classifier that comes with the software
tools/interval_coverage.py --laboratories differ   each collection, and the bench, with a matrix of its own
tools/interval_coverage.py --samples 20            a quick look

An interval of 95 % should hold the truth 95 times of 100: more often is too wide, less often promises too much.
"""

from typing import Annotated, Literal

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from intervals_simulated.methods import METHODS
from intervals_simulated.scoring import score, table_of
from intervals_simulated.world import MIXES, World
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.validation import Validation
from leukoscope.statistics.confusion import merge_confusion
from leukoscope.system.assets import find_asset


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
