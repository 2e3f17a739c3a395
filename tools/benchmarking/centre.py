"""The page at the centre over a store of its own, for what is measured on it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

from leukoscope.messages.json_format import from_bytes
from leukoscope.outbox.entry import CELL, REPORT
from leukoscope.outbox.store import Outbox
from leukoscope_collector.judging import Accepted, Suspect, judge
from leukoscope_collector.report_store import Store

HOST = "127.0.0.1"


def store_outbox(store: Store, file: Path) -> None:
    """Put what the device has sent before into the store."""
    said: list[Accepted] = []
    with Outbox.open(file) as outbox:
        for entry in (*outbox.list(kind=REPORT), *outbox.list(kind=CELL)):
            made = from_bytes(outbox.list(kind=REPORT)[0].payload)["provenance"]
            topic = f"leukoscope/v1/{made['site']}/{made['device']}/{entry.topic}"
            one = judge(topic, entry.payload, topic_root="leukoscope/v1", largest=1_000_000)
            if isinstance(one, Suspect):
                raise SystemExit(f"{entry.key}: {one.reason}")
            said.append(one)
    store.keep(said, [], datetime.now(UTC))


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A broker of its own; gives its port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} {HOST}\nallow_anonymous true\nlog_dest none\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with process([program, "-c", str(settings)]):
        time.sleep(0.5)
        yield port


@contextmanager
def centre_page(folder: Path, port: int, store: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """A collector, and the page over its store: the page's port, and the code of the first administrator.

    Args:
        folder: for the settings.
        port: of the broker.
        store: as the settings say it.
    """
    settings = folder / "collector.toml"
    content = {
        "broker": {"host": HOST, "port": port},
        "web": {"port": 0},
        "metrics": {"port": 0},
        "store": dict(store),
    }
    settings.write_bytes(tomli_w.dumps(content).encode())
    command = [sys.executable, "-m", "leukoscope_collector"]
    with (
        process([*command, "--settings", str(settings)]),
        process([*command, "web", "--settings", str(settings)], stdout=subprocess.PIPE) as page,
    ):
        assert page.stdout is not None
        found = re.search(r":(\d+)/", page.stdout.readline())
        if found is None:
            raise SystemExit("the page did not start")
        yield int(found[1]), page.stdout.readline().split()[-1]


@contextmanager
def process(command: Sequence[str], **how: Any) -> Iterator["subprocess.Popen[str]"]:
    """A process that is ended with SIGTERM, without its output unless `how` says otherwise."""
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | how
    with subprocess.Popen(command, text=True, env=os.environ, **streams) as one:
        try:
            yield one
        finally:
            one.terminate()
