#!/usr/bin/env python3
"""Prints how far specimens of one laboratory lie apart in how a classifier names their cells.

tools/specimen_spread.py        every laboratory whose patients or slides are known, and all but each in turn

The share of the variance of an answer that lies between specimens, learnt from labelled cells (LEUKOSCOPE_DATA) by the
likelihood that the correction of a verified bench uses. That starts from a spread that rests on no laboratory
(`SPECIMENS_ALIKE`), and is moved by the bench's own specimens; this says how near it is to real ones.
"""

from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from intervals_simulated.laboratories import Laboratory
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.laboratory_levels import SPECIMENS_ALIKE, fits_of, mixture_of, share_between
from leukoscope.statistics.misclassification import Correction
from named_cells.cache import meanings, named_cells, opened

Fits = list[list[float]]


def main(classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier") -> None:
    """Print the table."""
    bundle, facts, data = opened(classifier)
    means, found = meanings(bundle), named_cells(bundle, data)
    fits = {name: _fits(Laboratory(cells, facts, means), facts) for name, cells in found.items()}
    table = Table(title=f"{bundle.manifest.name} {bundle.manifest.version}", title_justify="left")
    for heading in ("laboratory", "rows of specimens", "share between", "of all but it"):
        table.add_column(heading, justify="left" if heading == "laboratory" else "right")
    for name, of_one in fits.items():
        if of_one:
            rest = [row for other, rows in fits.items() if other != name for row in rows]
            table.add_row(name, str(len(of_one)), f"{_share(of_one):.3f}", f"{_share(rest):.3f}")
    everything = [row for rows in fits.values() for row in rows]
    table.add_section()
    table.add_row("all", str(len(everything)), f"{_share(everything):.3f}", "")
    table.add_row("before any", "", f"{share_between(SPECIMENS_ALIKE):.3f}", "")
    Console(width=100).print(table)


def _share(fits: Fits) -> float:
    return share_between(mixture_of(fits))


def _fits(laboratory: Laboratory, facts: ClassifierFacts) -> Fits:
    """Of each class in each specimen around the laboratory's others; none where specimens are single cells."""
    nobody = NamingRecord.of((), facts)
    prior = Correction(nobody, nobody).prior
    answers = (*(one.key for one in facts.classes), UNSURE)
    cells = NamingRecord.of(laboratory.checked(laboratory.kept).matrices(answers), facts).answers
    # A row of a single cell says nothing of how closely rows lie together.
    told = np.where(cells.sum(axis=2, keepdims=True) >= 1.5, cells, 0.0)
    return fits_of(told, prior)


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        raise SystemExit(str(error)) from error
