"""How fast the review page is at the centre: worklist and search in PostgreSQL, and a signature that goes to a device.

./tools/demo && .venv/bin/python tools/benchmark_centre.py --bench out/demo/bench.toml
"""

import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import tomli_w
import typer
from rich.console import Console
from rich.table import Table

from benchmark_page import NAME, PIN, Browser, p95_of
from benchmarking.centre import HOST, broker, centre_page, process, store_outbox
from fleet_simulation.postgres import ScratchPostgres
from leukoscope.outbox.entry import REPORT
from leukoscope.outbox.store import Outbox
from leukoscope_collector.postgres_store import PostgresSettings, PostgresStore

SEARCH_BAR_MS, SIGN_BAR_S = 200.0, 2.0
_TYPED = ("4", "42", "s-04", "s-0421", "scope-7", "3f2a", "3f2a1c77", "nobody")
_MANY = """
INSERT INTO report (id, version, site, device, status, received_at, sha256, payload)
SELECT CAST(md5(CAST(n AS text)) AS uuid), 1, 'clinic', 'scope-' || n % 20,
    CASE WHEN n % 50 = 0 THEN 'preliminary' ELSE 'final' END, now() - n * interval '1 minute', md5(CAST(n AS text)),
    json_build_object('id', CAST(md5(CAST(n AS text)) AS uuid), 'version', 1,
        'white_cells', json_build_object('counted', 100, 'differential', json_build_array(
            json_build_object('class', 'blast', 'count', CASE WHEN n % 7 = 0 THEN 1 ELSE 0 END)),
            'beside', json_build_object('unsure', n % 30)),
        'lifecycle', json_build_object('status', CASE WHEN n % 50 = 0 THEN 'preliminary' ELSE 'final' END),
        'provenance', json_build_object('site', 'clinic', 'device', 'scope-' || n % 20, 'source', 'live'),
        'findings', json_build_array(json_build_object('code', CASE WHEN n % 350 = 0 THEN 'blasts_seen' ELSE 'band' END,
            'certainty', 'likely')),
        'sample', json_build_object('sample_id', 'S-' || lpad(CAST(n AS text), 6, '0'),
            'finished_at', to_char(now() - n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
FROM generate_series(1, :reports) AS n
"""
"""What the worklist reads of a report, and nothing else."""


def main(
    bench: Annotated[Path, typer.Option(help="A bench that has counted a sample.")],
    reports: Annotated[int, typer.Option(min=1, help="Reports in the store.")] = 100_000,
    searches: Annotated[int, typer.Option(min=5, help="How often the worklist is searched.")] = 40,
    signatures: Annotated[int, typer.Option(min=2, help="How many versions are signed.")] = 20,
) -> None:
    """Print the 95th percentile of each, beside its bar."""
    table = Table("what", "p95", "bar")
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        server = running.enter_context(ScratchPostgres())
        settings = PostgresSettings(driver="postgresql", conninfo=server.conninfo)
        store = settings.open()
        with store.transaction():
            store.execute("SET LOCAL statement_timeout = 0")
            store.execute(_MANY.replace(":reports", str(reports)))
        store.execute("ANALYZE")
        port = running.enter_context(broker(folder))
        copy, report = _copied(bench, folder, port)
        store_outbox(store, folder / "state" / "outbox.sqlite")
        began = time.perf_counter()
        at_centre = {"driver": "postgresql", "conninfo": server.conninfo}
        page_port, code = running.enter_context(centre_page(folder, port, at_centre))
        browser = Browser(page_port)
        browser.ask("POST", "/set-up", urlencode({"code": code, "name": NAME, "secret": PIN}))
        table.add_row(f"first start over {reports:,} reports", f"{time.perf_counter() - began:.1f} s", "")

        def search(turn: int) -> str:
            return browser.ask("GET", f"/worklist?state=all&q={_TYPED[turn % len(_TYPED)]}")

        for what, ask in (("worklist", lambda turn: browser.ask("GET", "/worklist")), ("search", search)):
            table.add_row(
                f"{what} of {reports:,} reports", f"{p95_of(ask, searches):.0f} ms", f"{SEARCH_BAR_MS:.0f} ms"
            )
        running.enter_context(_device(copy))
        took = sorted(_signed(browser, store, report, turn) for turn in range(signatures))
        table.add_row(
            "signed until the new version is stored",
            f"{took[int(0.95 * (len(took) - 1))]:.2f} s (median {took[len(took) // 2]:.2f} s)",
            f"{SIGN_BAR_S:.0f} s",
        )
        store.close()
    Console().print(table)


def _copied(bench: Path, folder: Path, port: int) -> tuple[Path, str]:
    """A copy of a bench that waits for its button and takes remote steps, and the id of its report."""
    content = tomllib.loads(bench.read_text())
    storage = Path(content["storage"]["folder"])
    shutil.copytree(storage, folder / "state", ignore=shutil.ignore_patterns("web.sqlite*", "*.sending"))
    content |= {
        "storage": content["storage"] | {"folder": f"{folder}/state"},
        "commands": {"allow": ["review"]},
        "controls": [{"driver": "scripted", "presses": []}],
        "displays": [{"driver": "snapshot", "folder": f"{folder}/screens"}],
        "signing": {"undecided_cells": "stated", "unopened_classes": "stated"},
        "reporting": {"driver": "mqtt", "host": HOST, "port": port},
    }
    content.pop("cells", None)
    copy = folder / "bench.toml"
    copy.write_bytes(tomli_w.dumps(content).encode())
    with Outbox.open(folder / "state" / "outbox.sqlite") as outbox:
        return copy, outbox.list(kind=REPORT)[-1].key.id


@contextmanager
def _device(bench: Path) -> Iterator[None]:
    with process([sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)]):
        # It is online some seconds after its networks are loaded; the first step waits for it, and is not timed.
        yield


def _signed(browser: Browser, store: PostgresStore, report: str, turn: int) -> float:
    """Seconds from the button to the new version in the store; the first signature is the warm-up of all parts."""
    before = _version(store, report)
    steps = {"do": "amend", "note": f"remark {turn}"} if turn or _is_signed(store, report) else {"do": "sign"}
    began = time.perf_counter()
    browser.ask("POST", f"/reports/{report}/act", urlencode(steps | {"version": before, "secret": PIN}))
    while _version(store, report) == before:
        if time.perf_counter() - began > 60:
            raise SystemExit(f"nothing came of it: {browser.ask('GET', f'/reports/{report}/state')}")
        time.sleep(0.005)
    took = time.perf_counter() - began
    # The page shows the result before the next step is taken.
    while "on its way" in browser.ask("GET", f"/reports/{report}/state"):
        time.sleep(0.02)
    return took if turn else _signed(browser, store, report, 1)


def _version(store: PostgresStore, report: str) -> int:
    ((version,),) = store.execute("SELECT max(version) FROM report WHERE id = :id", {"id": report})
    return int(version)


def _is_signed(store: PostgresStore, report: str) -> bool:
    ((status,),) = store.execute(
        "SELECT status FROM report WHERE id = :id ORDER BY version DESC LIMIT 1", {"id": report}
    )
    return status not in ("preliminary", "reviewed")


if __name__ == "__main__":
    typer.run(main)
