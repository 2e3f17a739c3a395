"""What a laboratory prints on its reports: its name, and the ranges it holds values against."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from leukoscope.schema import FrozenModel

ADULTS: Mapping[str, tuple[float, float]] = {
    "segmented": (40, 60),
    "neutrophil": (40, 60),
    "band": (0, 3),
    "lymphocyte": (20, 40),
    "monocyte": (2, 8),
    "eosinophil": (1, 4),
    "basophil": (0, 1),
    "metamyelocyte": (0, 0),
    "myelocyte": (0, 0),
    "promyelocyte": (0, 0),
    "blast": (0, 0),
}
"""Percent of the white cells in the blood of adults.

Source: MedlinePlus, "Blood differential test", basophils from 0; immature cells do not belong into the blood of adults.
"""
ADULTS_SOURCE = "adults, MedlinePlus; [laboratory] in the settings holds your own"
_Percent = Annotated[float, Field(ge=0, le=100)]


class LaboratorySettings(FrozenModel):
    """What stands on exported reports (PDF, HTML) beside what the device found."""

    name: str = Field(default="", max_length=120)
    """Of the laboratory; empty leaves a line to write on."""
    address: str = Field(default="", max_length=200)
    """One line below the name."""
    reference: Mapping[str, tuple[_Percent, _Percent]] = {}
    """Reference ranges by class of the classifier, percent of the white cells; without any those of adults' blood."""
    reference_source: str = Field(default="", max_length=200)
    """Where they come from, printed below the table; needed where `reference` is given."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name, (low, high) in self.reference.items():
            if high < low:
                raise ValueError(f"reference range of {name}: expected low before high, found {low:g} to {high:g}")
        if self.reference and not self.reference_source:
            raise ValueError("reference ranges need a reference_source, such as 'our laboratory, 2026'")
        return self

    def ranges(self, mode: str) -> Mapping[str, tuple[float, float]]:
        """Reference ranges by class, percent; those of adults hold for blood alone."""
        return self.reference or (ADULTS if mode == "blood" else {})

    @property
    def source(self) -> str:
        """Where the ranges come from."""
        return self.reference_source or ADULTS_SOURCE


NO_LABORATORY = LaboratorySettings()


def range_words(limits: tuple[float, float] | None) -> str:
    """A range on a line: "40–60 %"; "0 %" where nothing is expected, empty without one."""
    if limits is None:
        return ""
    low, high = limits
    return f"{low:g} %" if low == high else f"{low:g}–{high:g} %"
