"""Cells as `classify --json` and `examine --json` print them, counted like those of a sample."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leukoscope.errors import PictureError
from leukoscope.schema import explain
from leukoscope.specimen.cell import UNSURE, CellKind
from leukoscope.specimen.sample import RedCells
from leukoscope.statistics.summary import Counts, Undecided

Share = Annotated[float, Field(ge=0, le=1)]


class _Printed(BaseModel):
    """Later versions may print more than this one reads."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _NamedCell(_Printed):
    name: Annotated[str, Field(alias="class", min_length=1)]
    suspect: tuple[str, ...] = ()
    probabilities: Mapping[str, Share] = {}


class _PlacedCell(_NamedCell):
    kind: CellKind
    diameter_um: Annotated[float, Field(ge=0)]
    touches_border: bool


class _Examined(_Printed):
    picture: str
    flaws: tuple[str, ...]
    cells: tuple[_PlacedCell, ...]


@dataclass(slots=True)
class PrintedCells:
    """Adds up lines."""

    classes: Collection[str]
    """Every class of the classifier that named them."""
    named: Counter[str] = field(default_factory=Counter)
    """White cells by answer."""
    suspects: Counter[str] = field(default_factory=Counter)
    unsure: list[Mapping[str, float]] = field(default_factory=list)
    flawed: Counter[str] = field(default_factory=Counter)
    """Pictures that the quality check would refuse, by flaw."""
    flawed_pictures: int = 0
    platelets: int = 0
    _red: int = 0
    _diameters_um: list[float] = field(default_factory=list)

    @classmethod
    def read(cls, lines: Iterable[tuple[str, str]], classes: Collection[str]) -> Self:
        """Count all lines.

        Args:
            lines: where each stands, in words, and its text; empty ones are left out.
            classes: every class of the classifier that named the cells.

        Raises:
            PictureError: a line is none that `classify` or `examine` prints, or names a class there is not.
        """
        cells = cls(classes)
        for place, line in lines:
            if line.strip():
                cells.add(place, line)
        return cells

    def add(self, place: str, line: str) -> None:
        """Count one line; errors as in `read`."""
        try:
            entry: Any = json.loads(line)
            if not isinstance(entry, dict) or not {"cells", "class"} & entry.keys():
                raise PictureError(
                    f"{place} is no line of classify --json or examine --json: expected cells or class",
                    "give what one of these commands wrote",
                )
            if "cells" in entry:
                self._add_examined(place, _Examined.model_validate(entry))
            else:
                self._add_white(place, _NamedCell.model_validate(entry))
        except ValidationError as error:
            raise PictureError(
                f"{place} is no line of classify --json or examine --json: {explain(error)}",
                "give what one of these commands wrote",
            ) from error
        except (json.JSONDecodeError, RecursionError) as error:
            raise PictureError(f"{place} is no JSON ({error})", "run classify or examine with --json") from error

    def counts(self) -> Counts:
        """What a report is made from."""
        sizes = sorted(self._diameters_um)
        red_cells = RedCells(
            count=self._red,
            mean_diameter_um=fmean(sizes) if sizes else None,
            diameter_cv=stdev(sizes) / fmean(sizes) if len(sizes) > 1 and fmean(sizes) > 0 else None,
            irregular_share=None,
            measured=len(sizes),
        )
        return Counts(self.named, {}, red_cells, self.platelets, None, Undecided(self.suspects, tuple(self.unsure)))

    def _add_examined(self, place: str, look: _Examined) -> None:
        self.flawed.update(look.flaws)
        self.flawed_pictures += bool(look.flaws)
        for cell in look.cells:
            if cell.kind is CellKind.WBC:
                # A cell cut by the edge cannot be named with trust: the differential holds those seen whole.
                if not cell.touches_border:
                    self._add_white(place, cell)
            elif cell.kind is CellKind.RBC:
                self._red += 1
                if not cell.touches_border:
                    self._diameters_um.append(cell.diameter_um)
            else:
                self.platelets += 1

    def _add_white(self, place: str, cell: _NamedCell) -> None:
        if unknown := sorted({cell.name, *cell.suspect, *cell.probabilities} - {*self.classes, UNSURE}):
            raise PictureError(
                f"{place} names {', '.join(unknown)}, which this classifier cannot",
                "give the one that named the cells with --bench, --mode or --classifier",
            )
        self.named[cell.name] += 1
        self.suspects.update(set(cell.suspect))
        if cell.name == UNSURE and cell.probabilities:
            self.unsure.append(cell.probabilities)
