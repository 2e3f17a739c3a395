"""Adds up fields until a sample can be reported."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import numpy as np
from pydantic import Field

from leukoscope.analysis.findings import FindingLimits, find_remarks
from leukoscope.analysis.intervals import clopper_pearson, count_more
from leukoscope.analysis.morphology import shape_of
from leukoscope.inference.bundle import CellClass
from leukoscope.schema import FrozenModel
from leukoscope.specimen.cell import CellInstance, CellKind, ClassifiedCell
from leukoscope.specimen.field import CountedField, RejectedField
from leukoscope.specimen.sample import ClassCount, Provenance, RedCells, SampleReport

BORDER_RULE = (
    "Numbers of cells follow the unbiased counting frame (Gundersen 1977): a cell cut by the right or lower "
    "edge is not counted. The differential and all sizes use whole cells only."
)


class CountingRules(FrozenModel):
    """When enough has been counted."""

    white_cells: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Named white cells after which the sample is finished; marrow wants 500."""
    interval_width: Annotated[float, Field(gt=0, le=1)] = 0.10
    """Width of the 95 % interval that "count more" aims at, as a share."""
    findings: FindingLimits = FindingLimits()


class Tally:
    """The running count of one sample; the order of fields never changes it."""

    def __init__(self, classes: Sequence[CellClass], rules: CountingRules) -> None:
        self._differential = [one.key for one in classes if one.in_differential]
        self._rules = rules
        self._named: Counter[str] = Counter()
        self._kinds: Counter[CellKind] = Counter()
        self._flaws: Counter[str] = Counter()
        self._rejected = 0
        self._fields = 0
        self._area_um2 = 0.0
        self._diameters_um: list[float] = []
        self._irregular = 0

    def add(self, field: CountedField | RejectedField) -> None:
        """Take in one look at the slide."""
        if isinstance(field, RejectedField):
            self._rejected += 1
            self._flaws.update(flaw.value for flaw in field.quality.flaws)
            return
        self._fields += 1
        rows, cols = field.micrograph.pixels.shape[:2]
        self._area_um2 += rows * cols * field.micrograph.um_per_px**2
        for cell in field.cells:
            self._add_cell(cell, rows, cols)

    def _add_cell(self, cell: ClassifiedCell, rows: int, cols: int) -> None:
        instance = cell.instance
        if _in_counting_frame(instance, rows, cols):
            self._kinds[instance.kind] += 1
        if instance.touches_border:
            return
        if instance.kind is CellKind.WBC:
            self._named[cell.cell_class] += 1
        elif instance.kind is CellKind.RBC:
            self._diameters_um.append(instance.diameter_um)
            self._irregular += shape_of(instance.outline).irregular

    @property
    def white_cells(self) -> int:
        """Named white cells so far: the denominator of the differential."""
        return sum(self._named[key] for key in self._differential)

    @property
    def enough(self) -> bool:
        """The stop rule is met."""
        return self.white_cells >= self._rules.white_cells

    @property
    def fields_counted(self) -> int:
        """Good fields so far."""
        return self._fields

    @property
    def fields_rejected(self) -> int:
        """Refused fields so far."""
        return self._rejected

    def kind_count(self, kind: CellKind) -> int:
        """Cells of a kind in the counting frame so far."""
        return self._kinds[kind]

    def differential(self) -> tuple[ClassCount, ...]:
        """Every class of the differential with its share, interval and cells still to count."""
        total = self.white_cells
        lines = []
        for key in self._differential:
            count = self._named[key]
            low, high = clopper_pearson(count, total)
            lines.append(
                ClassCount(
                    cell_class=key,
                    count=count,
                    share=count / total if total else 0.0,
                    low=low,
                    high=high,
                    count_more=count_more(count, total, self._rules.interval_width) if total else 0,
                )
            )
        return tuple(lines)

    def red_cells(self) -> RedCells:
        """Number, size and shape of the red cells."""
        # Sorted, because a sum of floats depends on their order and a report must not.
        sizes = np.sort(self._diameters_um)
        return RedCells(
            count=self._kinds[CellKind.RBC],
            mean_diameter_um=float(sizes.mean()) if sizes.size else None,
            diameter_cv=float(sizes.std(ddof=1) / sizes.mean()) if sizes.size > 1 else None,
            irregular_share=self._irregular / sizes.size if sizes.size else None,
        )

    def report(
        self,
        *,
        report_id: str,
        sample_id: str,
        started_at: datetime,
        finished_at: datetime,
        finished_because: str,
        provenance: Provenance,
    ) -> SampleReport:
        """Everything counted so far, as the first version of a report."""
        differential = self.differential()
        beside = {key: n for key, n in sorted(self._named.items()) if key not in self._differential and n}
        red = self._kinds[CellKind.RBC]
        return SampleReport(
            id=report_id,
            version=1,
            sample_id=sample_id,
            started_at=started_at,
            finished_at=finished_at,
            fields_counted=self._fields,
            fields_rejected=dict(sorted(self._flaws.items())),
            fields_rejected_total=self._rejected,
            white_cells=self.white_cells,
            differential=differential,
            beside=beside,
            red_cells=self.red_cells(),
            platelets=self._kinds[CellKind.PLATELET],
            wbc_per_1000_rbc=1000 * self._kinds[CellKind.WBC] / red if red else None,
            area_um2=self._area_um2,
            border_rule=BORDER_RULE,
            findings=find_remarks(differential, beside, provenance, self._rules.findings),
            finished_because=finished_because,
            provenance=provenance,
        )


def _in_counting_frame(cell: CellInstance, rows: int, cols: int) -> bool:
    """Not cut by the right or lower edge; a box within a pixel of an edge is taken as cut by it."""
    if not cell.touches_border:
        return True
    return cell.box.row_end < rows - 1 and cell.box.col_end < cols - 1
