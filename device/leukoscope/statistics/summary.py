"""What can be said about a sample once everything in it is counted, by the network alone or with a person's help."""

# What corrects by the errors of naming loads numpy, and the review page does without where no bench is verified.
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leukoscope.inference.bundle import CellClass
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import (
    CELLS_CALLED,
    ClassCount,
    CorrectedDifferential,
    CorrectedShare,
    Finding,
    Provenance,
    RedCells,
    Verification,
)
from leukoscope.statistics.blast_findings import Suspects
from leukoscope.statistics.estimates import Estimator, counted_ratio, counted_share, variation
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.findings import Counted, find_findings
from leukoscope.statistics.intervals import clopper_pearson, count_more
from leukoscope.statistics.rules import Rules

if TYPE_CHECKING:
    from leukoscope.statistics.misclassification import Correction, Mix

NOT_VERIFIED = "this bench is not verified: how often its cells are named wrongly is not known"
ALL_CHECKED = "a person has named or confirmed every cell: the counts hold no error of the classifier"
METHOD = (
    "Median and 95 % interval of the mix of classes that can stand behind the names, given the cells checked on this "
    "bench, with other laboratories' confusion matrices as the prior (Bayesian, hierarchical Dirichlet); a class of "
    "which fewer than 5 cells were checked keeps its share as counted"
)
PARTLY_CHECKED = f"{METHOD}; cells that a person has named or confirmed count as they are"


