"""`leukoscope settings`."""

import json
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.cli.printing import plain_console
from leukoscope.doctor.settings_in_force import settings_in_force


def settings(bench: BenchOption, as_json: JsonOption = False) -> None:
    """Show every setting of a bench as it is in force, without secrets."""
    found = list(settings_in_force(bench))
    if as_json:
        for one in found:
            typer.echo(json.dumps(asdict(one)))
        return
    table = Table("setting", "value", "given by")
    for one in found:
        table.add_row(Text(one.name), Text(one.value), "the file" if one.given else "the software")
    plain_console().print(table)
