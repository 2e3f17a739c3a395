"""Counts sample after sample in one process, as fast as it goes, and holds what it uses against limits.

tools/soak.py                                                      20 samples of 20 fields, half a minute
tools/soak.py --samples 1000 --fields 100 --folder /dev/shm/soak   the long form, about an hour

It is the real service on the simulated microscope, without pauses: the stage is followed, cells of overlapping fields
are joined, the small display is drawn (on no glass), and each report goes over MQTT to a broker in a process of its
own. Two things are not as on a device: pictures are small, and each sample is of the same fields,
which are drawn once and kept. The command ends with 1 where a limit is broken.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from embedded_broker import embedded_broker
from soaking.measuring import Gauge
from soaking.running import soak


def main(
    samples: Annotated[int, typer.Option(min=5, help="Samples, one after the other.")] = 20,
    fields: Annotated[int, typer.Option(min=1, help="Fields of each.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="Made and left behind; a temporary one unless given.")] = None,
) -> None:
    """Count for long and hold against the limits what it used."""
    if folder is not None:
        folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary, embedded_broker() as broker:
        begun_s = time.monotonic()
        soaked = soak(folder or Path(temporary), samples, fields, broker, tell=_tell)
        took_s = time.monotonic() - begun_s
    table = Table("measured", "value", "limit", "", title=f"{samples} samples of {fields} fields, {took_s:.0f} s")
    broken = False
    for what, value, limit in soaked.findings():
        broken = broken or value > limit
        table.add_row(what, f"{value:.1f}", f"{limit:g}", "BROKEN" if value > limit else "good")
    for kind, grown_kb in sorted(soaked.grown_kb.items(), key=lambda one: -one[1]):
        table.add_row(f"  {kind} grew, kB per sample", f"{grown_kb:.1f}", "", "")
    for what, value in soaked.facts().items():
        table.add_row(what, f"{value:.0f}", "", "")
    Console().print(table)
    raise typer.Exit(int(broken))


def _tell(done: int, now: Gauge) -> None:
    """A run of an hour is watched."""
    if done % 50 == 0:
        facts = f"{now.resident_mb:.1f} MB, {now.descriptors} descriptors, {now.threads} threads"
        print(
            f"{done} samples: {facts}, {now.written_kb / done:.0f} kB written per sample", file=sys.stderr, flush=True
        )


if __name__ == "__main__":
    typer.run(main)
