"""Whether what was found in a field can be blood: how much of what is stained are cells, and what colours they have."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.cell import CellInstance, CellKind
from leukoscope.specimen.field import Flaw, Quality
from leukoscope.specimen.frame import Micrograph
from leukoscope.system.pixels_in_file import let_go

LEAST_LIKENESS = 0.28
"""Share of the stained area that was found to be cells, times the median of the segmenter's scores, below which a field
shows something else. Of 1,012 validation fields two lie below it; printed pages, leaves, gravel and photographs do."""
GLASS_EVERY, GLASS_LINES, GLASS_SHARE = 12, 100, 0.97
"""Every twelfth row and column, of large pictures about a hundred of each, tells what bare glass looks like, by the
share that the quality gate takes, too."""
MOST_RED, MOST_WHITE, MOST_PLATELETS = 48, 8, 8
"""Cells looked at for their colours, the surest first: more would say the same."""
LEAST_RED = 5
"""Red cells below which nothing is said of how dense they are: the median of fewer is chance."""
RING = 0.25
"""Red cells are looked at so far from the middle of their box, in parts of its sides: beside the pallor."""
BLUE_NUCLEI = 0.06
"""Share of all that nuclei of white cells absorb by which they may absorb more blue than red: azure and methylene blue
absorb red. What they absorb of it is the same in any light."""
BLUE_PLATELETS, BLUER = 0.1, 0.13
"""The same for platelets where no white cell is in sight; the second is beyond what red cells of the field have."""
DARK = 1.4
"""What is taken for a red cell and absorbs so much more green than the others may be a nucleus."""
STRONGEST = 0.65
"""Decadic optical density of green that half of a field's red cells have at most. Of 1,012 validation fields one is
denser, and one in a hundred would be with 1.8 times the stain. A picture that was decoded twice shows 2.2 times the
density: a lower limit finds more of these, and would refuse laboratories that stain strongly."""


def not_blood(micrograph: Micrograph, quality: Quality, cells: Sequence[CellInstance], *, stained: bool) -> Flaw | None:
    """Why a field that passed the quality gate is no field of a stained smear after all; None when it may be one.

    How many real fields this refuses, and what it finds: `tools/evaluate.py --only plausible`.

    Args:
        micrograph: the field.
        quality: what the gate measured.
        cells: what the segmenter found in it, the surest first.
        stained: whether its colours are to be judged, which a camera without colours has none of.
    """
    rows, cols = micrograph.pixels.shape[:2]
    stained_um2 = quality.coverage * rows * cols * micrograph.um_per_px**2
    if likeness(stained_um2, cells) < LEAST_LIKENESS:
        return Flaw.NO_BLOOD
    foreign = stained and _foreign_colours(micrograph.pixels, cells)
    let_go(micrograph.pixels)
    return Flaw.FOREIGN_COLOURS if foreign else None


def likeness(stained_um2: float, cells: Sequence[CellInstance]) -> float:
    """How well the cells that were found explain what is stained: 1 where all of it are cells beyond doubt."""
    if not cells:
        return 0.0
    scores = sorted(cell.confidence for cell in cells)
    found_um2 = sum(cell.area_um2 for cell in cells)
    return found_um2 / max(stained_um2, 1e-6) * scores[len(scores) // 2]


def _foreign_colours(pixels: NDArray[np.uint8], cells: Sequence[CellInstance]) -> bool:
    """Whether cells have the colours of a stain in another order, or stronger ones than any stain gives."""
    glass = _glass(pixels)
    red = [cell for cell in cells if cell.kind is CellKind.RBC][:MOST_RED]
    red_density = _density(_beside_the_middle(pixels, red), glass) if red else None
    if red_density is not None and len(red) >= LEAST_RED and _middle_of(red_density)[1] > STRONGEST:
        return True
    if red_density is not None and _dark_ones_are_bluer(red_density):
        return True
    nuclei = [cell for cell in cells if cell.nucleus is not None and cell.nucleus.any()][:MOST_WHITE]
    if nuclei:
        means = np.array([_mean_of_nucleus(pixels, cell) for cell in nuclei])
        return _redness(_density(means, glass)) < -BLUE_NUCLEI
    platelets = [cell for cell in cells if cell.kind is CellKind.PLATELET][:MOST_PLATELETS]
    if not platelets or red_density is None:
        return False
    shown = _redness(_density(_middles(pixels, platelets), glass))
    return shown < -BLUE_PLATELETS and shown - _redness(red_density) < -BLUER


def _dark_ones_are_bluer(red_density: NDArray[np.float64]) -> bool:
    """Whether what was taken for dark red cells are nuclei in other colours: the segmenter knows their colour, too."""
    dark = red_density[red_density[:, 1] > DARK * _middle_of(red_density)[1]]
    if not len(dark):
        return False
    shown = _redness(dark)
    return shown < -BLUE_NUCLEI and shown - _redness(red_density) < -BLUER


def _glass(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Levels of empty glass, shape (3,): of each colour the one that GLASS_SHARE of the pixels do not exceed."""
    # Few rows of a large picture, which may lie in a file: each would bring its neighbours into memory.
    rows, cols = (max(GLASS_EVERY, side // GLASS_LINES) for side in pixels.shape[:2])
    thin = pixels[::rows, ::cols].reshape(-1, 3)
    rank = int(GLASS_SHARE * (len(thin) - 1))
    # A colour after the other in memory: ranked in a third of the time.
    return np.asarray(np.partition(np.ascontiguousarray(thin.T), rank, axis=1)[:, rank], dtype=np.float64)


def _density(levels: NDArray[np.float64], glass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decadic optical density of cells; shape of both (cells, 3)."""
    return np.asarray(np.log10((glass + 1) / (levels + 1)))


def _middle_of(density: NDArray[np.float64]) -> list[float]:
    """Median of each colour, of an even number of cells the upper one; a quarter of np.median's time for few cells."""
    ranked = np.sort(density, axis=0)
    return [float(value) for value in ranked[len(ranked) // 2]]


def _redness(density: NDArray[np.float64]) -> float:
    """By what share of all that cells absorb they absorb more red than blue."""
    red, green, blue = _middle_of(density)
    return float((red - blue) / max(red + green + blue, 1e-3))


def _beside_the_middle(pixels: NDArray[np.uint8], cells: Sequence[CellInstance]) -> NDArray[np.float64]:
    boxes = np.array([(cell.box.row, cell.box.col, cell.box.row_end, cell.box.col_end) for cell in cells])
    middle, side = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    steps = RING * np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    places = (middle[:, None] + steps * side[:, None]).astype(np.intp)
    return np.asarray(pixels[places[..., 0], places[..., 1]].mean(axis=1))


def _middles(pixels: NDArray[np.uint8], cells: Sequence[CellInstance]) -> NDArray[np.float64]:
    """Mean colours of the middle third of each box, shape (cells, 3)."""
    return np.array([_middle(pixels, cell).reshape(-1, 3).mean(axis=0) for cell in cells])


def _middle(pixels: NDArray[np.uint8], cell: CellInstance) -> NDArray[np.uint8]:
    box = cell.box
    high, wide = max(1, box.height // 3), max(1, box.width // 3)
    return pixels[box.row + high : box.row + 2 * high, box.col + wide : box.col + 2 * wide]


def _mean_of_nucleus(pixels: NDArray[np.uint8], cell: CellInstance) -> NDArray[np.float64]:
    box = cell.box
    inside = np.asarray(cell.nucleus).view(np.uint8)
    return np.array(cv2.mean(pixels[box.row : box.row_end, box.col : box.col_end], inside)[:3])
