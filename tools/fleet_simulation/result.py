"""What was sent, what is stored, and how long it took."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.table import Table

_CONNECT_S = 10


@dataclass(frozen=True, slots=True)
class Sent:
    """What the devices say."""

    connected: int
    again: int
    """Publications beyond the first of a report."""
    unfinished: int
    """Reports that were never acknowledged."""
    published_at: dict[str, float]
    """Seconds since 1970, by report id."""
    acknowledged_at: dict[str, float]
    connected_at: list[float] = field(default_factory=list)
    """Seconds since 1970 of every connection that a broker accepted."""
    away_s: list[float] = field(default_factory=list)
    """Sorted seconds from each loss of a broker to the next connection."""
    made: int = 0
    """Reports that were made."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database says."""

    committed_at: dict[str, float]
    """Seconds since 1970, by report id."""
    rows: int
    conflicts: int
    quarantined: int


def read_sent(files: Sequence[Path]) -> Sent:
    """What the workers wrote."""
    results = [json.loads(file.read_text()) for file in files]
    done = [line for result in results for line in result["done"]]
    return Sent(
        connected=sum(result["connected"] for result in results),
        again=sum(result["again"] for result in results),
        unfinished=sum(len(result["unfinished"]) for result in results),
        published_at={line[0]: line[1] for line in done},
        acknowledged_at={line[0]: line[2] for line in done},
        connected_at=sorted(at for result in results for at in result["connected_at"]),
        away_s=sorted(one_s for result in results for one_s in result["away_s"]),
        made=sum(result["made"] for result in results),
    )


def count_stored(conninfo: str) -> int:
    """Reports stored so far."""
    with psycopg.connect(conninfo, connect_timeout=_CONNECT_S) as sql:
        row = sql.execute("SELECT count(*) FROM report").fetchone()
    return int(row[0]) if row else 0


def read_stored(conninfo: str) -> Stored:
    """Everything that is stored, with the moments at which it was committed."""
    with psycopg.connect(conninfo, connect_timeout=_CONNECT_S) as sql:
        rows = sql.execute(
            "SELECT id::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM report"
        ).fetchall()
        counts = sql.execute("SELECT (SELECT count(*) FROM conflict), (SELECT count(*) FROM quarantine)").fetchone()
    conflicts, quarantined = counts or (0, 0)
    return Stored(dict(rows), len(rows), conflicts, quarantined)


def exactly_once(sent: Sent, stored: Stored, made: int, where: str = "") -> tuple[Table, bool]:
    """The table of what was sent and stored, and whether every report is there once."""
    missing = sent.published_at.keys() - stored.committed_at.keys()
    twice = stored.rows - len(stored.committed_at)
    table = Table("reports", where, title="Every report once?")
    for what, count in (
        ("made", made),
        ("sent and acknowledged", len(sent.published_at)),
        ("never acknowledged", sent.unfinished),
        ("sent again", sent.again),
        ("stored", len(stored.committed_at)),
        ("stored twice", twice),
        ("missing", len(missing)),
        ("conflicts", stored.conflicts),
        ("quarantined", stored.quarantined),
    ):
        table.add_row(what, str(count))
    whole = len(stored.committed_at) == made and not (missing or twice or stored.conflicts or stored.quarantined)
    return table, whole


def connections(sent: Sent, where: str = "") -> Table:
    """How devices came back after they had lost a broker."""
    table = Table("connections", where, title="Back at a broker")
    table.add_row("made, most in one second", f"{len(sent.connected_at)}, {most_in_a_second(sent.connected_at)}")
    table.add_row("lost", str(len(sent.away_s)))
    if sent.away_s:
        table.add_row("half of them back within", f"{sent.away_s[len(sent.away_s) // 2]:.1f} s")
        table.add_row("all back within", f"{sent.away_s[-1]:.1f} s")
    return table


def speed(sent: Sent, stored: Stored, cluster: tuple[Sent, Stored] | None = None) -> Table:
    """How fast, and how late; a second column for a cluster."""
    table = Table("measure", "", title="From publication to commit")
    if cluster is not None:
        table = Table("measure", "one machine", "cluster", title=table.title)
    columns = [_figures(sent, stored), *([_figures(*cluster)] if cluster else [])]
    for cells in zip(*columns, strict=True):
        table.add_row(cells[0][0], *(value for _, value in cells))
    return table


def most_in_a_second(moments: Sequence[float]) -> int:
    """How many of these sorted moments lie within one second at most."""
    most = first = 0
    for last, at in enumerate(moments):
        while at - moments[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def _figures(sent: Sent, stored: Stored) -> list[tuple[str, str]]:
    began = min(sent.published_at.values())
    ended = max(stored.committed_at.values())
    delays = sorted(
        stored.committed_at[one] - at for one, at in sent.published_at.items() if one in stored.committed_at
    )
    figures = [
        ("devices connected", str(sent.connected)),
        ("connections made, most in one second", f"{len(sent.connected_at)}, {most_in_a_second(sent.connected_at)}"),
        ("first publication to last commit", f"{ended - began:.1f} s"),
        ("reports stored per second", f"{len(delays) / (ended - began):.0f}"),
    ]
    for share in (0.5, 0.95, 0.99, 1.0):
        late = delays[min(len(delays) - 1, int(share * len(delays)))]
        figures.append(("slowest" if share == 1.0 else f"{share:.0%} within", f"{late * 1000:.0f} ms"))
    return figures
