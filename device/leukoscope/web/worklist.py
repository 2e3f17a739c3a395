"""The worklist: one line a report, in a table of its own so that a search over 100,000 of them is one query."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from leukoscope.messages.worklist_line import Line
from leukoscope.web.database import Database, Databases
from leukoscope.web.reports import BATCH, Reports

PER_PAGE = 50
MOST_COUNTED = 1000
"""Reports that fit a text; of more the worklist says so."""
_AT_ONCE = 50
"""Lines that one statement keeps."""
_COLUMNS = [one.name for one in fields(Line)]
_CURSOR = "worklist"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in the worklist."""

    text: str = ""
    """In the specimen's name, the device, or at the beginning of the id."""
    state: str = "open"
    """"open", "signed" or "all"."""
    page: int = 1
    """From 1."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the worklist."""

    lines: Sequence[Line] = field(default_factory=tuple)
    total: int = 0
    pages: int = 1
    page: int = 1
    """The one that is shown, from 1."""
    is_all: bool = True
    """Whether there are no more than `total`."""


class Worklist:
    """Follows the reports of one place."""

    def __init__(self, databases: Databases, reports: Reports) -> None:
        self._databases, self._reports = databases, reports

    def catch_up(self) -> None:
        """Take in every version that came since the last time."""
        database = self._databases.get()
        while True:
            rows = database.execute("SELECT value FROM web_cursor WHERE name = :name", {"name": _CURSOR})
            cursor = rows[0][0] if rows else ""
            lines, after = self._reports.lines_since(cursor)
            if lines or after != cursor:
                with database.transaction():
                    keep_lines(database, lines)
                    database.execute(
                        "INSERT INTO web_cursor VALUES (:name, :value)"
                        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        {"name": _CURSOR, "value": after},
                    )
            if len(lines) < BATCH:
                return

    def find(self, search: Search) -> Found:
        """One page of what is looked for: critical reports first, then open ones, the newest first."""
        self.catch_up()
        where, values = ["1 = 1"], dict[str, str | int]()
        if search.state in ("open", "signed"):
            where.append("rank < 2" if search.state == "open" else "rank = 2")
        if text := search.text.strip().lower()[:100]:
            where.append("words LIKE :part ESCAPE '\\'")
            literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values["part"] = f"%{literal}%"
        condition, page = " AND ".join(where), max(1, search.page)
        rows = self._rows(condition, values, page)
        # Two letters fit most reports: with a text no more are counted than a person would turn the pages of.
        most = MOST_COUNTED if text else None
        if 0 < len(rows) < PER_PAGE:
            total = (page - 1) * PER_PAGE + len(rows)
        elif not rows and page == 1:
            total = 0
        else:
            total = self._count(condition, values, most)
        pages = max(1, -(-total // PER_PAGE))
        if page > pages:
            page = pages
            rows = self._rows(condition, values, page)
        return Found([_line(row) for row in rows], total, pages, page, is_all=total != most)

    def _rows(self, condition: str, values: Mapping[str, str | int], page: int) -> list[tuple[object, ...]]:
        return self._databases.get().execute(
            f"SELECT {', '.join(_COLUMNS)} FROM web_worklist WHERE {condition}"
            " ORDER BY rank, finished_at DESC LIMIT :most OFFSET :first_row",
            {**values, "most": PER_PAGE, "first_row": (page - 1) * PER_PAGE},
        )

    def _count(self, condition: str, values: Mapping[str, str | int], most: int | None) -> int:
        rows = f"SELECT 1 FROM web_worklist WHERE {condition}"
        limited = rows if most is None else f"{rows} LIMIT {most}"
        ((total,),) = self._databases.get().execute(f"SELECT count(*) FROM ({limited}) AS found", values)
        return int(total)


def keep_lines(database: Database, lines: Iterable[Line]) -> None:
    """Keep lines, each in its highest version; inside a transaction."""
    # One statement takes a row once: of two versions in one batch the higher one.
    newest: dict[str, Line] = {}
    for line in lines:
        if line.id not in newest or line.version > newest[line.id].version:
            newest[line.id] = line
    names = [*_COLUMNS, "rank", "words"]
    settings = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    kept = list(newest.values())
    for part in (kept[first : first + _AT_ONCE] for first in range(0, len(kept), _AT_ONCE)):
        rows, values = [], dict[str, object]()
        for number, line in enumerate(part):
            rows.append(f"({', '.join(f':{name}_{number}' for name in names)})")
            columns = {name: getattr(line, name) for name in names} | {"critical": int(line.critical)}
            values |= {f"{name}_{number}": value for name, value in columns.items()}
        database.execute(
            f"INSERT INTO web_worklist ({', '.join(names)}) VALUES {', '.join(rows)}"
            f" ON CONFLICT (id) DO UPDATE SET {settings} WHERE excluded.version > web_worklist.version",
            values,
        )


def _line(row: tuple[object, ...]) -> Line:
    columns = dict(zip(_COLUMNS, row, strict=True))
    return Line(**(columns | {"critical": bool(columns["critical"])}))  # type: ignore[arg-type]
