"""What is in a store, for a person at a terminal."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from collecting.store import Store

_LATEST = 10


def picture(store: Store) -> Group:
    """The latest reports, the devices, and what was quarantined why."""
    with store.transaction():
        ((reports, contested),) = store.execute("SELECT count(*), count(CASE WHEN contested THEN 1 END) FROM report")
        latest = store.execute(
            "SELECT id, version, site, device, status, received_at FROM report ORDER BY received_at DESC LIMIT :most",
            {"most": _LATEST},
        )
        devices = store.execute("SELECT site, device, state, status_at FROM device ORDER BY site, device")
        rubbish = store.execute(
            "SELECT topic, reason, sum(seen) FROM quarantine GROUP BY topic, reason ORDER BY 3 DESC LIMIT :most",
            {"most": _LATEST},
        )
    return Group(
        _table(f"Latest of {reports} reports", ["id", "version", "site", "device", "status", "received"], latest),
        Text(f"{contested} of them came with other content under the same id and version: table conflict."),
        _table("Devices", ["site", "device", "state", "since"], devices),
        _table("Quarantined most often", ["topic", "reason", "times"], rubbish),
    )


def _table(title: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # What came over the network is text, not markup.
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return table
