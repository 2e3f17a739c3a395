"""`leukoscope audit list|verify`."""

import json
from typing import Annotated

import typer

from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.cli.printing import plain_console
from leukoscope.outbox import audit_trail
from leukoscope.outbox.report_copies import lines_on_missing
from leukoscope.outbox.verification import faults
from leukoscope.reviewing import pages
from leukoscope.reviewing.desk import outbox_at
from leukoscope.settings import BenchSettings

audit_app = typer.Typer(help="Who did what to which report, and whether that was tampered with.", no_args_is_help=True)


@audit_app.command("list")
def audit_list(
    bench: BenchOption,
    report: Annotated[str, typer.Option(help="Only what was done to the report whose id begins so.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List what was done, oldest first."""
    with outbox_at(bench) as outbox, outbox.reading() as sql:
        found = [entry for entry in audit_trail.entries(sql) if f"report {report}" in entry.subject or not report]
    if as_json:
        for entry in found:
            typer.echo(json.dumps(pages.audit_line(entry)))
        return
    plain_console().print(pages.trail(found) if found else "The trail is empty.")


@audit_app.command("verify")
def audit_verify(
    bench: BenchOption,
    head: Annotated[str, typer.Option(help="NUMBER:HASH printed by an earlier verify: it must still be there.")] = "",
) -> None:
    """Check the whole trail, and every report and its file against it; exit code 2 when one does not agree."""
    copies = BenchSettings.read(bench).storage.folder / "reports"
    with outbox_at(bench) as outbox, outbox.reading() as sql:
        wrong = list(faults(sql, copies))
        missing = list(lines_on_missing(sql, copies))
        last = audit_trail.head(sql)
        if head:
            number, _, digest = head.partition(":")
            if not number.isdecimal() or audit_trail.hash_of_entry(sql, int(number)) != digest:
                wrong.append(f"{head[:80]} is not in the trail: it was cut or rewritten since")
    for fault in wrong:
        typer.echo(f"leukoscope: {fault}", err=True)
    if wrong:
        raise typer.Exit(2)
    for line in missing:
        typer.echo(line)
    typer.echo(
        f"The trail is whole: {last.entries} entries. Keep this elsewhere to prove it later: {last.entries}:{last.hash}"
    )
