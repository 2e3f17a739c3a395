"""Which reports an outbox holds, for those who look in while the device counts."""

from collections.abc import Sequence

from leukoscope.outbox import audit_trail
from leukoscope.outbox.entry import REPORT
from leukoscope.outbox.store import Outbox

_LAST_SIGN = "\U0010ffff"
_TEXT = "CAST(payload AS TEXT)"
_SPECIMEN = f"CASE WHEN json_valid({_TEXT}) THEN json_extract({_TEXT}, '$.sample.sample_id') END"


def latest_ids(outbox: Outbox, most: int) -> list[str]:
    """Ids of the reports counted last, the newest first."""
    with outbox.reading() as sql:
        rows = sql.execute(
            "SELECT id FROM message WHERE kind = ? GROUP BY id ORDER BY min(seq) DESC LIMIT ?", (REPORT, most)
        ).fetchall()
    return [str(identifier) for (identifier,) in rows]


def ids_beginning(outbox: Outbox, start: str, most: int) -> list[str]:
    """Up to `most` ids of reports that begin with `start`."""
    with outbox.reading() as sql:
        rows = sql.execute(
            "SELECT DISTINCT id FROM message WHERE kind = ? AND id >= ? AND id < ? LIMIT ?",
            (REPORT, start, start + _LAST_SIGN, most),
        ).fetchall()
    return [str(identifier) for (identifier,) in rows]


def version_in_force(outbox: Outbox, report_id: str) -> tuple[int, str] | None:
    """The highest version of a report and what has become of its message; None where there is none."""
    with outbox.reading() as sql:
        row = sql.execute(
            "SELECT version, state FROM message WHERE kind = ? AND id = ? ORDER BY version DESC LIMIT 1",
            (REPORT, report_id),
        ).fetchone()
    return None if row is None else (row[0], row[1])


def report_called(outbox: Outbox, sample_id: str, but: str) -> str | None:
    """Id of a report other than `but` whose specimen is called so in the version in force; None where there is none.

    It reads every report: for what a person does, not for each turn.
    """
    with outbox.reading() as sql:
        row = sql.execute(
            "SELECT id FROM message AS this WHERE kind = ? AND id <> ? AND version ="
            " (SELECT max(version) FROM message WHERE kind = this.kind AND id = this.id)"
            f" AND {_SPECIMEN} = ? LIMIT 1",
            (REPORT, but, sample_id),
        ).fetchone()
    return None if row is None else str(row[0])


def was_named(outbox: Outbox, sample_id: str) -> bool:
    """Whether a person gave a report's specimen this name, in any version."""
    with outbox.reading() as sql:
        row = sql.execute(
            "SELECT EXISTS (SELECT 1 FROM audit, json_each(audit.details, '$.changes') AS change"
            " WHERE audit.details LIKE '%\"sample_id\"%' AND json_valid(audit.details)"
            " AND json_extract(change.value, '$[0]') = 'sample_id' AND json_extract(change.value, '$[2]') = ?)",
            (sample_id,),
        ).fetchone()
    return bool(row[0])


def beginning_of(outbox: Outbox) -> str:
    """What tells this outbox from one that was begun anew in its place; empty before the first report."""
    with outbox.reading() as sql:
        return audit_trail.hash_of_entry(sql, 1) or ""


def reports_since(outbox: Outbox, cursor: str, most: int) -> tuple[Sequence[bytes], str]:
    """Up to `most` versions of reports that came after a cursor, and the next cursor; the first one is empty.

    A cursor holds in the outbox that gave it. In one that was begun anew, or put back from an older copy, where the
    numbers of messages begin lower, it counts as the first.
    """
    beginning = beginning_of(outbox)
    with outbox.reading() as sql:
        highest = sql.execute("SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'").fetchone()[0]
        after = _number_in(cursor, beginning, highest)
        rows = sql.execute(
            "SELECT seq, payload FROM message WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?", (REPORT, after, most)
        ).fetchall()
    return [payload for _, payload in rows], f"{beginning}:{rows[-1][0] if rows else after}"


def _number_in(cursor: str, beginning: str, highest: int) -> int:
    known, _, number = cursor.partition(":")
    after = int(number) if number.isdecimal() and known == beginning else 0
    return after if after <= highest else 0
