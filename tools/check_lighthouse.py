"""Lighthouse's accessibility of every page of the device and of the centre, signed in; 100 is asked of each.

    ./tools/demo && .venv/bin/python tools/check_lighthouse.py --bench out/demo/bench.toml

It needs node 18, npm, mosquitto and Debian's chromium; Lighthouse 12 is installed where it is missing.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.table import Table

from benchmark_page import NAME, PIN, Browser
from benchmarking.bench_copy import STATE, copy_of
from benchmarking.centre import HOST, broker, centre_page, process, store_outbox
from leukoscope.cli.web import page_arguments
from leukoscope.outbox.entry import REPORT
from leukoscope.outbox.store import Outbox
from leukoscope_collector.sqlite_store import SqliteSettings

LIGHTHOUSE = "lighthouse@12"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"
DEVICE_PAGES = ("/bench", "/trend?days=0", "/teaching", "/upkeep", "/upkeep/settings")
PAGES = ("/worklist", "/worklist?state=signed", "/administration")
"""Of both."""


def main(
    bench: Annotated[Path, typer.Option(help="A bench that has counted a sample, with pictures of cells.")],
    tools: Annotated[Path, typer.Option(help="Where Lighthouse is installed.")] = Path("out/lighthouse"),
    only: Annotated[str, typer.Option(help="device or centre, where both take too long.")] = "",
) -> None:
    """Print each page's score and what it lost points for; exit code 1 below 100."""
    program, table, good = _lighthouse(tools), Table("where", "page", "accessibility", "what is wrong"), True
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_of(bench, Path(folder))
        outbox_file = Path(folder) / STATE / "outbox.sqlite"
        with Outbox.open(outbox_file) as outbox:
            report = f"/reports/{outbox.list(kind=REPORT)[-1].key.id}"
        for where, opened, own in (
            ("device", _device_page(copy), (*DEVICE_PAGES, report, f"{report}/fields/1")),
            ("centre", _centre_page(Path(folder), outbox_file), (report,)),
        ):
            if only not in ("", where):
                continue
            with opened as (port, code):
                browser = Browser(port)
                for path in ("/set-up", *PAGES, *own, "/sign-in"):
                    if path == PAGES[0]:
                        browser.ask("POST", "/set-up", urlencode({"code": code, "name": NAME, "secret": PIN}))
                    # As those see it who are not signed in.
                    cookie = "" if path == "/sign-in" else browser.cookie
                    score, wrong = _score(program, f"http://{HOST}:{port}{path}", cookie, Path(folder))
                    print(f"{where} {path}: {score:.0f}", file=sys.stderr, flush=True)
                    table.add_row(where, re.sub(r"[0-9a-f-]{36}", "ID", path), f"{score:.0f}", "; ".join(wrong))
                    good = good and score == 100
    Console().print(table)
    raise typer.Exit(0 if good else 1)


@contextmanager
def _device_page(bench: Path) -> Iterator[tuple[int, str]]:
    """Port and code of the page of a bench."""
    command = [sys.executable, "-m", "leukoscope.web", page_arguments(bench, 0)]
    with process(command, stdout=subprocess.PIPE) as served:
        assert served.stdout is not None
        yield int(served.stdout.readline().rstrip("/\n").rpartition(":")[2]), served.stdout.readline().split()[-1]


@contextmanager
def _centre_page(folder: Path, outbox: Path) -> Iterator[tuple[int, str]]:
    """Port and code of the page at a centre that holds what a device has sent."""
    settings = SqliteSettings(file=folder / "store.sqlite3")
    store = settings.open()
    store_outbox(store, outbox)
    store.close()
    with broker(folder) as port, centre_page(folder, port, settings.model_dump(mode="json")) as opened:
        yield opened


def _lighthouse(tools: Path) -> str:
    """The program; installed with npm's ordinary client where it is missing."""
    found = shutil.which("lighthouse") or shutil.which("lighthouse", path=str(tools / "node_modules" / ".bin"))
    if found is None:
        tools.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tools), LIGHTHOUSE]
        subprocess.run(npm, check=True)
        found = str(tools / "node_modules" / ".bin" / "lighthouse")
    return found


def _score(program: str, address: str, cookie: str, folder: Path) -> tuple[float, list[str]]:
    """Of 100, and the audits that failed."""
    file = folder / "lighthouse.json"
    command = [
        program, address, "--only-categories=accessibility", "--output=json", f"--output-path={file}", "--quiet",
        f"--extra-headers={json.dumps({'Cookie': cookie})}", f"--chrome-flags={FLAGS}",
    ]  # fmt: skip
    chromium = os.environ | {"CHROME_PATH": shutil.which("chromium") or ""}
    done = subprocess.run(command, env=chromium, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{address}: {done.stderr[-400:]}")
    said: dict[str, Any] = json.loads(file.read_text())
    category = said["categories"]["accessibility"]
    counted = {one["id"] for one in category["auditRefs"] if one["weight"]}
    wrong = [name for name, audit in said["audits"].items() if name in counted and audit.get("score") == 0]
    return 100 * float(category["score"]), wrong


if __name__ == "__main__":
    typer.run(main)
