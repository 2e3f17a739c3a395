"""One step in the life of a report: from the version in force to the next one, or a reason why not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leukoscope.errors import ReviewError
from leukoscope.outbox.white_cells import KeptSample, Named
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.missed_cells import FieldMap, added_cells
from leukoscope.reviewing.signing_rule import check_signature
from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.lifecycle import STRICT, Action, Change, Life, SigningRule, Step
from leukoscope.specimen.sample import SampleReport
from leukoscope.statistics.recount import Grounds, recount
from leukoscope.statistics.summary import Undecided

MOST_VERSIONS = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision leads to."""

    report: SampleReport
    """The next version."""
    verdicts: Mapping[int, str]
    """Class by number of each cell that was named or confirmed."""
    looked_at: frozenset[int]
    """Numbers of the cells that were looked at."""
    added: Sequence[CellRecord] = ()
    """Cells that the device missed; what they are called stands in `verdicts`."""


def take_step(
    report: SampleReport,
    kept: KeptSample | None,
    decision: Decision,
    now: datetime,
    rule: SigningRule = STRICT,
    fields: FieldMap | None = None,
) -> Outcome:
    """The report's next version.

    Args:
        report: the version in force.
        kept: its cells; None where they were not kept.
        decision: what a person says about it.
        now: when.
        rule: what has to be done before the report is signed.
        fields: where cells may be added; None where none may.

    Raises:
        ReviewError: it cannot be done at this point, or names a cell or class that there is not.
    """
    _refuse(report, decision)
    without = check_signature(report.life, kept, decision.by, rule) if decision.action is Action.FINALISE else ()
    verdicts = _verdicts(report, kept, decision)
    added = _added(report, kept, decision, fields)
    looked_at = _looked_at(report, kept, decision)
    changes = []
    if (verdicts or added) and kept is not None:
        names = {cell.record.number: cell.name for cell in kept.cells}
        changes = [
            Change(f"cell/{number}", names[number], name)
            for number, name in sorted(verdicts.items())
            if names[number] != name
        ]
        for record, one in zip(added, decision.missed, strict=True):
            verdicts[record.number] = one.name
            changes.append(Change(f"cell/{record.number}", one.place, one.name))
        report = _recounted(report, kept.after(verdicts, (), added))
    changes += _other_changes(report, decision)
    if decision.action is Action.CORRECT and not changes:
        raise ReviewError(
            Sentence("report {id} says all that already: there is nothing to correct", id=report.id),
            "leave it as it is",
        )
    if decision.sample_id is not None:
        report = replace(report, sample_id=decision.sample_id)
    step = Step(report.version + 1, decision.action.leads_to, decision.by, now, decision.note, tuple(changes), without)
    seen = None if kept is None else len(_seen(kept) | looked_at | set(verdicts))
    life = Life((*report.life.steps, step), report.life.cells_checked, seen)
    return Outcome(replace(report, version=step.version, life=life), verdicts, looked_at, added)


def _refuse(report: SampleReport, decision: Decision) -> None:
    """Refuse a step that this version of the report does not allow, whatever it changes."""
    status = report.life.status
    if not decision.action.is_open_to(status):
        raise ReviewError(
            Sentence(
                "report {id} is {status}, and {action} starts from {earlier}",
                id=report.id,
                status=status,
                action=decision.action,
                earlier=" or ".join(decision.action.starts_from),
            ),
            _way_out(decision.action, status.value),
        )
    if report.version >= MOST_VERSIONS:
        raise ReviewError(
            Sentence("report {id} has {version} versions, no more are kept", id=report.id, version=report.version),
            "count the slide again",
        )
    if decision.based_on not in (None, report.version):
        raise ReviewError(
            Sentence(
                "version {based_on} of report {id} was looked at and version {version} is in force",
                based_on=decision.based_on,
                id=report.id,
                version=report.version,
            ),
            "look at what changed and try again",
        )


def _other_changes(report: SampleReport, decision: Decision) -> Iterator[Change]:
    """What changes beside the cells: the specimen's name, and remarks."""
    if decision.sample_id is not None and decision.sample_id != report.sample_id:
        yield Change("sample_id", report.sample_id, decision.sample_id)
    earlier = remarks_of(report)
    for item, text in sorted(decision.remarks.items()):
        if earlier.get(item) != text:
            yield Change(item, earlier.get(item, ""), text)


def remarks_of(report: SampleReport) -> dict[str, str]:
    """The last remark on each thing that one was made on; an empty one was taken back."""
    return {
        one.item: one.after
        for step in report.life.steps
        for one in step.changes
        if one.item.startswith(("comment/", "finding/", "remark/"))
    }


def _seen(kept: KeptSample) -> set[int]:
    return {cell.record.number for cell in kept.cells if cell.checked} | kept.looked_at


