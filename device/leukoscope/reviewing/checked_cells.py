"""Cells that people named or confirmed in a report, and which of them stand for all of its cells."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AwareDatetime, Field

from leukoscope.schema import FrozenModel
from leukoscope.specimen.sample import Provenance, SizeReference, Source

LEAST_DRAWN = 5
"""Cells before the first unchecked one from which on these are no accident."""
Name = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class BenchConditions:
    """What a verification holds for: another classifier, calibration or camera ends it."""

    classifier: str
    """The sha256 that reports name the classifier by."""
    calibration: str
    camera: str

    @classmethod
    def of(cls, provenance: Provenance) -> "BenchConditions":
        """Those of a report."""
        reference = provenance.size_reference
        calibration = calibration_with(provenance.calibration_id, reference)
        return cls(provenance.classifier.sha256, calibration, provenance.camera or "")


def calibration_with(calibration_id: str, reference: SizeReference | None) -> str:
    """A calibration and the size at which the classifier is shown cells, as one name."""
    return calibration_id if reference is None else f"{calibration_id}, cells as {reference.id}"


class CheckedCell(FrozenModel):
    """One cell that a person named or confirmed."""

    number: Annotated[int, Field(ge=1)]
    """Within its report."""
    answer: Name
    """Of the classifier."""
    truth: Name
    """Of the person."""
    suspect: tuple[Name, ...] = ()
    """Classes that the classifier suspected."""


class CheckedReport(FrozenModel):
    """The checked cells of one report."""

    report: Name
    version: Annotated[int, Field(ge=1)]
    specimen: Annotated[str, Field(max_length=200)]
    source: Source
    classifier: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    calibration: Name
    camera: Annotated[str, Field(max_length=200)]
    by: tuple[Name, ...]
    at: AwareDatetime
    """When the last of its cells was checked."""
    cells: tuple[CheckedCell, ...]
    drawn: tuple[int, ...] | None = None
    """Numbers of the cells that stand for all white cells of the report (`drawn_cells`); None in records of versions
    that did not say so."""
    blind: tuple[int, ...] = ()
    """Numbers of the cells that were named by people who had not seen the classifier's name."""

    @property
    def conditions(self) -> BenchConditions:
        """What it holds for."""
        return BenchConditions(self.classifier, self.calibration, self.camera)

    @property
    def representative(self) -> tuple[CheckedCell, ...]:
        """Checked cells that stand for all white cells of the report, whatever the classifier said of them."""
        drawn = frozenset(self.drawn or ())
        return tuple(cell for cell in self.cells if cell.number in drawn)


def in_drawing_order(report: str, cells: Iterable[int]) -> list[int]:
    """Numbers of cells of a report as they are drawn: at random, and always in the same order."""
    return sorted(cells, key=lambda number: hashlib.sha256(f"{report} {number}".encode()).digest())


def drawn_cells(report: str, checked: Mapping[int, bool]) -> tuple[int, ...]:
    """Numbers of those checked cells of a report that stand for all of its cells.

    Who signs must decide every unsure and every suspect cell, and puts mistakes right. Such cells are checked because
    of the classifier's answer and alone say that it is always unsure (verification bias, Begg & Greenes 1983). So cells
    have a random order, and those stand that come before the first unchecked one: all where every cell was checked,
    those of a blind sheet, and next to none where only some were chosen.

    Args:
        report: its id.
        checked: whether a person has checked it, by the number of each white cell.
    """
    order = in_drawing_order(report, checked)
    first = next((at for at, number in enumerate(order) if not checked[number]), len(order))
    return tuple(order[:first]) if first == len(order) or first >= LEAST_DRAWN else ()