@dataclass(frozen=True, slots=True)
class Naming:
    """What a tally knows about the network that named its cells."""

    classes: tuple[CellClass, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    correction: Correction | None = None
    """How it mistakes its classes on this bench; None where that was not verified."""
    not_verified: str = NOT_VERIFIED
    """Why there is no correction, and what to expect, in one sentence."""
    verification: Verification | None = None
    """What the correction rests on, as reports say it."""
    false_suspects: Mapping[str, FalseShare] = field(default_factory=dict)
    """Share of normal white cells that are named or suspected so by mistake, by class."""
    false_names: Mapping[str, FalseShare] = field(default_factory=dict)
    """The same for names alone; empty where this bench is not verified."""

    @property
    def differential(self) -> list[str]:
        """The classes whose cells are white cells, in the bundle's order."""
        return [one.key for one in self.classes if one.in_differential]

    @property
    def beside(self) -> list[str]:
        """The other classes: nucleated red cells of blood, smudges, clumps, artefacts."""
        return [one.key for one in self.classes if not one.in_differential]


@dataclass(frozen=True, slots=True)
class Undecided:
    """What is known of the white cells beside their names."""

    suspects: Mapping[str, int] = field(default_factory=dict)
    """Cells by the class they are suspected to be of, though they have another name or none; without those that a
    person has named."""
    unsure: tuple[Mapping[str, float], ...] = ()
    """Probability per class of each unsure cell of which it is known."""
    withdrawn: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Cells by the classifier's name and a person's, where the person says that the cell cannot be named."""


NOTHING_UNDECIDED = Undecided()


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that was counted in one sample."""

    answers: Mapping[str, int]
    """White cells by the classifier's answer, as far as no person has checked them."""
    checked: Mapping[str, int]
    """White cells by the name that a person gave or confirmed."""
    red_cells: RedCells
    """`measured` is given."""
    platelets: int
    patches: int | None
    """Parts of the slide that may show the same cells; None where each picture was another place."""
    undecided: Undecided = NOTHING_UNDECIDED
    """What the names alone do not say."""


def class_counts(
    named: Mapping[str, int], differential: Sequence[str], interval_width: float
) -> tuple[ClassCount, ...]:
    """Each class of the differential with its share, interval and cells still to count.

    Args:
        named: white cells by class.
        differential: the classes that count.
        interval_width: what "count more" aims at, as a share.
    """
    total = sum(named.get(key, 0) for key in differential)
    lines = []
    for key in differential:
        count = named.get(key, 0)
        low, high = clopper_pearson(count, total)
        lines.append(
            ClassCount(
                cell_class=key,
                count=count,
                share=count / total if total else 0.0,
                low=low,
                high=high,
                count_more=count_more(count, total, interval_width) if total else 0,
            )
        )
    return tuple(lines)


class Summary:
    """The white cells' part of a report, and its findings."""

    def __init__(self, counts: Counts, naming: Naming, interval_width: float, rules: Rules) -> None:
        """Take the counts.

        Args:
            counts: of the whole sample.
            naming: of the network that named the cells.
            interval_width: what "count more" aims at, as a share.
            rules: what is pointed out.
        """
        self._counts = counts
        self._naming = naming
        self._width = interval_width
        self._rules = rules
        self._named = Counter(counts.answers) + Counter(counts.checked)
        self._differential = naming.differential

    @property
    def white_cells(self) -> int:
        """Named white cells: the denominator of the differential."""
        return sum(self._named[key] for key in self._differential)

    @property
    def unsure(self) -> int:
        """White cells that could not be named."""
        return self._named[UNSURE]

    @property
    def beside(self) -> dict[str, int]:
        """Cells seen but outside the differential, by class."""
        return {key: n for key, n in sorted(self._named.items()) if key not in self._differential and n}

    def differential(self) -> tuple[ClassCount, ...]:
        """Every class of the differential with its share, interval and cells still to count."""
        return class_counts(self._named, self._differential, self._width)

    def judge(
        self, provenance: Provenance | None
    ) -> tuple[CorrectedDifferential | None, str | None, tuple[Finding, ...]]:
        """The corrected differential, or else why there is none, and what stands out.

        Args:
            provenance: where the sample comes from; None for cells of which nothing is known but their names.
        """
        why_not = self._not_corrected_because()
        mix = None if why_not else self._mix()
        corrected = None if mix is None else self._corrected(mix)
        return corrected, why_not, find_findings(self._for_findings(mix), self._rules, provenance)

    def _not_corrected_because(self) -> str | None:
        if not self.white_cells:
            return f"no {CELLS_CALLED[self._rules.mode]} were counted"
        if self._all_checked():
            return ALL_CHECKED
        return self._naming.not_verified if self._naming.correction is None else None

    def _all_checked(self) -> bool:
        return bool(self._known()) and not +Counter(self._counts.answers)

    def _known(self) -> dict[str, int]:
        """Cells of which a person said what they are; one that a person could not name is left to the classifier."""
        return {key: n for key, n in self._counts.checked.items() if key != UNSURE}

    def _answers(self) -> dict[str, int]:
        unsure = self._counts.answers.get(UNSURE, 0) + self._counts.checked.get(UNSURE, 0)
        return {**self._counts.answers, UNSURE: unsure}

    def _mix(self) -> Mix | None:
        """What can stand behind the names."""
        correction = self._naming.correction
        return (
            None
            if correction is None
            else correction.correct(self._answers(), self._known(), self._counts.undecided.unsure)
        )

    def _estimator(self, mix: Mix | None) -> Estimator:
        classes = [one.key for one in self._naming.classes]
        return Estimator(
            self._named, classes, self._differential, self._naming.groups, mix, names_known=self._all_checked()
        )

    def _corrected(self, mix: Mix) -> CorrectedDifferential | None:
        correction = self._naming.correction
        if correction is None:
            return None
        estimator = self._estimator(mix)

        def lines(names: Iterable[str]) -> Iterator[CorrectedShare]:
            for name in names:
                keys = [key for key in estimator.known([name]) if key in self._differential]
                if mix.knows(keys):
                    share = estimator.share(keys)
                    yield CorrectedShare(name, share.value, share.low, share.high, correction.checked_cells(keys))

        return CorrectedDifferential(
            method=_method(self._naming.verification, METHOD if not self._known() else PARTLY_CHECKED),
            between_laboratories=correction.between,
            classes=tuple(lines(self._differential)),
            groups=tuple(
                lines(name for name, members in self._naming.groups.items() if set(members) & set(self._differential))
            ),
            verification=self._naming.verification,
        )

    def _for_findings(self, mix: Mix | None) -> Counted:
        red, platelets = self._counts.red_cells, self._counts.platelets
        measured, irregular = red.measured or 0, red.irregular_share
        return Counted(
            white=self._estimator(mix),
            diameter_cv=None if red.diameter_cv is None or measured < 2 else variation(red.diameter_cv, measured),
            irregular=None if irregular is None else counted_share(round(irregular * measured), measured),
            platelets=platelets,
            red_cell_um=red.mean_diameter_um,
            red_cells_measured=measured,
            patches=self._counts.patches or 1,
            suspects=Suspects(self._counts.undecided.suspects, self._naming.false_suspects, self._naming.false_names),
            withdrawn=self._counts.undecided.withdrawn,
            platelets_per_red_cell=counted_ratio(platelets, red.count) if red.count else None,
        )


MOST_NAMES = 3
"""Of those who checked cells, that a report's method names."""


def _method(verification: Verification | None, how: str) -> str:
    """What a corrected differential rests on, in words."""
    if verification is None:
        return how
    more = len(verification.by) - MOST_NAMES
    by = ", ".join(name[:40] for name in verification.by[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    return (
        f"Verified on this bench, {verification.at:%Y-%m-%d}, by {by}, {verification.cells} cells of "
        f"{verification.specimens} specimens. {how}"
    )[:500]
