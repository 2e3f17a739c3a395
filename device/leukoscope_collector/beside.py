"""What is kept beside the reports: pictures of white cells, and what became of commands; each once, the latest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from leukoscope_collector.judging import Answer, Picture, Suspect


class Execute(Protocol):
    """Runs a statement with `:named` values inside a transaction, and gives its rows."""

    def __call__(self, statement: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows."""


def keep_pictures(execute: Execute, pictures: Sequence[Picture], at: datetime, most: int) -> tuple[int, list[Suspect]]:
    """How many are new, and those under whose number another picture is stored: the first one stays.

    A device that names another's report keeps its pictures under its own name, beside the other's.

    Args:
        execute: inside a transaction.
        pictures: judged fit; the same may be there twice.
        at: now; timezone-aware.
        most: how many are kept in all.
    """
    new, others = 0, []
    for one in sorted(pictures, key=lambda one: (one.site, one.device, one.report, one.version, one.cell)):
        key = {"site": one.site, "device": one.device, "report": one.report, "version": one.version, "cell": one.cell}
        inserted = execute(
            "INSERT INTO cell (site, device, report, version, cell, class, received_at, sha256, payload)"
            " VALUES (:site, :device, :report, :version, :cell, :class, :at, :sha256, :payload)"
            " ON CONFLICT (site, device, report, version, cell) DO NOTHING RETURNING number",
            key | {"class": one.cell_class, "at": at, "sha256": one.sha256, "payload": one.payload},
        )
        if inserted:
            new += 1
            continue
        ((stored,),) = execute(
            "SELECT sha256 FROM cell WHERE site = :site AND device = :device AND report = :report"
            " AND version = :version AND cell = :cell",
            key,
        )
        if stored != one.sha256:
            reason = f"another picture of cell {one.cell} of report {one.report} is stored"
            others.append(Suspect(one.topic, one.payload.encode(), reason))
    if new:
        _keep_latest(execute, "cell", most)
    return new, others


def keep_answers(execute: Execute, answers: Sequence[Answer], at: datetime, most: int) -> int:
    """How many are new; a device that is asked twice answers twice the same, which is counted.

    Arguments as in `keep_pictures`.
    """
    new = 0
    for one in answers:
        ((seen,),) = execute(
            "INSERT INTO result (site, device, command, name, outcome, received_at, sha256, payload)"
            " VALUES (:site, :device, :command, :name, :outcome, :at, :sha256, :payload)"
            " ON CONFLICT (site, device, sha256) DO UPDATE SET seen = result.seen + 1 RETURNING seen",
            {
                "site": one.site,
                "device": one.device,
                "command": one.command,
                "name": one.name,
                "outcome": one.outcome,
                "at": at,
                "sha256": one.sha256,
                "payload": one.payload,
            },
        )
        new += seen == 1
    if new:
        _keep_latest(execute, "result", most)
    return new


def _keep_latest(execute: Execute, table: str, most: int) -> None:
    execute(
        f"DELETE FROM {table} WHERE number <= (SELECT number FROM {table} ORDER BY number DESC LIMIT 1 OFFSET :most)",
        {"most": most},
    )
