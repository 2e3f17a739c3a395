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
