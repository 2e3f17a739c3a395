"""Two people on one report: the one who signs second learns what changed."""

import json

import pytest

from tests.web.conftest import NAME, PIN, Served
from tests.web.test_security import Client, report_path

SECOND = "Dr. Bo"


@pytest.fixture
def readers(served: Served) -> tuple[Client, Client]:
    """Both have opened version 1; then the first names cell 1 a blast and hands the report on as version 2."""
    first, second = Client(served), Client(served)
    assert first.begin("/set-up", {"code": served.code, "name": NAME, "secret": PIN}) == 303
    served.has_account()
    account = {"do": "create", "name": SECOND, "role": "reviewer", "badge": "", "secret": PIN}
    assert first.post("/administration/account", account)[0] in (200, 303)
    assert second.begin("/sign-in", {"name": SECOND, "secret": PIN}) == 303
    path = report_path(served)
    assert 'data-version="1"' in second.ask("GET", path)[2]
    assert first.post(f"{path}/draft", json.dumps({"do": "name", "cells": [1], "class": "blast", "seen": 1}))[0] == 200
    assert act(first, path, "review", "1")[0] == 303
    return first, second


def act(client: Client, path: str, do: str, version: str) -> tuple[int, str]:
    status, _, page = client.post(f"{path}/act", {"do": do, "version": version, "secret": PIN, "note": ""})
    return status, page


def is_said_what_changed(page: str) -> bool:
    box = page.partition('id="state"')[2].partition('class="tools"')[0]
    return "You looked at version 1; version 2 is in force" in box and f"{NAME}, v2, reviewed; cell 1" in box


def test_a_signature_on_a_page_of_before_is_refused_and_says_what_changed(
    readers: tuple[Client, Client], served: Served
) -> None:
    _, second = readers
    path = report_path(served)
    status, page = act(second, path, "sign", "1")
    assert status == 409
    assert "version 2 is in force and you looked at version 1" in page
    assert is_said_what_changed(page)
    # As long as the second person has not said that it was seen, the page's own new version does not help.
    status, page = act(second, path, "sign", "2")
    assert status == 409
    assert is_said_what_changed(page)
    assert second.post(f"{path}/draft", json.dumps({"do": "rebase", "version": 2, "seen": 2}))[0] == 200
    status, page = act(second, path, "review", "2")
    assert status == 303, page


def test_a_key_on_a_page_of_before_begins_a_draft_of_that_version(
    readers: tuple[Client, Client], served: Served
) -> None:
    _, second = readers
    path = report_path(served)
    key = {"do": "name", "cells": [2], "class": "monocyte", "seen": 1}
    assert second.post(f"{path}/draft", json.dumps(key))[0] == 200
    assert is_said_what_changed(second.ask("GET", path)[2])
    status, page = act(second, path, "sign", "2")
    assert status == 409
    assert is_said_what_changed(page)


def test_a_name_that_is_not_on_the_screen_is_not_confirmed(readers: tuple[Client, Client], served: Served) -> None:
    _, second = readers
    path = report_path(served)
    key = {"do": "confirm", "cells": [1], "seen": 1}
    status, _, answer = second.post(f"{path}/draft", json.dumps(key), accept="application/json")
    assert status == 409
    assert "version 2 is in force and you looked at version 1" in json.loads(answer)["error"]
    assert second.post(f"{path}/draft", json.dumps(key | {"seen": 2}))[0] == 200
