"""Adds up fields until a sample can be reported."""

import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from leukoscope.errors import SettingsError
from leukoscope.schema import FrozenModel
from leukoscope.specimen.cell import UNSURE, CellKind
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.field import RejectedField
from leukoscope.specimen.sample import CellSizes, ClassCount, Histogram, Provenance, RedCells, SampleReport
from leukoscope.specimen.slide import CellDetection, SlideCell, SlideChange
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Counts, Naming, Summary, Undecided, class_counts

__all__ = ["BORDER_RULE", "CountingRules", "Naming", "Tally"]

BORDER_RULE = (
    "A cell that several fields show is counted once. Numbers of cells follow the unbiased counting frame "
    "(Gundersen 1977): a cell that was only seen cut by a right or lower edge is not counted. The differential and "
    "all sizes use cells that were seen whole."
)

DIAMETER_START_UM, DIAMETER_STEP_UM, DIAMETER_BINS = 3.0, 0.25, 36
"""Diameters of red cells are counted in steps of a quarter micrometre from 3 to 12: a normal cell measures 6 to 8."""


class CountingRules(FrozenModel):
    """When enough has been counted."""

    until: Literal["white_cells", "interval", "technician"] = "white_cells"
    """What ends a sample: enough white cells, a narrow enough interval of the class `interval_of`, or the technician
    alone, who always may."""
    white_cells: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Named white cells after which the sample is finished; marrow wants 500."""
    interval_width: Annotated[float, Field(gt=0, le=1)] = 0.10
    """Width of the 95 % interval of counting that is aimed at, as a share."""
    interval_of: str | None = None
    """A class of the classifier, which `until = "interval"` needs; with None the screen tells of the class that needs
    most cells."""

    @model_validator(mode="after")
    def _interval_of_something(self) -> Self:
        if self.until == "interval" and self.interval_of is None:
            raise ValueError('until = "interval" needs interval_of: name the class whose interval shall be narrow')
        return self


class Tally:
    """The running count of one sample; the order of fields never changes it."""

    def __init__(self, naming: Naming, counting: CountingRules, rules: Rules) -> None:
        self._naming = naming
        self._differential = naming.differential
        if counting.interval_of not in (None, *self._differential):
            raise SettingsError(
                f"counting.interval_of: expected one of {', '.join(self._differential)}, found {counting.interval_of}",
                "choose one of these classes",
            )
        self._counting = counting
        self._rules = rules
        self._named: Counter[str] = Counter()
        self._kinds: Counter[CellKind] = Counter()
        self._not_white = frozenset(naming.beside)
        self._white = 0
        """Of those counted as segmented: what was named otherwise is none."""
        self._flaws: Counter[str] = Counter()
        self._rejected = 0
        self._fields = 0
        self._area_um2 = 0.0
        self._cells: dict[int, SlideCell] = {}
        self._lines: tuple[ClassCount, ...] | None = None
        """The differential, until a white cell changes it: screens ask for it at every frame."""

    def add(self, change: SlideChange) -> None:
        """Take in one more counted field; what is said of a cell known before replaces what was."""
        self._fields += 1
        self.amend(change)

    def amend(self, change: SlideChange) -> None:
        """Take in what is known better now about fields counted before."""
        self._area_um2 += change.new_area_um2
        for key in change.dropped:
            self._count(self._cells.pop(key, None), -1)
        for cell in change.cells:
            self._count(self._cells.get(cell.id), -1)
            self._cells[cell.id] = cell
            self._count(cell, 1)

    def refuse(self, field: RejectedField) -> None:
        """Take in a field that cannot be trusted."""
        self.refuse_for(field.quality.flaws)

    def refuse_for(self, flaws: Iterable[str]) -> None:
        """Take in a field that cannot be trusted for these reasons."""
        self._rejected += 1
        self._flaws.update(str(flaw) for flaw in flaws)

    def _count(self, cell: SlideCell | None, by: int) -> None:
        if cell is None:
            return
        if cell.counted:
            self._kinds[cell.detection.kind] += by
            white = cell.detection.kind is CellKind.WBC and cell.detection.cell_class not in self._not_white
            self._white += by if white else 0
        if _is_named(cell):
            self._named[cell.detection.cell_class] += by
            self._lines = None

    def _whole_red_cells(self) -> list[CellDetection]:
        return [one.detection for one in self._cells.values() if one.measured and one.detection.kind is CellKind.RBC]

    @property
    def area_um2(self) -> float:
        """Slide examined so far, what several fields show once, square micrometres."""
        return self._area_um2

    @property
    def white_cells(self) -> int:
        """Named white cells so far: the denominator of the differential."""
        return sum(self._named[key] for key in self._differential)

    @property
    def unsure(self) -> int:
        """White cells so far that could not be named."""
        return self._named[UNSURE]

    @property
    def suspects(self) -> int:
        """White cells so far that may be of a class that they were not named."""
        return sum(bool(one.detection.suspect) for one in self._cells.values() if _is_named(one))

    @property
    def enough(self) -> bool:
        """The stop rule is met."""
        if self._counting.until == "technician":
            return False
        return self.white_cells >= self.goal

    @property
    def goal(self) -> int:
        """White cells after which the sample is done, as far as is known now."""
        if self._counting.until != "interval":
            return self._counting.white_cells
        wanted = self.least_certain()
        return self._counting.white_cells if wanted is None else self.white_cells + wanted.count_more

    def least_certain(self) -> ClassCount | None:
        """The class whose precision the settings ask for, else the one that needs most cells; None without cells."""
        if not self.white_cells:
            return None
        lines = [one for one in self.differential() if self._counting.interval_of in (None, one.cell_class)]
        return max(lines, key=lambda line: line.count_more)

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
        if self._lines is None:
            self._lines = class_counts(self._named, self._differential, self._counting.interval_width)
        return self._lines

    def red_cells(self) -> RedCells:
        """Number, size and shape of the red cells."""
        # Sorted, because a sum of floats depends on their order and a report must not.
        whole = self._whole_red_cells()
        sizes = np.sort([cell.diameter_um for cell in whole])
        return RedCells(
            count=self._kinds[CellKind.RBC],
            mean_diameter_um=float(sizes.mean()) if sizes.size else None,
            diameter_cv=float(sizes.std(ddof=1) / sizes.mean()) if sizes.size > 1 else None,
            irregular_share=sum(cell.irregular for cell in whole) / len(whole) if whole else None,
            measured=len(whole),
            diameters_um=_diameters(sizes) if sizes.size else None,
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
        patches: int | None = None,
    ) -> SampleReport:
        """Everything counted so far, as the first version of a report.

        Args:
            report_id: a UUID.
            sample_id: what the technician calls the specimen.
            started_at: timezone-aware.
            finished_at: timezone-aware.
            finished_because: what ended it.
            provenance: where it comes from.
            patches: parts of the slide whose distance is not known; None where each picture was another place.
        """
        red_cells, platelets = self.red_cells(), self._kinds[CellKind.PLATELET]
        counts = Counts(self._named, {}, red_cells, platelets, patches, self._undecided())
        summary = Summary(counts, self._naming, self._counting.interval_width, self._rules)
        corrected, not_corrected_because, findings = summary.judge(provenance)
        return SampleReport(
            id=report_id,
            version=1,
            sample_id=sample_id,
            started_at=started_at,
            finished_at=finished_at,
            fields_counted=self._fields,
            fields_rejected=dict(sorted(self._flaws.items())),
            fields_rejected_total=self._rejected,
            patches=patches,
            white_cells=summary.white_cells,
            differential=summary.differential(),
            differential_corrected=corrected,
            not_corrected_because=not_corrected_because,
            beside=summary.beside,
            red_cells=red_cells,
            platelets=platelets,
            wbc_per_1000_rbc=1000 * self._white / red_cells.count if red_cells.count else None,
            area_um2=self._area_um2,
            border_rule=BORDER_RULE,
            findings=findings,
            rules=self._rules.identity,
            finished_because=finished_because,
            provenance=provenance,
            suspects=self.suspects,
        )

    def cell_sizes(self) -> CellSizes:
        """How large the whole white cells are, as the segmenter outlines them."""
        white_um = [one.detection.diameter_um for one in self._cells.values() if _is_named(one)]
        return CellSizes(statistics.median(white_um) if white_um else None, len(white_um))

    def _undecided(self) -> Undecided:
        """What the names of the white cells do not say."""
        white = [one.detection for one in sorted(self._cells.values(), key=lambda one: one.id) if _is_named(one)]
        return Undecided(
            suspects=Counter(key for detection in white for key in detection.suspect),
            unsure=tuple(
                detection.probabilities
                for detection in white
                if detection.cell_class == UNSURE and detection.probabilities
            ),
        )

    def white_cell_records(self) -> tuple[CellRecord, ...]:
        """Every white cell that the differential, or what is beside it, counts, numbered in the order of counting."""
        cells = sorted((one for one in self._cells.values() if _is_named(one)), key=lambda one: one.id)
        return tuple(
            CellRecord(
                number=number,
                field=cell.detection.field,
                cell_class=cell.detection.cell_class,
                confidence=cell.detection.confidence,
                box=cell.detection.box.as_xyxy(),
                suspect=cell.detection.suspect,
                probabilities={key: share for key, share in cell.detection.probabilities.items() if share},
            )
            for number, cell in enumerate(cells, 1)
        )


def _is_named(cell: SlideCell) -> bool:
    return cell.measured and cell.detection.kind is CellKind.WBC


def _diameters(sizes_um: NDArray[np.float64]) -> Histogram:
    bins = np.floor((sizes_um - DIAMETER_START_UM) / DIAMETER_STEP_UM).astype(np.int64)
    counts = np.bincount(np.clip(bins, 0, DIAMETER_BINS - 1), minlength=DIAMETER_BINS)
    return Histogram(DIAMETER_START_UM, DIAMETER_STEP_UM, tuple(counts.tolist()))
