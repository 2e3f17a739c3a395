"""The cells of a whole slide, each once, however often it was seen."""

from collections.abc import Mapping
from dataclasses import dataclass

from leukoscope.specimen.cell import Box, CellKind


@dataclass(frozen=True, slots=True)
class CellDetection:
    """One cell in one counted field."""

    field: int
    """Which field of the sample, from 1."""
    kind: CellKind
    box: Box
    """In pixels of the field."""
    score: float
    """How sure the segmenter is, 0-1."""
    whole: bool
    """Not cut by the edge of the picture, and not hidden by other cells to its last pixel."""
    in_frame: bool
    """In the unbiased counting frame: not cut by the right or lower edge (Gundersen 1977)."""
    cell_class: str
    confidence: float
    """Probability of the class, 0-1."""
    probabilities: Mapping[str, float]
    """Probability per class key; empty for kinds that are not classified."""
    diameter_um: float
    irregular: bool
    """The outline is not round; known of whole red cells only."""
    suspect: tuple[str, ...] = ()
    """See `ClassifiedCell.suspect`."""


@dataclass(frozen=True, slots=True)
class SlideCell:
    """One cell of the slide, as its best detection shows it."""

    id: int
    """From 1 within a sample; keeps its number when it is seen again."""
    detection: CellDetection
    """The best: whole before cut, then the surest."""
    detections: int
    """How many fields showed it."""
    counted: bool
    """It enters the number of its kind."""
    measured: bool
    """It was seen whole, so it enters the differential, or the sizes."""


@dataclass(frozen=True, slots=True)
class SlideChange:
    """What one more counted field changed in what is known of the slide."""

    field: int
    """Which field of the sample, from 1."""
    new_area_um2: float
    """Slide not shown before, square micrometres; negative where two patches turned out to share some."""
    cells: tuple[SlideCell, ...]
    """New ones, and known ones of which more is known now."""
    dropped: tuple[int, ...] = ()
    """Numbers of cells that turned out to be parts of others."""
