"""A report as one person sees it: the version in force with that person's draft over it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.review import remarks_of
from leukoscope.reviewing.signing_rule import LeftToDo, is_suspect, left_to_do
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.lifecycle import Action, Status
from leukoscope.specimen.sample import ClassCount, Finding, SampleReport
from leukoscope.statistics.intervals import clopper_pearson
from leukoscope.web.drafts import Draft, changed
from leukoscope.web.findings_of_cells import counted_anew
from leukoscope.web.reports import Sample

BLAST = "blast"
RARE = 5
"""Classes of fewer cells come before the others: each of them is a fifth of its class or more."""


@dataclass(frozen=True, slots=True)
class Group:
    """The cells of one class, in the order in which they are worth a look."""

    name: str
    cells: Sequence[Named]


@dataclass(frozen=True, slots=True)
class CountLine:
    """One class before and after a draft."""

    name: str
    before: ClassCount | None
    """None: outside the differential."""
    after: ClassCount | None
    count_before: int
    count_after: int

    @property
    def changed(self) -> bool:
        """Whether the draft changes it."""
        return self.count_before != self.count_after


@dataclass(frozen=True, slots=True)
class View:
    """What one person sees of a report."""

    sample: Sample
    draft: Draft

    @property
    def report(self) -> SampleReport:
        """The version in force."""
        return self.sample.report

    @property
    def moved_on(self) -> bool:
        """Whether a person made a version after the one that the draft was made on."""
        return self.draft.version != self.report.version

    @property
    def cells(self) -> tuple[Named, ...]:
        """Every cell as it is called with the draft."""
        names, fields = self.draft.names, self.sample.fields
        found = (
            replace(cell, name=names[cell.record.number], checked=True) if cell.record.number in names else cell
            for cell in self.sample.cells
        )
        if fields is None:
            return tuple(found)
        added = (
            Named(CellRecord(number, one.field, "", 0.0, fields.box_of(one.x, one.y)), one.name, True)
            for number, one in self.draft.added()
        )
        return (*found, *added)

    @property
    def numbers(self) -> set[int]:
        """Of the cells, those that the draft added among them."""
        return {cell.record.number for cell in self.cells}

    @property
    def looked_at(self) -> frozenset[int]:
        """Cells that a person has looked at, with the draft."""
        there = self.sample.names.keys()
        return self.sample.looked_at | (self.draft.looked_at & there)

    @property
    def seen(self) -> int:
        """How many cells were looked at or decided."""
        return len(self.looked_at | {cell.record.number for cell in self.cells if cell.checked})

    @property
    def left(self) -> LeftToDo:
        """What stands between the report and a signature."""
        return left_to_do(self.cells, self.looked_at)

    @property
    def remarks(self) -> dict[str, str]:
        """Text by what it is on, with the draft."""
        return remarks_of(self.report) | self.draft.remarks

    def groups(self) -> list[Group]:
        """Blasts and suspects first, then unsure cells, then rare classes, then those that a change would tell in most;
        within one suspects first, then likewise."""
        by_class: dict[str, list[Named]] = {}
        for cell in self.cells:
            by_class.setdefault(cell.name, []).append(cell)
        counts = {name: len(cells) for name, cells in by_class.items()}
        tells = {cell.record.number: change_tells(cell, counts) for cell in self.cells}

        def rank(name: str) -> tuple[int, float, str]:
            cells = by_class[name]
            first = 0 if name == BLAST else 1 if any(map(is_suspect, cells)) else 2 if name == UNSURE else 3
            if first == 3 and len(cells) >= RARE:
                return 4, -max(tells[cell.record.number] for cell in cells), name
            return first, len(cells), name

        return [
            Group(name, sorted(by_class[name], key=lambda one: (not is_suspect(one), -tells[one.record.number])))
            for name in sorted(by_class, key=rank)
        ]

    def count_lines(self) -> list[CountLine]:
        """Every class that has a cell, before and after the draft."""
        differential = [one.cell_class for one in self.report.differential]
        before = {one.cell_class: one for one in self.report.differential}
        # Not all cells need be known here: what the draft changes is added to what was counted.
        named = Counter({key: one.count for key, one in before.items()} | dict(self.report.beside))
        named.update(cell.name for cell in self.cells)
        named.subtract(self.sample.names.values())
        total = sum(named[key] for key in differential)
        after = {key: _counted(key, named[key], total) for key in differential}
        beside = sorted(({key for key in named if named[key]} | set(self.report.beside)) - set(differential))
        lines = [
            CountLine(key, before[key], after[key], before[key].count, after[key].count)
            for key in differential
            if before[key].count or after[key].count
        ]
        return lines + [CountLine(key, None, None, self.report.beside.get(key, 0), named[key]) for key in beside]

    def recounted(self) -> SampleReport | None:
        """The report with the draft; None where only the device can make it."""
        grounds = self.sample.grounds
        if grounds is None or not self.sample.cells:
            return None
        return counted_anew(self.report, grounds, self.cells)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the version in force."""
        return self.sample.findings or self.report.findings

    def decisions(self, action: Action, by: str, note: str) -> list[Decision]:
        """What the draft says to the report, ending in an action."""
        relabel, confirm = changed(self.sample.names, self.draft.names, self.sample.names.keys())
        looked_at = frozenset(self.draft.looked_at & self.sample.names.keys())
        new_remarks = {
            item: text for item, text in self.draft.remarks.items() if remarks_of(self.report).get(item, "") != text
        }
        version, missed = self.draft.version, tuple(one for _, one in self.draft.added())
        says = bool(relabel or confirm or missed or new_remarks or looked_at - self.sample.looked_at)
        if action is Action.FINALISE:
            reviewed = self.report.life.status is Status.REVIEWED and not says
            first = Decision(
                Action.REVIEW, by, "", relabel, confirm,
                looked_at=looked_at, missed=missed, remarks=new_remarks, based_on=version,
            )  # fmt: skip
            after = version if reviewed else version + 1
            return [*(() if reviewed else (first,)), Decision(Action.FINALISE, by, note, based_on=after)]
        if action is Action.AMEND:
            return [Decision(Action.AMEND, by, note, remarks=new_remarks, based_on=version)]
        return [
            Decision(
                action, by, note, relabel, confirm,
                looked_at=looked_at, missed=missed, remarks=new_remarks, based_on=version,
            )
        ]  # fmt: skip


