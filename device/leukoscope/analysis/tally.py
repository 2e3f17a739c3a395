"""Adds up fields until a sample can be reported."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import numpy as np
from pydantic import Field

from leukoscope.analysis.corrected import METHOD, Correction, Mix
from leukoscope.analysis.estimates import Estimator, counted_ratio, counted_share, variation
from leukoscope.analysis.findings import Counted, find_remarks
from leukoscope.analysis.intervals import clopper_pearson, count_more
from leukoscope.analysis.morphology import shape_of
from leukoscope.analysis.rules import Rules
from leukoscope.inference.bundle import CellClass
from leukoscope.schema import FrozenModel
from leukoscope.specimen.cell import CellInstance, CellKind, ClassifiedCell
from leukoscope.specimen.field import CountedField, RejectedField
from leukoscope.specimen.sample import (
    ClassCount,
    CorrectedDifferential,
    CorrectedShare,
    Provenance,
    RedCells,
    SampleReport,
)

BORDER_RULE = (
    "Numbers of cells follow the unbiased counting frame (Gundersen 1977): a cell cut by the right or lower "
    "edge is not counted. The differential and all sizes use whole cells only."
)

NOT_VALIDATED = "the classifier's bundle holds no validation: how it mistakes its classes is not known"


class CountingRules(FrozenModel):
    """When enough has been counted."""

    white_cells: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Named white cells after which the sample is finished; marrow wants 500."""
    interval_width: Annotated[float, Field(gt=0, le=1)] = 0.10
    """Width of the 95 % interval that "count more" aims at, as a share."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a tally knows about the network that named its cells."""

    classes: tuple[CellClass, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    correction: Correction | None = None
    """How it mistakes its classes; None where nobody knows."""


class Tally:
    """The running count of one sample; the order of fields never changes it."""

    def __init__(self, naming: Naming, counting: CountingRules, rules: Rules) -> None:
        self._naming = naming
        self._differential = [one.key for one in naming.classes if one.in_differential]
        self._counting = counting
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
        return self.white_cells >= self._counting.white_cells

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
                    count_more=count_more(count, total, self._counting.interval_width) if total else 0,
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
        mix = self._mix()
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
            differential_corrected=None if mix is None else self._corrected(mix),
            not_corrected_because=self._not_corrected_because(),
            beside=beside,
            red_cells=self.red_cells(),
            platelets=self._kinds[CellKind.PLATELET],
            wbc_per_1000_rbc=1000 * self._kinds[CellKind.WBC] / red if red else None,
            area_um2=self._area_um2,
            border_rule=BORDER_RULE,
            findings=find_remarks(self._counted(mix), self._rules, provenance),
            rules=self._rules.identity,
            finished_because=finished_because,
            provenance=provenance,
        )

    def _mix(self) -> Mix | None:
        """What can stand behind the names of the cells counted so far."""
        correction = self._naming.correction
        return None if correction is None or not self.white_cells else correction.correct(self._named)

    def _not_corrected_because(self) -> str | None:
        if self._naming.correction is None:
            return NOT_VALIDATED
        return None if self.white_cells else "no white cells were counted"

    def _estimator(self, mix: Mix | None) -> Estimator:
        classes = [one.key for one in self._naming.classes]
        return Estimator(self._named, classes, self._differential, self._naming.groups, mix)

    def _corrected(self, mix: Mix) -> CorrectedDifferential | None:
        correction = self._naming.correction
        if correction is None:
            return None
        estimator = self._estimator(mix)

        def line(name: str) -> CorrectedShare:
            keys = [key for key in estimator.known([name]) if key in self._differential]
            share = estimator.share(keys)
            return CorrectedShare(name, share.value, share.low, share.high, correction.validated_cells(keys))

        return CorrectedDifferential(
            method=METHOD,
            between_laboratories=correction.rows.between,
            classes=tuple(line(key) for key in self._differential),
            groups=tuple(
                line(name) for name, members in self._naming.groups.items() if set(members) & set(self._differential)
            ),
        )

    def _counted(self, mix: Mix | None) -> Counted:
        red, measured = self._kinds[CellKind.RBC], len(self._diameters_um)
        spread = self.red_cells().diameter_cv
        platelets = self._kinds[CellKind.PLATELET]
        return Counted(
            white=self._estimator(mix),
            diameter_cv=None if spread is None else variation(spread, measured),
            irregular=counted_share(self._irregular, measured) if measured else None,
            platelets=platelets,
            platelets_per_red_cell=counted_ratio(platelets, red) if red else None,
        )


def _in_counting_frame(cell: CellInstance, rows: int, cols: int) -> bool:
    """Not cut by the right or lower edge; a box within a pixel of an edge is taken as cut by it."""
    if not cell.touches_border:
        return True
    return cell.box.row_end < rows - 1 and cell.box.col_end < cols - 1
