"""A bench's reference: how large its red and white cells appear, so that networks see them at the size they know.

Two laboratories' cells differ in size by a quarter though both scales are right: smears dry, stains shrink. A network
takes such a cell for another kind. The median of many specimens' cells tells the bench from the patient; the specimen
that is being counted never does, since a leukaemia's cells have another size.
"""

import json
import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError

from leukoscope.errors import CalibrationError
from leukoscope.schema import FrozenModel, explain
from leukoscope.specimen.cell import CellInstance, CellKind

RED_CELL_UM, WHITE_CELL_UM = 7.2, 14.0
"""Median diameters that the networks expect: of whole red cells, and of white cells as the segmenter outlines them."""
FEWEST_RED_CELLS, FEWEST_WHITE_CELLS, FEWEST_SPECIMENS = 200, 30, 3
MOST = 1.25
"""Largest change either way that is made."""
OUT_OF_BOUNDS = 1.4
"""What is further off is a wrong scale, or no blood."""

Factor = Annotated[float, Field(ge=1 / MOST, le=MOST)]


class Reference(FrozenModel):
    """What a bench's pictures are brought to before cells are named."""

    schema_version: Literal[1] = 1
    um_per_px: Annotated[float, Field(gt=0)]
    """The scale that the pictures were said to have."""
    scale: Factor
    """Times that scale red cells have their median diameter; 1 where too few red cells were seen."""
    enlarged: Factor
    """How much larger the classifier is shown a cell, so that the median white cell has the size it expects."""
    red_cells: Annotated[int, Field(ge=0)]
    white_cells: Annotated[int, Field(ge=0)]
    specimens: Annotated[int, Field(ge=0)]
    """Folders or samples the cells came from."""
    measured_at: AwareDatetime

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a reference.

        Raises:
            CalibrationError: the file is missing or is no reference.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise CalibrationError(
                f"expected a reference at {path}, found none ({error.strerror})", "make one with `leukoscope reference`"
            ) from error
        except ValidationError as error:
            raise CalibrationError(
                f"{path} is no reference ({explain(error)})", "make it again with `leukoscope reference`"
            ) from error

    def as_bytes(self) -> bytes:
        """The content of its file."""
        return (json.dumps(self.model_dump(mode="json"), indent=1) + "\n").encode()


class ReferenceCells:
    """Gathers the diameters of whole cells over the fields of several specimens."""

    def __init__(self) -> None:
        self._red_um: list[float] = []
        self._white_um: list[float] = []
        self._specimens: Counter[str] = Counter()

    def add(self, specimen: str, cells: Iterable[CellInstance]) -> None:
        """Take in the cells of one field; cells that its edge cuts say nothing about size."""
        self._specimens[specimen] += 1
        for cell in cells:
            if cell.touches_border:
                continue
            if cell.kind is CellKind.RBC:
                self._red_um.append(cell.diameter_um)
            elif cell.kind is CellKind.WBC:
                self._white_um.append(cell.diameter_um)

    def measured(self, um_per_px: float, now: datetime) -> Reference:
        """The reference of these cells, whose pictures were said to have so many micrometres per pixel.

        Raises:
            CalibrationError: too few white cells were seen, or a size is out of all bounds.
        """
        white, red = len(self._white_um), len(self._red_um)
        if white < FEWEST_WHITE_CELLS:
            raise CalibrationError(
                f"expected at least {FEWEST_WHITE_CELLS} whole white cells for a reference, found {white}",
                "give more fields, of several specimens",
            )
        scale = RED_CELL_UM / statistics.median(self._red_um) if red >= FEWEST_RED_CELLS else 1.0
        enlarged = WHITE_CELL_UM / (statistics.median(self._white_um) * scale)
        for what, factor in (("red", scale), ("white", enlarged)):
            if not 1 / OUT_OF_BOUNDS <= factor <= OUT_OF_BOUNDS:
                raise CalibrationError(
                    f"expected {what} cells of about their usual size, found them {1 / factor:.2f} times as large",
                    "check the scale, and that the pictures show blood of several people",
                )
        return Reference(
            um_per_px=um_per_px,
            scale=bounded(scale),
            enlarged=bounded(enlarged),
            red_cells=red,
            white_cells=white,
            specimens=len(self._specimens),
            measured_at=now,
        )


def bounded(factor: float) -> float:
    """A change of size by no more than `MOST`, either way."""
    return round(min(MOST, max(1 / MOST, factor)), 4)
