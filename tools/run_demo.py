"""One sample on a desk, from button press to report; `tools/demo` sets everything up and runs this.

A broker is started on this machine, a subscriber listens to it, and the instrument runs with the
settings written to `bench.toml` in the output folder, which can be run again with `leukoscope run`.
"""

import json
import shutil
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer
from rich.console import Console

from embedded_broker import Address, embedded_broker
from leukoscope.cli.calibrate import pages_of
from leukoscope.cli.web import page_arguments
from leukoscope.errors import LeukoscopeError
from leukoscope.messages.report import decode
from leukoscope.reviewing.pages import page
from leukoscope.service.run import run_bench
from watch_reports import Watch

REPORT_TIMEOUT_S = 30.0
DIFFERENTIAL = {
    "segmented": 0.46,
    "band": 0.05,
    "lymphocyte": 0.25,
    "monocyte": 0.07,
    "eosinophil": 0.04,
    "basophil": 0.02,
    "myelocyte": 0.03,
    "blast": 0.06,
    "erythroblast": 0.02,
}
"""What the simulated specimen holds: left-shifted, with a few blasts, so that there is something to find."""

console = Console(stderr=True)


def main(
    pictures: Annotated[Path | None, typer.Option(help="A folder of real fields instead of the simulation.")] = None,
    um_per_px: Annotated[
        float | None, typer.Option(help="Micrometres per pixel of these pictures.", min=0.01, max=2.0)
    ] = None,
    window: Annotated[bool, typer.Option("--window", help="Show display and field in a window.")] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="With --window: you press and move (space, f, q, arrows).")
    ] = False,
    white_cells: Annotated[int, typer.Option(min=1, help="White cells to count.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Which simulated slide.")] = 1,
    out: Annotated[Path, typer.Option(help="Where screens, fields and report go.")] = Path("out/demo"),
    web: Annotated[bool, typer.Option("--web", help="End with the review page of this sample, until Ctrl-C.")] = False,
) -> None:
    """Count one sample and show where everything is."""
    if (pictures is None) != (um_per_px is None):
        raise LeukoscopeError(
            "--pictures and --um-per-px belong together", "a size in micrometres needs the scale, give both"
        )
    if keys and not window:
        raise LeukoscopeError("--keys needs --window", "the keys are pressed there, give both")
    if out.exists():
        if any(out.iterdir()) and not (out / "bench.toml").exists():
            raise LeukoscopeError(f"{out} holds something that is not from this demo", "give another --out")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    began = time.monotonic()
    with embedded_broker() as broker:
        console.print(f"A broker listens at {broker.host}:{broker.port}, and a subscriber waits for the report.")
        bench = _bench(out, broker, window, keys, white_cells)
        bench |= _simulated(seed, keys) if pictures is None else _replayed(pictures, um_per_px or 0.0)
        bench_file = out / "bench.toml"
        bench_file.write_text(tomli_w.dumps(bench), "utf-8")
        with Watch(broker.host, broker.port) as watch:
            run_bench(bench_file, pages_of, samples=1, sample_id="demo")
            message = next(watch.messages(REPORT_TIMEOUT_S), None)
    if message is None:
        raise LeukoscopeError(
            f"no report arrived in {REPORT_TIMEOUT_S:.0f} s; it is safe", f"leukoscope outbox list --bench {bench_file}"
        )
    report_file = out / "report.json"
    report_file.write_text(json.dumps(message, indent=2, ensure_ascii=False) + "\n", "utf-8")
    console.print("\nThe subscriber received this report over MQTT:")
    Console().print(page(decode(message)))
    console.print(f"{time.monotonic() - began:.0f} s from start to report. In {out}:")
    for path, what in (
        (report_file, "the report as it was received"),
        (out / "screens", "what the display showed"),
        (out / "state" / "fields", "annotated fields"),
        (bench_file, "the settings of this run"),
    ):
        if path.exists():
            console.print(f"  {path}  {what}")

    if web:
        console.print("\nThe sample on the review page; the code makes the first account:")
        open_page(bench_file)


def open_page(bench_file: Path) -> None:
    """Serve the page of a bench in a process of its own, and show it where there is a browser."""
    command = [sys.executable, "-m", "leukoscope.web", page_arguments(bench_file, 0)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        assert page.stdout is not None
        try:
            for line in page.stdout:
                print(line, end="", flush=True)
                if line.startswith("The page is at "):
                    webbrowser.open(line.removeprefix("The page is at ").strip())
        except KeyboardInterrupt:
            page.terminate()


def _bench(out: Path, broker: Address, window: bool, keys: bool, white_cells: int) -> dict[str, Any]:
    displays: list[dict[str, Any]] = [{"driver": "snapshot", "folder": str(out / "screens")}]
    if window:
        displays.append({"driver": "window"})
    elif sys.stdout.isatty():
        displays.append({"driver": "terminal"})
    press = {"driver": "scripted", "presses": [{"action": "toggle", "after_s": 1.0}]}
    return {
        "site": "desk",
        "device": "demo",
        "displays": displays,
        "controls": [{"driver": "window"}] if keys else [press],
        "storage": {"folder": str(out / "state"), "annotated_fields": 12},
        "counting": {"white_cells": white_cells},
        "cells": {"pictures": 1000, "fields": 60},
        "reporting": {"driver": "mqtt", "host": broker.host, "port": broker.port, "protocol": "3.1.1"},
    }


def _simulated(seed: int, keys: bool) -> dict[str, Any]:
    return {
        "camera": {
            "driver": "simulated",
            "path": "keys" if keys else "serpentine",
            "dwell_frames": 2,
            "travel_frames": 2,
            "overlap": 0.1,
            "smear": {"seed": seed, "white_per_1000_rbc": 40.0, "differential": DIFFERENTIAL},
        },
        "calibration": {"file": "simulated.toml"},
    }


def _replayed(pictures: Path, um_per_px: float) -> dict[str, Any]:
    return {
        "camera": {"driver": "replay", "path": str(pictures)},
        "calibration": {"um_per_px": um_per_px},
        "new_field": {"when": "every_frame"},
    }


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        console.print(f"leukoscope: {error}", markup=False)
        sys.exit(2)
