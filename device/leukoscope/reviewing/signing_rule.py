"""Whether a report may be signed: the one rule of page, command line and remote commands."""

from collections.abc import Sequence
from dataclasses import dataclass

from leukoscope.errors import ReviewError
from leukoscope.outbox.white_cells import KeptSample, Named
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.lifecycle import Life, SigningRule, Status

UNDECIDED, UNOPENED, NOT_KEPT = "undecided_cells", "unopened_classes", "cells_not_kept"
MEANING = "I have reviewed this differential and take responsibility for it."
"""What a signature says."""
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class LeftToDo:
    """What no person has looked at or decided yet."""

    undecided: tuple[int, ...]
    """Numbers of unsure and suspect cells that a person has neither named nor confirmed."""
    unopened: tuple[str, ...]
    """Classes with cells of which a person has looked at none."""


def is_suspect(cell: Named) -> bool:
    """Whether the classifier says that the cell may be of a class that must not be missed."""
    return bool(cell.record.suspect)


def awaits_decision(cell: Named) -> bool:
    """Whether a person has to name or confirm the cell before the report is signed."""
    return not cell.checked and (cell.name == UNSURE or is_suspect(cell))


def left_to_do(cells: Sequence[Named], looked_at: frozenset[int]) -> LeftToDo:
    """What stands between a report's white cells and a signature.

    Args:
        cells: of the report, as they are called now.
        looked_at: numbers of the cells that a person has looked at; those named or confirmed count too.
    """
    seen = {cell.name for cell in cells if cell.checked or cell.record.number in looked_at}
    return LeftToDo(
        tuple(cell.record.number for cell in cells if awaits_decision(cell)),
        tuple(sorted({cell.name for cell in cells} - seen)),
    )


def check_signature(life: Life, kept: KeptSample | None, by: str, rule: SigningRule) -> tuple[str, ...]:
    """What the report has to say that it was signed without; nothing when all was looked at.

    Args:
        life: of the version that is to be signed.
        kept: its cells; None where they were not kept.
        by: who signs.
        rule: of the site.

    Raises:
        ReviewError: it may not be signed yet.
    """
    if rule.second_person and life.steps and life.status is Status.REVIEWED and life.steps[-1].by == by:
        raise ReviewError(
            Sentence("{name} reviewed this report, and here another person signs", name=Verbatim(by)),
            "have a second one finalise it",
        )
    if kept is None:
        return (NOT_KEPT,)
    left = left_to_do(kept.cells, kept.looked_at)
    if left.undecided and rule.undecided_refused:
        count = len(left.undecided)
        raise ReviewError(
            Sentence("1 unsure or suspect cell is undecided ({cells})", cells=_few(left.undecided))
            if count == 1
            else Sentence(
                "{count} unsure or suspect cells are undecided ({cells})", count=count, cells=_few(left.undecided)
            ),
            "name or confirm each in a review",
        )
    if left.unopened and rule.unopened_refused:
        raise ReviewError(
            Sentence("nobody has looked at a cell called {classes}", classes=_few(left.unopened)),
            "open each class on the page, or say `report review --opened CLASS` after looking",
        )
    return (*((UNDECIDED,) if left.undecided else ()), *((UNOPENED,) if left.unopened else ()))


def _few(what: Sequence[object]) -> str:
    more = f" and {len(what) - _MOST_NAMED} more" if len(what) > _MOST_NAMED else ""
    return ", ".join(map(str, what[:_MOST_NAMED])) + more
