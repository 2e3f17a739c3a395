"""What a person has decided about a report and not signed yet: on the disk after every key."""

import json
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from leukoscope.specimen.census import MissedCell
from leukoscope.web.database import Databases

MOST_UNDO = 2000
_PRESENT_FOR = timedelta(seconds=20)


@dataclass(slots=True)
class Draft:
    """One person's decisions about one version of a report."""

    version: int
    """Of the report that was looked at."""
    names: dict[int, str] = field(default_factory=dict)
    """Class by number of the cell; the one that it has is a confirmation."""
    looked_at: set[int] = field(default_factory=set)
    """Numbers of the cells that were on the screen."""
    remarks: dict[str, str] = field(default_factory=dict)
    """Text by what it is on, as in `reviewing.review.Decision`."""
    missed: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Field, x and y of the cells that the person added, by numbers below 0; those without a name were taken back."""
    undo: list[list[tuple[int | str, str | None]]] = field(default_factory=list)
    """What the cells, by number, and the remarks, by what they are on, were before each step, oldest first."""

    def name(self, cells: Mapping[int, str], remarks: Mapping[str, str] | None = None) -> None:
        """Decide what cells are, by number, and what is said of them; one step for `undo_last`."""
        said = remarks or {}
        before = [(number, self.names.get(number)) for number in cells]
        self._keep([*before, *((item, self.remarks.get(item)) for item in said)])
        self.names.update(cells)
        self.remarks.update(said)

    def add(self, field: int, x: int, y: int, name: str) -> int:
        """Add a cell that the device missed; its number, which is below 0."""
        number = min(self.missed, default=0) - 1
        self.missed[number] = (field, x, y)
        self.name({number: name})
        return number

    def remove(self, cells: Collection[int]) -> None:
        """Take added cells back; one step for `undo_last`."""
        self._keep([(number, self.names.pop(number, None)) for number in cells])

    def added(self) -> list[tuple[int, MissedCell]]:
        """The cells that the person added, with their numbers, in the order of adding."""
        there = sorted((number for number in self.missed if number in self.names), reverse=True)
        return [(number, MissedCell(*self.missed[number], self.names[number])) for number in there]

    def undo_last(self) -> list[int | str]:
        """Take the last step back; the numbers of the cells and the items of the remarks that it was about."""
        if not self.undo:
            return []
        step = self.undo.pop()
        for of, before in step:
            kept: dict[Any, str] = self.names if isinstance(of, int) else self.remarks
            if before is None:
                kept.pop(of, None)
            else:
                kept[of] = before
        return [of for of, _ in step]

    def remark(self, item: str, text: str) -> None:
        """Say something about a cell, a finding, red cells or platelets; an empty text takes it back; one step."""
        self.name({}, {item: text})

    def _keep(self, before: list[tuple[int | str, str | None]]) -> None:
        self.undo.append(before)
        del self.undo[:-MOST_UNDO]

    def to_json(self) -> str:
        """As it is kept."""
        content = {
            "names": self.names,
            "looked_at": sorted(self.looked_at),
            "remarks": self.remarks,
            "undo": self.undo,
            **({"missed": self.missed} if self.missed else {}),
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, version: int, content: str) -> "Draft":
        """What `to_json` wrote."""
        read: dict[str, Any] = json.loads(content)
        return cls(
            version,
            {int(number): name for number, name in read["names"].items()},
            set(read["looked_at"]),
            read["remarks"],
            {int(number): (field, x, y) for number, (field, x, y) in read.get("missed", {}).items()},
            [[(of, before) for of, before in step] for step in read["undo"]],
        )


class Drafts:
    """Every draft, and who is looking at which report."""

    def __init__(self, databases: Databases, now: Callable[[], datetime]) -> None:
        self._databases, self._now = databases, now

    def get(self, report: str, name: str) -> Draft | None:
        """A person's draft of a report."""
        rows = self._databases.get().execute(
            "SELECT version, content FROM web_draft WHERE report = :report AND name = :name",
            {"report": report, "name": name},
        )
        return Draft.from_json(rows[0][0], rows[0][1]) if rows else None

    def change(self, report: str, name: str, version: int, change: Callable[[Draft], None]) -> Draft:
        """Change a person's draft, or begin one on a version; it is on the disk when this returns."""
        database = self._databases.get()
        with database.transaction():
            draft = self.get(report, name) or Draft(version)
            change(draft)
            database.execute(
                "INSERT INTO web_draft VALUES (:report, :name, :version, :content, :at)"
                " ON CONFLICT (report, name) DO UPDATE SET version = excluded.version, content = excluded.content,"
                " updated_at = excluded.updated_at",
                {
                    "report": report,
                    "name": name,
                    "version": draft.version,
                    "content": draft.to_json(),
                    "at": self._now().isoformat(),
                },
            )
        return draft

    def drop(self, report: str, name: str) -> None:
        """It became a version, or is given up."""
        database = self._databases.get()
        with database.transaction():
            database.execute(
                "DELETE FROM web_draft WHERE report = :report AND name = :name", {"report": report, "name": name}
            )

    def see(self, report: str, name: str) -> list[str]:
        """Note that a person has the report open; the others who have."""
        now = self._now()
        key = {"report": report, "name": name}
        # On a full disk a report can still be read; the others do not learn then that this person does.
        with suppress(OSError), self._databases.get().transaction():
            self._databases.get().execute(
                "INSERT INTO web_presence VALUES (:report, :name, :now)"
                " ON CONFLICT (report, name) DO UPDATE SET seen_at = excluded.seen_at",
                key | {"now": now.isoformat()},
            )
        rows = self._databases.get().execute(
            "SELECT name FROM web_presence WHERE report = :report AND name <> :name AND seen_at > :since ORDER BY name",
            key | {"since": (now - _PRESENT_FOR).isoformat()},
        )
        return [str(other) for (other,) in rows]


def changed(
    base: Mapping[int, str], names: Mapping[int, str], numbers: Collection[int]
) -> tuple[dict[int, str], frozenset[int]]:
    """Which cells a draft names otherwise, and which it confirms.

    Args:
        base: class by number in the version that the draft was made on.
        names: what the draft says.
        numbers: cells that there are.
    """
    there = {number: name for number, name in names.items() if number in numbers}
    relabel = {number: name for number, name in there.items() if base[number] != name}
    return relabel, frozenset(there) - set(relabel)
