"""Prints how long the device takes from its start to READY, and from a press to the first field counted.

tools/measure_start.py               both networks on the simulated microscope, each engine, best and median of five
tools/measure_start.py --imports     and the modules that took longest to import
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer
from rich.console import Console
from rich.table import Table

from leukoscope.errors import LeukoscopeError

READY_LIMIT_S, COUNT_LIMIT_S = 3.0, 1.0
PRESS_AFTER_S = 0.5
TIMEOUT_S = 120.0
COUNTED = re.compile(r"STATUS=counting: \d+ white cells in ([1-9]\d*) fields")


def _bench(folder: str, engine: str) -> dict[str, Any]:
    return {
        "site": "benchmark",
        "device": "start",
        "camera": {"driver": "simulated", "dwell_frames": 2, "smear": {"white_per_1000_rbc": 40.0}},
        "calibration": {"file": "simulated.toml"},
        "displays": [{"driver": "snapshot", "folder": f"{folder}/screens"}],
        "controls": [{"driver": "scripted", "presses": [{"action": "toggle", "after_s": PRESS_AFTER_S}]}],
        "storage": {"folder": f"{folder}/state"},
        "reporting": {"driver": "none"},
        "models": {"engine": {"driver": engine}},
    }


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the device."""

    ready_s: float
    """From the start of the process to READY=1: camera open, both golden pairs replayed."""
    ready_processor_s: float
    """Processor time of that, which other programs on the machine hardly change."""
    first_count_s: float
    """From a press to the first field counted."""


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Starts per engine.")] = 5,
    imports: Annotated[bool, typer.Option("--imports", help="List the slowest imports too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Start the device a few times and time it."""
    found = {engine: [measure_start(engine) for _ in range(rounds)] for engine in ("onnx", "litert")}
    if as_json:
        print(json.dumps({engine: [asdict(one) for one in starts] for engine, starts in found.items()}))
        return
    table = Table("seconds", "limit", "best", "median", title="Start of the device")
    for engine, starts in found.items():
        for what, limit_s, times in (
            ("process to READY", READY_LIMIT_S, [one.ready_s for one in starts]),
            ("the same, processor time", READY_LIMIT_S, [one.ready_processor_s for one in starts]),
            ("press to first field counted", COUNT_LIMIT_S, [one.first_count_s for one in starts]),
        ):
            table.add_row(f"{engine}: {what}", f"{limit_s:g}", f"{min(times):.2f}", f"{statistics.median(times):.2f}")
    Console().print(table)
    if imports:
        for line in slowest_imports():
            print(line)


def measure_start(engine: str) -> Start:
    """Start `leukoscope run` once, as systemd would.

    Raises:
        LeukoscopeError: it did not get as far.
    """
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        bench = Path(folder) / "bench.toml"
        bench.write_text(tomli_w.dumps(_bench(folder, engine)), "utf-8")
        address = f"{folder}/notify"
        supervisor.bind(address)
        supervisor.settimeout(TIMEOUT_S)
        environ = os.environ | {"NOTIFY_SOCKET": address}
        command = [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)]
        began_s = time.monotonic()
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                ready_s = _heard(supervisor, re.compile("READY=1")) - began_s
                processor_s = _processor_s(process.pid)
                counted_s = _heard(supervisor, COUNTED) - began_s
            finally:
                process.kill()
    return Start(ready_s, processor_s, counted_s - ready_s - PRESS_AFTER_S)


def _processor_s(pid: int) -> float:
    """Time a process has computed, all threads together (proc(5), fields utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slowest_imports(most: int = 12) -> list[str]:
    """The modules that took longest by themselves, from `python -X importtime`."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import leukoscope.cli.main"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    rows = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done)
    slowest = sorted(((int(own_us), name) for own_us, name in rows), reverse=True)[:most]
    return [f"{own_us / 1000:8.1f} ms  {name}" for own_us, name in slowest]


def _heard(supervisor: socket.socket, what: re.Pattern[str]) -> float:
    """When the device said it."""
    while True:
        try:
            said = supervisor.recv(4096).decode()
        except TimeoutError:
            raise LeukoscopeError(
                f"the device did not say {what.pattern} within {TIMEOUT_S:g} s", "run it by hand and see what it says"
            ) from None
        if what.search(said):
            return time.monotonic()


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        Console(stderr=True).print(f"measure_start: {error}", markup=False)
        sys.exit(2)
