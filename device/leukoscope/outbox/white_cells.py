"""The white cells of a report, kept beside it so that a person can name them otherwise."""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from leukoscope.specimen.census import CellRecord

MOST_CELLS = 20_000
"""White cells that are kept of one sample, about 2 MB; twice the largest goal of the counting rules."""


@dataclass(frozen=True, slots=True)
class Named:
    """A white cell and what it is called now."""

    record: CellRecord
    name: str
    """The last word: of a person, or else of the classifier."""
    checked: bool
    """A person gave or confirmed the name."""


@dataclass(frozen=True, slots=True)
class KeptSample:
    """The white cells of a report and what its numbers rest on."""

    cells: tuple[Named, ...]
    grounds: bytes
    """As `statistics.recount.Grounds` wrote them."""
    looked_at: frozenset[int] = frozenset()
    """Numbers of the cells that a person has looked at; those named or confirmed need not be among them."""

    @property
    def answers(self) -> Counter[str]:
        """Cells that no person has checked, by the classifier's answer."""
        return Counter(cell.name for cell in self.cells if not cell.checked)

    @property
    def checked(self) -> Counter[str]:
        """Cells that a person has named or confirmed, by that name."""
        return Counter(cell.name for cell in self.cells if cell.checked)

    def after(
        self, verdicts: Mapping[int, str], looked_at: Iterable[int], added: Sequence[CellRecord] = ()
    ) -> "KeptSample":
        """What it is once these cells have these names, by number, those were looked at, and others were added."""
        there = (*self.cells, *(Named(record, "", True) for record in added))
        cells = tuple(
            Named(cell.record, verdicts[cell.record.number], True) if cell.record.number in verdicts else cell
            for cell in there
        )
        return replace(self, cells=cells, looked_at=self.looked_at.union(looked_at))


def keep(sql: sqlite3.Connection, report_id: str, cells: Sequence[CellRecord], grounds: bytes) -> None:
    """Keep the cells of a report's first version, inside its transaction.

    Beyond MOST_CELLS none is kept: a part of them would give other numbers than the report's.
    """
    if len(cells) > MOST_CELLS:
        return
    digest = hashlib.sha256(grounds).hexdigest()
    sql.execute("INSERT INTO grounds VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, grounds))
    sql.execute("INSERT INTO sample VALUES (?, ?)", (report_id, digest))
    sql.executemany(
        "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((report_id, one.number, one.field, one.cell_class, one.confidence, *one.box, *_json_of(one)) for one in cells),
    )


def _json_of(cell: CellRecord) -> tuple[str, str]:
    return json.dumps(cell.suspect), json.dumps(dict(cell.probabilities), separators=(",", ":"))


def judge(sql: sqlite3.Connection, report_id: str, version: int, names: Mapping[int, str]) -> None:
    """Keep what a person called the cells, by number, in the version that this led to."""
    rows = ((report_id, number, version, name) for number, name in names.items())
    sql.executemany("INSERT INTO verdict VALUES (?, ?, ?, ?)", rows)


def look_at(sql: sqlite3.Connection, report_id: str, version: int, numbers: Iterable[int]) -> None:
    """Keep which cells a person has looked at, and the version in which that was said first."""
    rows = ((report_id, number, version) for number in numbers)
    sql.executemany("INSERT INTO looked_at VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)


def keep_names(
    sql: sqlite3.Connection,
    report_id: str,
    version: int,
    names: Mapping[int, str],
    looked_at: Iterable[int],
    added: Iterable[CellRecord],
) -> None:
    """What a person called cells, which were looked at, and which were added."""
    rows = ((report_id, one.number, version, one.field, *one.box) for one in added)
    sql.executemany("INSERT INTO missed VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    judge(sql, report_id, version, names)
    look_at(sql, report_id, version, looked_at)


def find(sql: sqlite3.Connection, report_id: str) -> KeptSample | None:
    """The cells of a report; None where they were not kept."""
    found = sql.execute(
        "SELECT content FROM sample JOIN grounds ON grounds.sha256 = sample.grounds WHERE report = ?", (report_id,)
    ).fetchone()
    if found is None:
        return None
    cells = sql.execute(
        "SELECT number, field, class, confidence, xmin, ymin, xmax, ymax, suspect, probabilities FROM cell "
        "WHERE report = ? ORDER BY number",
        (report_id,),
    ).fetchall()
    # Numbers go on where those of the device end.
    cells += sql.execute(
        "SELECT number, field, '', 0.0, xmin, ymin, xmax, ymax, '[]', '{}' FROM missed "
        "WHERE report = ? ORDER BY number",
        (report_id,),
    ).fetchall()
    seen = sql.execute("SELECT number FROM looked_at WHERE report = ?", (report_id,)).fetchall()
    looked_at = frozenset(number for (number,) in seen)
    return KeptSample(tuple(_named(cells, names_given(sql, report_id))), bytes(found[0]), looked_at)


def names_given(sql: sqlite3.Connection, report_id: str, version: int = 2**31) -> dict[int, str]:
    """What people called cells of a report, by number, up to one of its versions."""
    rows = sql.execute(
        "SELECT number, class FROM verdict WHERE report = ? AND version <= ? ORDER BY version", (report_id, version)
    )
    return dict(rows.fetchall())


def _named(
    rows: Iterable[tuple[int, int, str, float, int, int, int, int, str, str]], verdicts: Mapping[int, str]
) -> Iterable[Named]:
    for number, field, answer, confidence, xmin, ymin, xmax, ymax, suspect, probabilities in rows:
        box = (xmin, ymin, xmax, ymax)
        record = CellRecord(
            number, field, answer, confidence, box, tuple(json.loads(suspect)), json.loads(probabilities)
        )
        yield Named(record, verdicts.get(number, answer), number in verdicts)
