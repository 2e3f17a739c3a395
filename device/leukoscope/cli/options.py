"""Options that several commands have."""

import os
from pathlib import Path
from typing import Annotated

import typer

BENCH_VARIABLE = "LEUKOSCOPE_BENCH"
INSTALLED_BENCH = Path("/etc/leukoscope/bench.toml")
"""Where `tools/install` puts the settings of a device."""


def default_bench() -> Path:
    """The settings file where no `--bench` is given: what the environment names, else the installed one."""
    return Path(os.environ.get(BENCH_VARIABLE) or INSTALLED_BENCH)


def usual_bench() -> Path | None:
    """The same for a command that also works without a bench: None where none is named and none installed."""
    named = os.environ.get(BENCH_VARIABLE)
    return Path(named) if named else INSTALLED_BENCH if INSTALLED_BENCH.is_file() else None


BenchOption = Annotated[
    Path,
    typer.Option(
        "--bench",
        help="The settings file of the bench (TOML).",
        envvar=BENCH_VARIABLE,
        default_factory=default_bench,
        show_default=str(INSTALLED_BENCH),
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line on standard output.")]
