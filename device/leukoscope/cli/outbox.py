"""`leukoscope outbox list|retry`."""

import json
from typing import Annotated

import typer
from rich.table import Table

from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.cli.printing import plain_console
from leukoscope.outbox.entry import CELL, REPORT, State
from leukoscope.reviewing.desk import outbox_at

outbox_app = typer.Typer(
    help="List messages that wait, were sent or were refused, and offer refused ones again.", no_args_is_help=True
)


@outbox_app.command("list")
def outbox_list(
    bench: BenchOption,
    state: Annotated[State | None, typer.Option(help="Only messages in this state.")] = None,
    cells: Annotated[bool, typer.Option("--cells", help="Pictures of white cells instead of reports.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the messages of a bench's outbox, oldest first."""
    with outbox_at(bench) as outbox:
        entries = outbox.list(state, CELL if cells else REPORT)
    table = Table("message", "state", "kept at", "settled at", "tries", "note")
    for entry in entries:
        row = {
            "id": entry.key.id,
            "version": entry.key.version,
            "kind": entry.key.kind,
            "state": entry.state.value,
            "created_at": entry.created_at,
            "settled_at": entry.settled_at,
            "attempts": entry.attempts,
            "note": entry.note,
        }
        if as_json:
            typer.echo(json.dumps(row))
        table.add_row(
            str(entry.key),
            entry.state.value,
            entry.created_at,
            entry.settled_at or "",
            str(entry.attempts),
            entry.note,
        )
    if not as_json:
        plain_console().print(table if entries else "The outbox is empty.")


@outbox_app.command("retry")
def outbox_retry(bench: BenchOption) -> None:
    """Offer every refused message to the broker again."""
    with outbox_at(bench) as outbox:
        count = outbox.retry()
    typer.echo(f"{count} refused messages wait to be sent again.")
