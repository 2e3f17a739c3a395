"""Three simulated devices and the centre on one machine: one reviewer there signs what each of them has counted.

`./tools/demo --centre` sets everything up and runs this. It needs mosquitto, playwright and Debian's chromium.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer
from playwright.sync_api import Page, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarking.key_presses import ARGUMENTS, set_up, sign_by_keys
from embedded_broker import HOST, free_port
from leukoscope.errors import LeukoscopeError
from leukoscope.outbox.entry import REPORT
from leukoscope.outbox.store import Outbox

DEVICES = ("scope-1", "scope-2", "scope-3")
REVIEWER, PIN = "Dr. Example", "471142"
_COUNTED_S, _SIGNED_S = 900.0, 120.0
_PATIENCE_MS = 120_000
Version = tuple[int, str]
"""Number and status of a version of a report."""

console = Console(stderr=True)


def main(
    white_cells: Annotated[int, typer.Option(min=1, help="White cells that each device counts.")] = 30,
    out: Annotated[Path, typer.Option(help="Where stores, outboxes and logs go.")] = Path("out/centre"),
) -> None:
    """Count on three devices, sign at the centre, and print what each part holds in the end."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        raise LeukoscopeError("the broker mosquitto is not installed", "apt-get install mosquitto")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with ExitStack() as running:
        port = free_port()
        (out / "mosquitto.conf").write_text(f"listener {port} {HOST}\nallow_anonymous true\n")
        running.enter_context(_process(out / "broker.log", [mosquitto, "-c", str(out / "mosquitto.conf")]))
        running.enter_context(_process(out / "collector.log", _collector(out, port)))
        for number, device in enumerate(DEVICES, start=1):
            command = [
                sys.executable,
                "-m",
                "leukoscope.cli.main",
                "run",
                "--bench",
                str(_bench(out, device, number, port, white_cells)),
            ]
            running.enter_context(_process(out / f"{device}.log", [*command, "--sample-id", f"S-{number}"]))
        console.print(f"{len(DEVICES)} devices count {white_cells} white cells each; the centre collects.")
        store = out / "store.sqlite3"
        _wait(lambda: len(_stored(store)) == len(DEVICES), _COUNTED_S, "not every report came to the centre")
        _wait(lambda: _pictures_settled(store), _COUNTED_S, "not every picture came to the centre")
        command = [sys.executable, "-m", "leukoscope_collector", "web", "--settings", str(out / "collector.toml")]
        page = running.enter_context(_process(out / "page.log", command, stdout=subprocess.PIPE))
        assert page.stdout is not None
        address = re.sub(r"The page is at |/\n", "", page.stdout.readline())
        code = page.stdout.readline().split()[-1]
        lines = _review(address, code, store)
    table = Table("device", "specimen", "cells decided", "keys", "signed → stored", "at the centre", "at the device")
    wrong = 0
    for device, specimen, decided, keys, took_s, at_centre in lines:
        at_device = _at_device(out / device)
        wrong += at_device != at_centre or [status for _, status in at_centre].count("final") != 1
        shown = [", ".join(f"v{version} {status}" for version, status in one) for one in (at_centre, at_device)]
        table.add_row(device, specimen, str(decided), str(keys), f"{took_s:.2f} s", *shown)
    Console(width=150).print(table)
    if wrong:
        raise LeukoscopeError(f"{wrong} reports are not the same at centre and device", f"see the logs in {out}")
    console.print("Each report was signed once, and centre and device hold the same versions.")


def _review(address: str, code: str, store: Path) -> list[tuple[str, str, int, int, float, list[Version]]]:
    """Sign every report of the worklist, the critical ones first, as the worklist has them."""
    expect.set_options(timeout=_PATIENCE_MS)
    done = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.set_default_timeout(_PATIENCE_MS)
        set_up(page, address, code, REVIEWER, PIN)
        for _ in DEVICES:
            done.append(_sign_first(page, address, store))
        browser.close()
    return done


