"""What is not there any more, or was never kept: one sentence on the page, and the draft stays."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from leukoscope.messages.json_format import from_bytes
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import utc_now
from tests.messages.examples import IDENTITY, report
from tests.web.conftest import PIN, Served
from tests.web.made import make_bench
from tests.web.test_security import Client, admin, report_path

__all__ = ["admin"]
OLDER = str(UUID(int=77))


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """One sample with its cells, and a report as versions made it that kept no cells."""
    made = make_bench(tmp_path)
    with Outbox.open(tmp_path / "state" / "outbox.sqlite") as outbox:
        record(replace(report(), id=OLDER, version=1, sample_id="S-OLD"), outbox, IDENTITY, now=utc_now)
    return made


def test_a_picture_that_was_pruned_is_said_to_be_gone_and_its_cell_is_named_all_the_same(
    admin: Client, served: Served, bench: Path
) -> None:
    own = report_path(served)
    assert admin.post(f"{own}/draft", json.dumps({"do": "name", "cells": [3], "class": "blast"}))[0] == 200
    with closing(sqlite3.connect(bench.parent / "state" / "outbox.sqlite")) as sql:
        assert sql.execute("DELETE FROM message WHERE kind = 'cell' AND id LIKE '%-3'").rowcount == 1
        sql.commit()
    served.kill()
    served.start()
    admin.port = served.port
    status, _, text = admin.ask("GET", f"{own}/cells/3.webp")
    assert status == 404
    assert "there is no picture of cell 3: it was not kept, or was pruned to make room" in json.loads(text)["error"]
    shown = admin.ask("GET", own)[2]
    assert shown.count('class="gone"') == 1
    assert 'data-number="3" data-name="blast"' in shown
    assert "no picture" in admin.ask("GET", f"{own}/cells/3", **{"hx-request": "true"})[2]
    assert admin.post(f"{own}/draft", json.dumps({"do": "name", "cells": [3], "class": "lymphocyte"}))[0] == 200


def test_a_report_whose_cells_an_older_version_did_not_keep_is_signed_and_says_so(
    admin: Client, served: Served, bench: Path
) -> None:
    assert "The cells of this report were not kept" in admin.ask("GET", f"/reports/{OLDER}")[2]
    answer = admin.post(f"/reports/{OLDER}/act", {"do": "sign", "version": "1", "secret": PIN, "note": ""})
    assert answer[0] == 303, answer[2]
    with Outbox.open(bench.parent / "state" / "outbox.sqlite", owner=False) as outbox:
        last = from_bytes(outbox.versions(OLDER)[-1].payload)["lifecycle"]
    assert last["status"] == "final"
    assert last["steps"][-1]["signed_without"] == ["cells_not_kept"]


def test_a_report_that_is_not_here_is_said_so_in_one_sentence(admin: Client, served: Served) -> None:
    status, _, text = admin.ask("GET", f"/reports/{UUID(int=5)}", accept="text/html", **{"accept-language": "es"})
    assert status == 404
    assert f"el informe {UUID(int=5)} ya no está aquí" in text
