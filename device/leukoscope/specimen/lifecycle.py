"""Where a report stands between the first count and a signed result, and what people changed on the way."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """How far a report has come."""

    PRELIMINARY = "preliminary"
    """As the instrument counted it; no person has looked."""
    REVIEWED = "reviewed"
    """A person has looked at it; another may still change it."""
    FINAL = "final"
    """Signed; from here on every change is marked as one."""
    AMENDED = "amended"
    """Something was added after it was final; the numbers stand."""
    CORRECTED = "corrected"
    """An error was put right after it was final."""


class Action(StrEnum):
    """What a person can do to a report."""

    REVIEW = "review"
    FINALISE = "finalise"
    AMEND = "amend"
    CORRECT = "correct"

    @property
    def leads_to(self) -> Status:
        """How far the report has come afterwards."""
        return _STEPS[self][1]

    def is_open_to(self, status: Status) -> bool:
        """Whether it can be done to a report that has come so far."""
        return status in _STEPS[self][0]

    @property
    def starts_from(self) -> tuple[Status, ...]:
        """Where a report has to stand for it."""
        return _STEPS[self][0]


_MISSED = re.compile(r"missed/([1-9]\d{0,5})/(\d{1,5})/(\d{1,5})")
SIGNED = (Status.FINAL, Status.AMENDED, Status.CORRECTED)
"""A person has signed the report, whatever was added or put right since."""
_STEPS = {
    Action.REVIEW: ((Status.PRELIMINARY, Status.REVIEWED), Status.REVIEWED),
    Action.FINALISE: ((Status.REVIEWED,), Status.FINAL),
    Action.AMEND: (SIGNED, Status.AMENDED),
    Action.CORRECT: (SIGNED, Status.CORRECTED),
}


@dataclass(frozen=True, slots=True)
class SigningRule:
    """What a site asks for before a report is signed."""

    undecided_refused: bool = True
    """No signature while an unsure or suspect cell is neither named nor confirmed; False: the report says so."""
    unopened_refused: bool = True
    """No signature while there is a class of which no cell was looked at; False: the report says so."""
    second_person: bool = False
    """Another person signs than the one who reviewed last."""


STRICT = SigningRule()
"""As long as the settings do not say otherwise."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a person changed or remarked."""

    item: str
    """"cell/17" for the class of that white cell, "sample_id", or what a remark is on: "comment/17" for a cell,
    "finding/blasts_seen" for a finding that is dismissed, "remark/red_cells", "remark/platelets"."""
    before: str
    """What stood there; "missed/3/412/230" for a cell that a person added: its field, and where in that its middle
    lies, x and y in pixels."""
    after: str

    @property
    def missed_at(self) -> tuple[int, int, int] | None:
        """Field, x and y of a cell that a person added by this; None for every other change."""
        found = _MISSED.fullmatch(self.before) if self.item.startswith("cell/") else None
        return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


@dataclass(frozen=True, slots=True)
class Step:
    """What made one version out of the one before."""

    version: int
    """The version it led to, 2 or more."""
    status: Status
    by: str
    """Who did it."""
    at: datetime
    note: str
    changes: tuple[Change, ...]
    signed_without: tuple[str, ...] = ()
    """What the site's settings let pass at the signature: "undecided_cells", "unopened_classes"; "cells_not_kept"
    where there was nothing to look at."""


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that happened to a report since it was counted."""

    steps: tuple[Step, ...] = ()
    """One per version after the first, oldest first."""
    cells_checked: int = 0
    """White cells whose name a person gave or confirmed."""
    cells_looked_at: int | None = None
    """White cells that a person has looked at; None in a report of an older software."""

    @property
    def cells_added(self) -> int:
        """White cells that the device missed and people added."""
        return sum(one.missed_at is not None for step in self.steps for one in step.changes)

    @property
    def status(self) -> Status:
        """How far the report has come."""
        return self.steps[-1].status if self.steps else Status.PRELIMINARY