def _sign_first(page: Page, address: str, store: Path) -> tuple[str, str, int, int, float, list[Version]]:
    page.goto(f"{address}/worklist")
    row = page.locator("tbody tr").first
    device = row.locator("td").first.inner_text().partition("/")[2]
    specimen = row.locator("a").inner_text()
    report = (row.locator("a").get_attribute("href") or "").rpartition("/")[2]
    row.locator("a").click()
    expect(page.locator("#counts table")).to_be_visible()
    key_ms, keys = sign_by_keys(page, PIN)
    began = time.monotonic()
    _wait(lambda: _stored(store).get(report, [])[-1:] == [(3, "final")], _SIGNED_S, f"{device} did not sign")
    took_s = time.monotonic() - began
    expect(page.locator("#state")).not_to_contain_text("on its way")
    console.print(f"{device}: {specimen} is signed")
    return device, specimen, len(key_ms), keys, took_s, _stored(store)[report]


def _bench(out: Path, device: str, number: int, port: int, white_cells: int) -> Path:
    content: dict[str, Any] = {
        "site": "clinic",
        "device": device,
        "camera": {
            "driver": "simulated",
            "dwell_frames": 2,
            "smear": {"seed": number, "white_per_1000_rbc": 60.0},
        },
        "calibration": {"file": "simulated.toml"},
        "displays": [{"driver": "snapshot", "folder": str(out / device / "screens"), "keep": 2}],
        "controls": [{"driver": "scripted", "presses": [{"action": "toggle", "after_s": 1.0}]}],
        "storage": {"folder": str(out / device)},
        "counting": {"white_cells": white_cells},
        "cells": {"pictures": 1000},
        "commands": {"allow": ["review"]},
        "reporting": {"driver": "mqtt", "host": HOST, "port": port},
    }
    file = out / f"{device}.toml"
    file.write_text(tomli_w.dumps(content), "utf-8")
    return file


def _collector(out: Path, port: int) -> list[str]:
    content = {
        "broker": {"host": HOST, "port": port},
        "store": {"driver": "sqlite", "file": str(out / "store.sqlite3")},
        "metrics": {"port": 0},
        "web": {"port": 0},
    }
    (out / "collector.toml").write_text(tomli_w.dumps(content), "utf-8")
    return [sys.executable, "-m", "leukoscope_collector", "--settings", str(out / "collector.toml")]


def _stored(store: Path) -> dict[str, list[Version]]:
    """Versions at the centre by id of the report."""
    found: dict[str, list[Version]] = {}
    for identifier, version, payload in _rows(store, "SELECT id, version, payload FROM report ORDER BY id, version"):
        found.setdefault(identifier, []).append((version, json.loads(payload)["lifecycle"]["status"]))
    return found


def _pictures_settled(store: Path) -> bool:
    """Every white cell of every report has come."""
    wanted = 0
    for (payload,) in _rows(store, "SELECT payload FROM report WHERE version = 1"):
        white = json.loads(payload)["white_cells"]
        wanted += white["counted"] + sum(white["beside"].values())
    ((there,),) = _rows(store, "SELECT count(*) FROM cell")
    return bool(there >= wanted)


def _rows(store: Path, query: str) -> Sequence[Any]:
    if not store.exists():
        return ()
    with closing(sqlite3.connect(store, timeout=30)) as sql:
        try:
            return sql.execute(query).fetchall()
        except sqlite3.OperationalError:
            # The collector has not made its tables yet.
            return ()


def _at_device(folder: Path) -> list[Version]:
    with Outbox.open(folder / "outbox.sqlite") as outbox:
        entries = sorted(outbox.list(kind=REPORT), key=lambda one: one.key.version)
    return [(one.key.version, json.loads(one.payload)["lifecycle"]["status"]) for one in entries]


def _wait(done: Any, within_s: float, otherwise: str) -> None:
    ends = time.monotonic() + within_s
    while not done():
        if time.monotonic() > ends:
            raise LeukoscopeError(otherwise, "see the logs in the output folder")
        time.sleep(0.01)


@contextmanager
def _process(log: Path, command: Sequence[str], **how: Any) -> Iterator["subprocess.Popen[str]"]:
    with (
        log.open("w") as lines,
        subprocess.Popen(command, text=True, **({"stdout": lines, "stderr": lines} | how)) as one,
    ):
        try:
            yield one
        finally:
            one.terminate()


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        console.print(f"leukoscope: {error}", markup=False)
        sys.exit(2)
