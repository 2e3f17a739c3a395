"""Puts a training cell on another slide: other backgrounds for what was cut out, neighbours, the size of its bench."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cells import Cell, enlarged
from classifier_window import UM_PER_PX
from cut_outs import SIDE_PX, Mask, crowd, paste, plain, thinned
from scenes import Picture
from vocabulary import ARTEFACT

PLAIN_SHARE = 0.15
"""Of cut-out cells that lie on one colour instead of a slide."""
MOVED_SHARE = 0.06
"""Of other outlined cells that are pasted elsewhere, so that a pasted look or a plain background names no class."""
CROWDED_SHARE = 0.12
MOST_NEIGHBOURS = 3
EXPECTED_DIAMETER_UM = 14.0
"""The median of a bench's white cells, to which its reference brings them (`leukoscope.optics`)."""
MOST_ENLARGED = 1.25
ASSUMED_POWER = 0.5
"""Of a uniform draw: sizes near the full enlargement are shown more often than those near the assumed one."""
FEWEST_MEASURED = 100
BACKGROUNDS_SEED = 7
NEVER_MOVED = frozenset(
    {"smudge", "smudge_or_artefact", ARTEFACT, "platelet", "giant_thrombocyte", "thrombocyte_aggregation"}
)


class Slides:
    """What may lie around a cell, drawn from one random generator.

    `assumed` names collections whose scale was not measured, and how much larger their cells may be than it says.
    """

    def __init__(
        self, cells: Sequence[Cell], rng: np.random.Generator, assumed: Mapping[str, float] | None = None
    ) -> None:
        self._rng = rng
        self._assumed = assumed or {}
        self._backgrounds = [cell.picture for cell in cells if cell.label == ARTEFACT]
        self._neighbours: dict[str, list[Cell]] = defaultdict(list)
        sizes: dict[str, list[float]] = defaultdict(list)
        for cell in cells:
            if cell.mask is not None and cell.label not in NEVER_MOVED:
                self._neighbours[cell.collection].append(cell)
                sizes[cell.collection].append(_diameter_um(cell.mask))
        self._enlarged = {
            collection: float(np.clip(EXPECTED_DIAMETER_UM / np.median(found), 1 / MOST_ENLARGED, MOST_ENLARGED))
            for collection, found in sizes.items()
            if len(found) >= FEWEST_MEASURED
        }

    def enlarged(self, cell: Cell) -> float:
        """How much larger to show the cell: from not at all to as a bench that knows its reference shows it."""
        if cell.collection in self._assumed:
            return float(self._assumed[cell.collection] ** self._rng.random() ** ASSUMED_POWER)
        return float(self.by_reference(cell.collection) ** self._rng.random())

    def by_reference(self, collection: str) -> float:
        """How much larger a bench that knows its reference shows this collection's cells; 1 where too few are known."""
        return self._enlarged.get(collection, 1.0)

    def around(self, cell: Cell) -> Picture:
        """The cell's cached picture, on another slide where it has none, now and then among neighbours."""
        if cell.mask is None or cell.label in NEVER_MOVED:
            return cell.picture
        mask = _unpacked(cell.mask)
        picture = cell.picture
        if cell.cut_out:
            picture = self.pasted(cell)
        elif self._rng.random() < MOVED_SHARE:
            picture = paste(picture, mask, self._background())
        if self._rng.random() < CROWDED_SHARE:
            picture = self._crowded(cell, picture, mask)
        return picture

    def pasted(self, cell: Cell) -> Picture:
        """The cached picture of a cell that its collection cut out, on the background of another."""
        assert cell.mask is not None
        return paste(thinned(cell.picture, self._rng), _unpacked(cell.mask), self._background())

    def _background(self) -> Picture:
        rng = self._rng
        if not self._backgrounds or rng.random() < PLAIN_SHARE:
            return plain(rng)
        chosen = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
        return np.rot90(chosen, int(rng.integers(4)))

    def _crowded(self, cell: Cell, picture: Picture, mask: Mask) -> Picture:
        # Of the same laboratory: a foreign neighbour would tell that the picture is a collage.
        neighbours = self._neighbours[cell.collection]
        taken = mask
        for _ in range(int(self._rng.integers(1, MOST_NEIGHBOURS + 1))):
            other = neighbours[int(self._rng.integers(len(neighbours)))]
            if other.mask is None:
                continue
            shown = thinned(other.picture, self._rng) if other.cut_out else other.picture
            picture = crowd(picture, taken, shown, _unpacked(other.mask), self._rng)
        return picture


def on_slides(cells: Sequence[Cell], backgrounds: Sequence[Cell]) -> list[Cell]:
    """The same cells, those cut out by their collection on backgrounds of other laboratories: no device sees black."""
    slides = Slides(backgrounds, np.random.default_rng(BACKGROUNDS_SEED))
    return [
        Cell(slides.pasted(cell), cell.collection, cell.label, cell.group, cell.classes) if cell.cut_out else cell
        for cell in cells
    ]


def by_reference(cells: Sequence[Cell], measured: Sequence[Cell]) -> list[Cell]:
    """The same cells as large as a bench shows them that took its reference from `measured` ones."""
    slides = Slides(measured, np.random.default_rng(BACKGROUNDS_SEED))
    return [replace(cell, picture=enlarged(cell.picture, slides.by_reference(cell.collection))) for cell in cells]


def _unpacked(packed: NDArray[np.uint8]) -> Mask:
    return np.unpackbits(packed).reshape(SIDE_PX, SIDE_PX).astype(bool)


def _diameter_um(packed: NDArray[np.uint8]) -> float:
    return float(2.0 * np.sqrt(np.unpackbits(packed).sum() / np.pi)) * UM_PER_PX
