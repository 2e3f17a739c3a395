"""A disk that is full or failing while a person works on the page."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.web.conftest import NAME, PIN, Served
from tests.web.test_security import Client, admin, report_path

__all__ = ["admin"]


def decide_all(client: Client, served: Served) -> None:
    """Call each unsure cell a lymphocyte, and look at every cell."""
    numbers = list(range(1, 19))
    for body in ({"do": "name", "cells": numbers[-5:], "class": "lymphocyte"}, {"do": "look", "cells": numbers}):
        assert client.post(f"{report_path(served)}/draft", json.dumps(body))[0] == 200


def sign(client: Client, served: Served) -> tuple[int, str]:
    status, _, text = client.post(
        f"{report_path(served)}/act", {"do": "sign", "version": "1", "secret": PIN}, accept="text/html"
    )
    return status, text


def test_a_signature_whose_file_cannot_be_written_is_given_and_says_so(
    admin: Client, served: Served, bench: Path
) -> None:
    (bench.parent / "state" / "reports").write_text("where the folder should be")
    decide_all(admin, served)
    status, text = sign(admin, served)
    assert status == 200
    assert "is recorded and will be sent, but its file in" in text
    assert "<strong>final</strong>" in text
    assert NAME in text
    # It is done: what was named has become the report, and is no draft any more.
    assert sign(admin, served)[0] == 409


def test_a_signature_that_cannot_be_recorded_is_refused_and_the_draft_stays(
    admin: Client, served: Served, bench: Path
) -> None:
    decide_all(admin, served)
    with closing(sqlite3.connect(bench.parent / "state" / "outbox.sqlite")) as outbox:
        outbox.execute(
            "CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        outbox.commit()
    status, text = sign(admin, served)
    assert status == 409
    assert "nothing that you named is lost" in text
    assert "<strong>preliminary</strong>" in text
    assert text.count('data-name="lymphocyte"') == 9


def test_on_a_full_disk_a_report_is_read_and_its_signature_is_refused_beside_it(
    admin: Client, served: Served, bench: Path
) -> None:
    decide_all(admin, served)
    with closing(sqlite3.connect(bench.parent / "state" / "web.sqlite")) as kept:
        for table in ("web_presence", "web_draft", "web_attempt"):
            for step in ("INSERT", "UPDATE"):
                kept.execute(
                    f"CREATE TRIGGER full_{table}_{step} BEFORE {step} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                )
        kept.commit()
    with closing(sqlite3.connect(bench.parent / "state" / "outbox.sqlite")) as outbox:
        outbox.execute(
            "CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        outbox.commit()
    path = report_path(served)
    assert admin.ask("GET", path)[0] == 200
    assert admin.ask("GET", f"{path}/state")[0] == 200
    status, text = sign(admin, served)
    assert status == 409
    assert 'role="alert"' in text
    assert "disk" in text
    assert text.count('data-name="lymphocyte"') == 9
    status, _, text = admin.post(f"{path}/draft", json.dumps({"do": "name", "cells": [1], "class": "blast"}))
    assert status == 503
    assert "is the disk full or failing?" in text
