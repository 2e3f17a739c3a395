"""Which calibration a bench uses."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from leukoscope.optics.calibration import Calibration
from leukoscope.schema import FrozenModel
from leukoscope.system.assets import find_asset


class CalibrationSettings(FrozenModel):
    """How the light path is corrected: by a calibration, or by a bare scale where no light path is known."""

    file: str | None = None
    """A calibration's TOML file, or its name under calibration/."""
    um_per_px: Annotated[float, Field(gt=0.01, lt=2)] | None = None
    """Micrometres per pixel of stored pictures; nothing else is corrected."""
    objective: str | None = None
    """What is on the bench, in the words of the calibration; one made for another objective is refused."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.file is None) == (self.um_per_px is None):
            raise ValueError("give either file or um_per_px")
        return self

    def open(self, near: Path | None = None) -> Calibration:
        """Read the calibration, looked up beside the settings file first.

        Raises:
            SettingsError: there is no such calibration.
            CalibrationError: it is malformed, altered, expired, or was made for another objective.
        """
        if self.um_per_px is not None:
            return Calibration.of_scale(self.um_per_px)
        calibration = Calibration.read(find_asset("calibration", self.file or "", near))
        if self.objective is not None:
            calibration.refuse_other_objective(self.objective)
        return calibration
