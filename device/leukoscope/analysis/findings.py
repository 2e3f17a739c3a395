"""Remarks a reader of the counts should not miss; they screen and count, they never name a disease."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from leukoscope.schema import FrozenModel
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import ClassCount, Finding, Provenance, Source

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class FindingLimits(FrozenModel):
    """When a remark is made."""

    min_white_cells: Annotated[int, Field(ge=1)] = 100
    """A differential on fewer cells is called too small (CLSI H20 asks 200 to 400)."""
    max_unsure_share: Share = 0.15
    """Share of unsure cells among unsure and named white cells above which the sample needs a person."""


def find_remarks(
    differential: Sequence[ClassCount],
    beside: Mapping[str, int],
    provenance: Provenance,
    limits: FindingLimits,
) -> tuple[Finding, ...]:
    """What stands out in the counts, most urgent first."""
    white_cells = sum(line.count for line in differential)
    remarks = []
    for line in differential:
        if line.cell_class == "blast" and line.count:
            remarks.append(
                Finding(
                    "blasts_seen",
                    f"{line.count} blasts among {white_cells} white cells "
                    f"({line.share:.1%}, 95 % interval {line.low:.1%} to {line.high:.1%}): review the cells",
                )
            )
    if erythroblasts := beside.get("erythroblast", 0):
        per_hundred = f", {100 * erythroblasts / white_cells:.1f} per 100 white cells" if white_cells else ""
        remarks.append(Finding("erythroblasts_seen", f"{erythroblasts} erythroblasts{per_hundred}"))
    if white_cells < limits.min_white_cells:
        remarks.append(
            Finding(
                "too_few_cells",
                f"only {white_cells} white cells were counted, {limits.min_white_cells} are asked for: "
                "the intervals are wide",
            )
        )
    unsure = beside.get(UNSURE, 0)
    if unsure and unsure / (unsure + white_cells) > limits.max_unsure_share:
        remarks.append(Finding("too_many_unsure", f"{unsure} of {unsure + white_cells} white cells could not be named"))
    if not provenance.calibration_measured:
        remarks.append(
            Finding(
                "uncalibrated",
                f"calibration {provenance.calibration_id} is nominal, not measured on this bench: sizes may be off",
            )
        )
    if provenance.source is Source.SIMULATED:
        remarks.append(Finding("simulated", "made on a simulated microscope: no specimen was examined"))
    elif provenance.source is Source.REPLAYED:
        remarks.append(Finding("replayed", "made from stored pictures, not from a slide under the microscope"))
    return tuple(remarks)
