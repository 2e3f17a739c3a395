"""What the page's process holds in memory: it serves beside a count, on a small board."""

import json
import os
import subprocess
import sys
from pathlib import Path

from leukoscope.cli.web import PAGE_ENVIRONMENT
from leukoscope.outbox.cell_pictures import PictureFacts
from tests.web.conftest import NAME, PIN, Served
from tests.web.made import make_bench
from tests.web.test_security import Client, report_path

_NOT_NEEDED = (
    "PIL",
    "cv2",
    "jsonschema_rs",
    "numpy",
    "onnxruntime",
    "paho",
    "psycopg",
    "reportlab",
    "rich",
    "scipy",
)
"""Each is 2 to 30 MB."""
_SCRYPT = """
import json, re
from leukoscope.web.accounts import is_secret, make_secret

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024 / 1e6

before = resident_mb()
stored = make_secret("4711-ada")
for _ in range(3):
    assert is_secret("4711-ada", stored)
print(json.dumps(resident_mb() - before))
"""

_READ = """
import json, sys
from pathlib import Path
from leukoscope.messages.identity import Identity
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.desk import desk_of
from leukoscope.system.clock import utc_now
from leukoscope.web.device_reports import DeviceReports

storage = Path({folder!r})
with Outbox.open(storage / "outbox.sqlite", owner=False) as outbox:
    desk = desk_of(outbox, storage, Identity("ward-3", "scope-1", "1", "boot"), utc_now)
    reports = DeviceReports(desk, storage, storage)
    report = reports.sample("00000000-0000-0000-0000-000000000001").report
print(json.dumps({{"sample_id": report.sample_id, "jsonschema_rs": "jsonschema_rs" in sys.modules}}))
"""


def python(program: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout


def test_the_page_loads_nothing_that_it_does_not_need() -> None:
    loaded = json.loads(python("import json, sys, leukoscope.web.__main__; print(json.dumps(list(sys.modules)))"))
    assert "leukoscope.statistics.recount" in loaded
    assert [name for name in _NOT_NEEDED if name in loaded] == []


def test_the_page_makes_no_checks_of_files_that_it_does_not_read() -> None:
    program = (
        "import json, leukoscope.web.__main__; from leukoscope.inference.bundle import Manifest; "
        "from leukoscope.web_settings import WebSettings; WebSettings(); "
        "print(json.dumps([Manifest.__pydantic_complete__, WebSettings.__pydantic_complete__]))"
    )
    assert json.loads(python(program)) == [False, True]


def test_what_a_pin_takes_in_memory_is_given_back() -> None:
    assert json.loads(python(_SCRYPT, **PAGE_ENVIRONMENT)) < 4


def test_a_kept_report_is_read_without_what_checks_schemas(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    read = json.loads(python(_READ.format(folder=str(bench.parent / "state"))))
    assert read == {"sample_id": "S-17", "jsonschema_rs": False}


def test_a_signature_leaves_nothing_in_the_page_of_what_checks_schemas(served: Served) -> None:
    client, path = Client(served), report_path(served)
    assert client.begin("/set-up", {"code": served.code, "name": NAME, "secret": PIN}) == 303
    for body in (
        {"do": "name", "cells": [14, 15, 16, 17, 18], "class": "lymphocyte"},
        {"do": "look", "cells": [1, 7, 11, 13]},
    ):
        assert client.post(f"{path}/draft", json.dumps(body))[0] == 200
    assert client.post(f"{path}/act", {"do": "sign", "version": "1", "secret": PIN, "note": ""})[0] == 303
    assert "version 3" in client.ask("GET", path)[2]
    assert served.process is not None
    assert "jsonschema_rs" not in Path(f"/proc/{served.process.pid}/maps").read_text()


def test_outlines_of_open_reports_are_held_packed() -> None:
    outline = [[1.5 * corner, 2.25 * corner] for corner in range(60)]
    facts = PictureFacts.of({"width": 96, "height": 96, "um_per_px": 0.1, "outline": outline})
    assert len(facts.corners) == 60 * 16
    assert [list(corner) for corner in facts.outline] == outline