@lru_cache(maxsize=4096)
def _counted(key: str, count: int, total: int) -> ClassCount:
    """As `statistics.summary.class_counts`, without how many more to count: that costs more than all the rest."""
    low, high = clopper_pearson(count, total)
    return ClassCount(key, count, count / total if total else 0.0, low, high, 0)


def change_tells(cell: Named, counts: Mapping[str, int]) -> float:
    """How much of the report a change of a cell's name may be expected to change, to put the galleries in order.

    The sum, over the other classes, of the probability that the cell is one of these and of how much of both counts one
    cell is. Nothing of one that a
    person named; by the classifier's confidence alone where no probabilities are kept.

    Args:
        cell: as it is called.
        counts: cells by class.
    """
    of_own = 1 / max(1, counts.get(cell.name, 0))
    others = {name: share for name, share in cell.record.probabilities.items() if name != cell.name}
    if cell.checked:
        return 0.0
    if not others:
        return (1 - cell.record.confidence) * of_own
    return sum(share * (of_own + 1 / (counts.get(name, 0) + 1)) for name, share in others.items())


def likeliest(cell: Named) -> list[tuple[str, float]]:
    """The two classes that the classifier holds likeliest, with their shares; empty where they were not kept."""
    return sorted(cell.record.probabilities.items(), key=lambda one: -one[1])[:2]
