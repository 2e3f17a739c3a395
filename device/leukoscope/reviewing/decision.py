"""What a person says about a report: cells named, remarks, a signature."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from leukoscope.errors import ReviewError
from leukoscope.reviewing.missed_cells import MOST_MISSED
from leukoscope.sentence import Sentence
from leukoscope.specimen.census import MissedCell
from leukoscope.specimen.lifecycle import Action
from leukoscope.specimen.sample_id import why_not_an_id

MOST_NOTE_CHARS = 2000
MOST_REMARK_CHARS = 200
_REMARK = re.compile(r"comment/[1-9][0-9]{0,5}|finding/[a-z][a-z0-9_]{0,59}|remark/(red_cells|platelets)")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says about a report."""

    action: Action
    by: str
    """Who says it; 1-200 printable characters."""
    note: str = ""
    """Why, or what is to be added; needed to amend and to correct."""
    relabel: Mapping[int, str] | None = None
    """Class by number of the cell."""
    confirm: frozenset[int] = frozenset()
    """Numbers of further cells that were looked at and are named rightly."""
    all_checked: bool = False
    """Every white cell was looked at, and what is not relabelled is named rightly."""
    sample_id: str | None = None
    """What the specimen is really called."""
    again: bool = False
    """Another report of that specimen is known, and this one is of the same specimen."""
    looked_at: frozenset[int] = frozenset()
    """Numbers of cells that were looked at."""
    opened: frozenset[str] = frozenset()
    """Classes all of whose cells were looked at."""
    missed: tuple[MissedCell, ...] = ()
    """White cells that the device did not find."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """Text by what it is on: "comment/17", "finding/blasts_seen" (dismissed because), "remark/red_cells"."""
    based_on: int | None = None
    """The version that was looked at; refused when another is in force. None: whatever is in force."""
    command: str = ""
    """Id of the remote command that asks for this; empty at the device itself."""

    def __post_init__(self) -> None:
        self._refuse_texts()
        if len(self.missed) > MOST_MISSED:
            raise ReviewError(
                Sentence(
                    "expected at most {most} missed cells in one step, found {found}",
                    most=MOST_MISSED,
                    found=len(self.missed),
                ),
                "count the slide again: so many are missed where something is wrong",
            )
        self._refuse_what_the_action_does_not_do()

    def _refuse_texts(self) -> None:
        if not 0 < len(self.by.strip()) <= 200 or not self.by.isprintable():
            raise ReviewError(
                Sentence(
                    "--by: expected a name of 1 to 200 printable characters, found {name}", name=f"{self.by[:40]!r}"
                ),
                "give the name of the person",
            )
        if self.sample_id is not None and (wrong := why_not_an_id(self.sample_id)) is not None:
            raise ReviewError(
                Sentence("--sample-id: {wrong}, found {sample_id}", wrong=wrong, sample_id=f"{self.sample_id[:40]!r}"),
                "correct the id",
            )
        if len(self.note) > MOST_NOTE_CHARS:
            raise ReviewError(
                Sentence(
                    "--note: expected at most {most} characters, found {found}",
                    most=MOST_NOTE_CHARS,
                    found=len(self.note),
                ),
                "shorten it",
            )
        for item, text in self.remarks.items():
            if not _REMARK.fullmatch(item) or len(text) > MOST_REMARK_CHARS:
                raise ReviewError(
                    Sentence(
                        "expected a remark of at most {most} characters on a cell, a finding, red_cells or platelets, "
                        "found {found} on {item}",
                        most=MOST_REMARK_CHARS,
                        found=len(text),
                        item=f"{item[:80]!r}",
                    ),
                    "shorten it, or name an item of this report",
                )

    def _refuse_what_the_action_does_not_do(self) -> None:
        changes_numbers = bool(
            self.relabel or self.confirm or self.all_checked or self.looked_at or self.opened or self.missed
        )
        if self.action in (Action.FINALISE, Action.AMEND) and (changes_numbers or self.sample_id is not None):
            way = "review it again" if self.action is Action.FINALISE else "use correct"
            raise ReviewError(
                Sentence("{action} changes neither cells nor the specimen's name", action=self.action), way
            )
        if self.action in (Action.AMEND, Action.CORRECT) and not self.note.strip():
            raise ReviewError(
                Sentence("{action} of a signed report needs a reason", action=self.action.value), "give --note"
            )
        if self.action is Action.CORRECT and not (changes_numbers or self.sample_id is not None):
            raise ReviewError(
                "correct changes nothing", "name cells or the specimen anew, or use amend to add a remark"
            )