def _looked_at(report: SampleReport, kept: KeptSample | None, decision: Decision) -> frozenset[int]:
    if kept is None:
        return frozenset()
    numbers = {cell.record.number for cell in kept.cells}
    if not_there := sorted(decision.looked_at - numbers):
        raise ReviewError(
            Sentence("report {id} has no cell {cells}", id=report.id, cells=", ".join(map(str, not_there[:12]))),
            "leukoscope report lists its cells",
        )
    if unknown := sorted(decision.opened - {cell.name for cell in kept.cells}):
        raise ReviewError(
            Sentence("report {id} has no cell called {names}", id=report.id, names=", ".join(unknown)),
            "`report show --cells` lists them",
        )
    return decision.looked_at | {cell.record.number for cell in kept.cells if cell.name in decision.opened}


def _added(
    report: SampleReport, kept: KeptSample | None, decision: Decision, fields: FieldMap | None
) -> list[CellRecord]:
    """The cells that the decision adds."""
    if not decision.missed:
        return []
    if kept is None:
        raise ReviewError(
            Sentence("the cells of report {id} were not kept, so none can be added", id=report.id),
            "count the slide again",
        )
    check_classes(kept, {one.name for one in decision.missed})
    return added_cells(kept.cells, decision.missed, fields)


def _recounted(report: SampleReport, after: KeptSample) -> SampleReport:
    checked = after.checked
    grounds = Grounds.from_json(after.grounds)
    report = recount(report, grounds, after.answers, checked, undecided_of(after.cells, grounds))
    suspects = sum(bool(record.suspect) for record in _open_cells(after.cells, grounds))
    return replace(report, life=replace(report.life, cells_checked=checked.total()), suspects=suspects)


def undecided_of(cells: Sequence[Named], grounds: Grounds) -> Undecided:
    """What the names of a report's cells do not say."""
    not_named = {UNSURE, *grounds.rules.counting.unnamed}
    withdrawn = Counter(
        (cell.record.cell_class, cell.name)
        for cell in cells
        if cell.checked and cell.name in not_named and cell.record.cell_class in grounds.naming.differential
    )
    return Undecided(
        suspects=Counter(key for record in _open_cells(cells, grounds) for key in record.suspect),
        unsure=tuple(cell.record.probabilities for cell in cells if cell.name == UNSURE and cell.record.probabilities),
        withdrawn=withdrawn,
    )


def _open_cells(cells: Sequence[Named], grounds: Grounds) -> list[CellRecord]:
    """Cells whose suspicion stands.

    A person's name settles what a cell is; a person who only says that it cannot be named leaves the suspicion.
    """
    not_named = {UNSURE, *grounds.rules.counting.unnamed}
    return [cell.record for cell in cells if not cell.checked or cell.name in not_named]


def _verdicts(report: SampleReport, kept: KeptSample | None, decision: Decision) -> dict[int, str]:
    """Class by number of each cell that the decision names or confirms."""
    relabel = decision.relabel or {}
    if not (relabel or decision.confirm or decision.all_checked):
        return {}
    if kept is None:
        raise ReviewError(
            Sentence("the cells of report {id} were not kept, so none of them can be named otherwise", id=report.id),
            "review it as a whole, or count the slide again",
        )
    names = {cell.record.number: cell.name for cell in kept.cells}
    if not_there := sorted({*relabel, *decision.confirm} - set(names)):
        raise ReviewError(
            Sentence("report {id} has no cell {cells}", id=report.id, cells=", ".join(map(str, not_there))),
            "`report show --cells` lists them",
        )
    if twice := sorted(set(relabel) & decision.confirm):
        raise ReviewError(
            Sentence("cell {cells} is both relabelled and confirmed", cells=", ".join(map(str, twice))),
            "say one of both",
        )
    check_classes(kept, set(relabel.values()))
    confirmed = set(names) if decision.all_checked else decision.confirm
    return {number: names[number] for number in sorted(confirmed)} | dict(relabel)


def check_classes(kept: KeptSample, named: set[str]) -> None:
    """Raise ReviewError where a name is no class of the classifier that named these cells."""
    classes = [one.key for one in Grounds.from_json(kept.grounds).naming.classes]
    if unknown := sorted(named - {*classes, UNSURE}):
        raise ReviewError(
            Sentence(
                "{names}: expected a class of {classes}",
                names=", ".join(unknown),
                classes=", ".join((*classes, UNSURE)),
            ),
            "choose one of these",
        )


def _way_out(action: Action, status: str) -> str:
    if action is Action.FINALISE:
        return "review it first" if status == "preliminary" else "it is signed already"
    if action is Action.REVIEW:
        return "it is signed: use correct to put an error right, or amend to add a remark"
    return "it is not signed yet: review it again instead"
