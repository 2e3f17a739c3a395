"""The worklist: one line a report, in a table of its own so that a search over 100,000 of them is one query."""

from collections.abc import Iterable
from dataclasses import fields

from leukoscope.messages.worklist_line import Line
from leukoscope.web.database import Database, Databases
from leukoscope.web.reports import BATCH, Found, Reports, Search

PER_PAGE = 50
_COLUMNS = [one.name for one in fields(Line)]
_CURSOR = "worklist"


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
        database = self._databases.get()
        where, values = ["1 = 1"], dict[str, str | int]()
        if search.state in ("open", "signed"):
            where.append("rank < 2" if search.state == "open" else "rank = 2")
        if text := search.text.strip().lower()[:100]:
            where.append("words LIKE :part ESCAPE '\\'")
            literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values["part"] = f"%{literal}%"
        condition = " AND ".join(where)
        ((total,),) = database.execute(f"SELECT count(*) FROM web_worklist WHERE {condition}", values)
        pages = max(1, -(-total // PER_PAGE))
        page = min(max(1, search.page), pages)
        rows = database.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM web_worklist WHERE {condition}"
            " ORDER BY rank, finished_at DESC LIMIT :most OFFSET :first_row",
            values | {"most": PER_PAGE, "first_row": (page - 1) * PER_PAGE},
        )
        return Found([_line(row) for row in rows], total, pages)


def keep_lines(database: Database, lines: Iterable[Line]) -> None:
    """Keep lines, each in its highest version; inside a transaction."""
    names = [*_COLUMNS, "rank", "words"]
    settings = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    statement = (
        f"INSERT INTO web_worklist ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        f" ON CONFLICT (id) DO UPDATE SET {settings} WHERE excluded.version > web_worklist.version"
    )
    for line in lines:
        values = {name: getattr(line, name) for name in names}
        database.execute(statement, values | {"critical": int(line.critical)})


def _line(row: tuple[object, ...]) -> Line:
    columns = dict(zip(_COLUMNS, row, strict=True))
    return Line(**(columns | {"critical": bool(columns["critical"])}))  # type: ignore[arg-type]
