"""What keeps a page's sessions and browsers in bounds: how long, for whom, which scripts, and where a form leads."""

from datetime import timedelta
from pathlib import Path

import pytest

from leukoscope.outbox.page_database import PageDatabase
from leukoscope.web.accounts import Accounts, Role
from leukoscope.web.database import Databases
from leukoscope.web.sessions import Sessions
from tests.web.conftest import NAME, PIN, Served
from tests.web.test_accounts import Clock
from tests.web.test_security import Client, admin, report_path

__all__ = ["admin"]


def test_a_session_ends_by_itself(tmp_path: Path) -> None:
    clock = Clock()
    databases = Databases(lambda: PageDatabase(tmp_path / "web.sqlite"))
    accounts = Accounts(databases, clock)
    accounts.create(NAME, Role.REVIEWER, PIN)
    sessions = Sessions(databases, accounts, clock, timedelta(hours=8))
    token = sessions.begin(NAME, "127.0.0.1")
    clock.wait(8 * 60 - 1)
    assert sessions.account_of(token) is not None
    clock.wait(2)
    assert sessions.account_of(token) is None
    assert sessions.all() == []


def test_a_closed_account_ends_its_sessions_and_lets_nobody_in(admin: Client, served: Served) -> None:
    account = {"do": "create", "name": "Bo", "role": "reviewer", "secret": "bo-1234"}
    assert admin.post("/administration/account", account)[0] == 303
    bo = Client(served)
    assert bo.begin("/sign-in", {"name": "Bo", "secret": "bo-1234"}) == 303
    assert admin.post("/administration/account", {"do": "off", "name": "Bo"})[0] == 303
    assert bo.ask("GET", report_path(served))[0] == 401
    assert bo.begin("/sign-in", {"name": "Bo", "secret": "bo-1234"}) == 403


def test_a_session_that_signed_out_is_over_also_for_those_who_kept_its_cookie(admin: Client, served: Served) -> None:
    kept = admin.cookie
    assert admin.post("/sign-out", {})[0] == 303
    thief = Client(served)
    thief.cookie = kept
    assert thief.ask("GET", "/worklist")[0] == 401


@pytest.mark.parametrize("path", ["/worklist", "/sign-in", "/static/review.js", "/no-such-page"])
def test_a_browser_runs_no_script_but_the_page_s_own_and_shows_it_in_no_frame(admin: Client, path: str) -> None:
    policy = admin.ask("GET", path)[1]["content-security-policy"]
    rules = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["base-uri"] == rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nb: c"])
def test_a_choice_of_language_leads_to_no_other_machine(admin: Client, path: str) -> None:
    status, headers, _ = admin.post("/language", {"language": "fr", "path": path})
    assert status == 303
    assert headers["location"] == "/"
