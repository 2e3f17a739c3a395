"""What a running bench learns from its first specimens: how large its white cells usually appear.

The classifier then sees them at the size that it knows (`size_reference` says why). Only whole cells of live samples of
blood count, each specimen once and by its median, so that a patient with large cells does not become the rule. What is
learnt stays until the calibration or the segmenter changes; it takes effect at the next start, never on the specimen
that is being counted.
"""

import hashlib
import statistics
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from leukoscope.errors import CalibrationError
from leukoscope.optics.size_reference import OUT_OF_BOUNDS, WHITE_CELL_UM, bounded
from leukoscope.schema import FrozenModel, explain
from leukoscope.specimen.sample import CellSizes, SizeReference
from leukoscope.system.durable_files import write_whole

FILE = "cell-sizes.json"
"""In the bench's storage folder."""
ENOUGH_SPECIMENS = 5
"""The median of so many specimens stands though two of them are unusual."""
FEWEST_WHITE_CELLS = 20
"""Whole white cells from which on a specimen has a size."""


class SpecimenSize(FrozenModel):
    """The white cells of one specimen."""

    report: Annotated[str, Field(max_length=200)]
    specimen: Annotated[str, Field(max_length=200)]
    white_um: Annotated[float, Field(gt=0)]
    """Median diameter of its whole white cells."""
    white_cells: Annotated[int, Field(ge=FEWEST_WHITE_CELLS)]


class LearntSize(FrozenModel):
    """`cell-sizes.json` of a bench."""

    schema_version: Literal[1] = 1
    calibration: str
    """Id of the calibration that the diameters were measured with."""
    segmenter: str
    """sha256 of the segmenter that outlined the cells."""
    specimens: Annotated[tuple[SpecimenSize, ...], Field(max_length=ENOUGH_SPECIMENS)] = ()
    in_force: bool = False
    """Cells are shown so; from a start on at which enough specimens were known."""

    @classmethod
    def read(cls, storage: Path, calibration: str, segmenter: str) -> "LearntSize":
        """What the bench has learnt under this calibration and segmenter; nothing where it is new or they changed.

        Raises:
            CalibrationError: the file is damaged or cannot be read; it stays as it is.
        """
        learnt = cls.read_any(storage)
        same = learnt is not None and (learnt.calibration, learnt.segmenter) == (calibration, segmenter)
        return learnt if learnt is not None and same else cls(calibration=calibration, segmenter=segmenter)

    @classmethod
    def read_any(cls, storage: Path) -> "LearntSize | None":
        """What lies in the folder, of whatever calibration; None where nothing does; errors as `read`."""
        path = storage / FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CalibrationError(f"{path} cannot be read ({error.strerror})", "check its owner") from error
        except ValidationError as error:
            raise CalibrationError(
                f"{path} is damaged ({explain(error)})", "move it away: the bench learns the size of its cells anew"
            ) from error

    def with_sample(self, report: str, specimen: str, sizes: CellSizes) -> "LearntSize":
        """With one more specimen; unchanged once enough are known, or where too few of its cells were whole."""
        if self.complete or sizes.white_um is None or sizes.white_cells < FEWEST_WHITE_CELLS:
            return self
        name = specimen or report
        added = SpecimenSize(report=report, specimen=name, white_um=sizes.white_um, white_cells=sizes.white_cells)
        others = (one for one in self.specimens if one.specimen != name)
        return self.model_copy(update={"specimens": (*others, added)})

    def write(self, storage: Path) -> None:
        """Write it whole.

        Raises:
            CalibrationError: the disk is full or failing; the old file stands.
        """
        try:
            write_whole(storage / FILE, self.model_dump_json(indent=1).encode())
        except OSError as error:
            raise CalibrationError(f"{storage / FILE} cannot be written ({error.strerror})", "make room") from error

    @property
    def complete(self) -> bool:
        """Enough specimens are known."""
        return len(self.specimens) >= ENOUGH_SPECIMENS

    @property
    def reference(self) -> SizeReference | None:
        """By how much the classifier is shown cells larger; None until that is in force.

        Raises:
            CalibrationError: the cells are so far from their usual size that the scale must be wrong.
        """
        if not self.in_force:
            return None
        median_um = statistics.median(one.white_um for one in self.specimens)
        factor = WHITE_CELL_UM / median_um
        if not 1 / OUT_OF_BOUNDS <= factor <= OUT_OF_BOUNDS:
            raise CalibrationError(
                f"white cells of {len(self.specimens)} specimens measure {median_um:.1f} µm, "
                f"{WHITE_CELL_UM:g} are usual",
                "check the scale of the calibration",
            )
        digest = hashlib.sha256(self.model_dump_json(exclude={"in_force"}).encode()).hexdigest()
        return SizeReference(id=digest[:12], enlarged=bounded(factor), specimens=len(self.specimens))
