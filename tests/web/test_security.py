"""What a stranger, or a page from another site, may not do."""

import asyncio
import http.client
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import PlainTextResponse

from leukoscope.cli.web import page_arguments
from leukoscope.errors import OutboxError, SettingsError
from leukoscope.outbox.store import Outbox
from leukoscope.web.accounts import Account
from leukoscope.web.guard import Guard
from leukoscope.web.sessions import Sessions
from tests.web.conftest import NAME, PIN, Served, sign_in
from tests.web.made import make_bench, make_sample

OWN = {"sec-fetch-site": "same-origin"}


class Client:
    """A program that speaks HTTP and keeps one cookie."""

    def __init__(self, served: Served) -> None:
        self.port, self.cookie = served.port, ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = urlencode(body) if isinstance(body, dict) else body
        sent = {"content-type": "application/x-www-form-urlencoded"} | ({"cookie": self.cookie} if self.cookie else {})
        connection.request(method, path, content, sent | headers)  # type: ignore[arg-type]
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        got = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        return answer.status, got, text

    def post(self, path: str, body: object, **headers: str) -> tuple[int, dict[str, str], str]:
        """As a form on our own page does it."""
        return self.ask("POST", path, body, **(OWN | headers))

    def begin(self, path: str, body: dict[str, str]) -> int:
        """Post, and keep the cookie that comes back."""
        status, headers, _ = self.post(path, body)
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].split(";")[0]
        return status


@pytest.fixture
def admin(served: Served) -> Client:
    """The first administrator, without a browser."""
    client = Client(served)
    assert client.begin("/set-up", {"code": served.code, "name": NAME, "secret": PIN}) == 303
    served.has_account()
    return client


def report_path(served: Served) -> str:
    return "/reports/00000000-0000-0000-0000-000000000001"


def test_nothing_is_shown_or_streamed_without_a_session(admin: Client, served: Served) -> None:
    stranger = Client(served)
    own = report_path(served)
    of_report = ("", "/cells/1", "/cells/1.webp", "/fields/1", "/fields/1.jpg", "/export/csv", "/state", "/findings")
    of_device = ("/bench", "/bench/state", "/bench/field.jpg?frame=1", "/teaching", "/trend", "/upkeep")
    for path in ("/worklist", "/administration", *of_device, *(f"{own}{one}" for one in of_report)):
        status, _, text = stranger.ask("GET", path)
        assert status == 401, path
        assert "S-17" not in text
    assert admin.ask("GET", f"{report_path(served)}/cells/1.webp")[0] == 200


def test_a_session_is_a_new_one_after_signing_in(admin: Client, served: Served) -> None:
    fixed = Client(served)
    fixed.cookie = "leukoscope_session=chosen-by-somebody-else"
    assert fixed.begin("/sign-in", {"name": NAME, "secret": PIN}) == 303
    assert "chosen-by-somebody-else" not in fixed.cookie
    stranger = Client(served)
    stranger.cookie = "leukoscope_session=chosen-by-somebody-else"
    assert stranger.ask("GET", "/worklist")[0] == 401
    before = fixed.cookie
    assert fixed.begin("/sign-in", {"name": NAME, "secret": PIN}) == 303
    stranger.cookie = before
    assert stranger.ask("GET", "/worklist")[0] == 401


def test_a_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(served: Served) -> None:
    _, headers, _ = Client(served).post("/set-up", {"code": served.code, "name": NAME, "secret": PIN})
    served.has_account()
    flags = headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.example"}, {},
     {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
     {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:{port}"}],
)  # fmt: skip
def test_a_request_made_by_another_page_changes_nothing(admin: Client, served: Served, headers: dict[str, str]) -> None:
    path = f"{report_path(served)}/draft"
    headers = {name: value.format(port=served.port) for name, value in headers.items()}
    for address, body in (
        (path, '{"do": "name", "cells": [1], "class": "blast"}'),
        ("/administration/account", "do=create"),
    ):
        assert admin.ask("POST", address, body, **headers)[0] == 403
    assert 'class="cell checked"' not in admin.ask("GET", report_path(served))[2]
    assert admin.post(path, '{"do": "name", "cells": [1], "class": "blast"}')[0] == 200
    assert 'class="cell checked"' in admin.ask("GET", report_path(served))[2]


@pytest.mark.parametrize(
    "path",
    ["/static/../database.py", "/static/%2e%2e/database.py", "/static/..%2f..%2fsettings.py",
     "/reports/..%2f..%2fetc%2fpasswd", "/reports/x/cells/1.webp", "/reports/%27%20OR%201=1--/export/csv",
     "/reports/00000000-0000-0000-0000-000000000001/export/..%2fpasswd",
     "/reports/00000000-0000-0000-0000-000000000001/export/passwd"],
)  # fmt: skip
def test_no_path_leads_out_of_the_page(admin: Client, path: str) -> None:
    status, _, text = admin.ask("GET", path)
    assert status == 404
    assert "root:" not in text
    assert "import" not in text


def test_no_name_of_a_report_leads_to_a_folder_beside_the_reports(admin: Client, served: Served) -> None:
    kept = served.bench.parent / "state" / "fields-around"
    name = "00001-20x10.jpg"
    for folder in (kept / report_path(served).rpartition("/")[2], kept.parent, kept):
        folder.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(b"JPEG")
    assert admin.ask("GET", f"{report_path(served)}/fields/1.jpg")[0] == 200
    for report in ("%2e%2e", "%2e", "..", "."):
        assert admin.ask("GET", f"/reports/{report}/fields/1.jpg")[0] == 404, report


def test_what_one_person_named_and_did_not_sign_is_not_shown_to_another(admin: Client, served: Served) -> None:
    account = {"do": "create", "name": "Bo", "role": "reviewer", "secret": "bo-1234"}
    assert admin.post("/administration/account", account)[0] == 303
    bo = Client(served)
    assert bo.begin("/sign-in", {"name": "Bo", "secret": "bo-1234"}) == 303
    path = report_path(served)
    assert admin.post(f"{path}/draft", '{"do": "name", "cells": [1], "class": "blast"}')[0] == 200
    assert 'class="cell checked"' not in bo.ask("GET", path)[2]
    assert bo.post(f"{path}/draft", '{"do": "undo"}')[0] == 200
    assert 'class="cell checked"' in admin.ask("GET", path)[2]


def test_wrong_pins_make_the_next_try_wait_longer_and_longer(admin: Client, served: Served) -> None:
    stranger = Client(served)
    got = [stranger.post("/sign-in", {"name": NAME, "secret": f"wrong-{n}"})[2] for n in range(5)]
    assert "do not belong together" in got[0]
    waits = [int(found[1]) for text in got if (found := re.search(r"wait (\d+) s", text))]
    assert waits
    # The right one has to wait, too, and a name that does not exist gets the same answer.
    assert stranger.begin("/sign-in", {"name": NAME, "secret": PIN}) == 403
    nobody = [stranger.post("/sign-in", {"name": "nobody", "secret": "x"})[2] for _ in range(5)]
    assert "do not belong together" in nobody[0]
    assert any("wait" in text for text in nobody)


def test_a_wrong_set_up_code_makes_nobody_administrator(served: Served) -> None:
    stranger = Client(served)
    got = [stranger.post("/set-up", {"code": "AAAAAAAA", "name": "Eve", "secret": PIN}) for _ in range(5)]
    assert {status for status, _, _ in got} == {403}
    assert "wait" in got[-1][2]
    assert stranger.post("/sign-in", {"name": "Eve", "secret": PIN})[0] == 303


def test_a_second_administrator_is_not_made_with_the_code(admin: Client, served: Served) -> None:
    stranger = Client(served)
    assert stranger.begin("/set-up", {"code": served.code, "name": "Eve", "secret": PIN}) == 303
    assert stranger.begin("/sign-in", {"name": "Eve", "secret": PIN}) == 403


def test_who_may_not_sign_or_administer_is_refused(admin: Client, served: Served) -> None:
    account = {"do": "create", "name": "Tech", "role": "technician", "secret": "tech-12"}
    assert admin.post("/administration/account", account)[0] == 303
    technician = Client(served)
    assert technician.begin("/sign-in", {"name": "Tech", "secret": "tech-12"}) == 303
    assert technician.ask("GET", "/administration")[0] == 403
    assert technician.post("/administration/account", account | {"name": "Eve"})[0] == 403
    signing = {"do": "sign", "version": "1", "secret": "tech-12"}
    assert technician.post(f"{report_path(served)}/act", signing)[0] == 403


def test_a_signature_needs_the_pin_again_and_it_must_be_ones_own(admin: Client, served: Served) -> None:
    account = {"do": "create", "name": "Bo", "role": "reviewer", "secret": "bo-1234"}
    assert admin.post("/administration/account", account)[0] == 303
    for secret in ("", "wrong-one", "bo-1234"):
        status, _, text = admin.post(f"{report_path(served)}/act", {"do": "sign", "version": "1", "secret": secret})
        assert status == 409
        assert "do not belong together" in text


def test_an_administrator_gives_a_person_a_new_pin_which_ends_that_person_s_sessions(
    signed_in: Page, served: Served
) -> None:
    admin = Client(served)
    assert admin.begin("/sign-in", {"name": NAME, "secret": PIN}) == 303
    account = {"do": "create", "name": "Bo", "role": "reviewer", "secret": "bo-1234"}
    assert admin.post("/administration/account", account)[0] == 303
    bo = Client(served)
    assert bo.begin("/sign-in", {"name": "Bo", "secret": "bo-1234"}) == 303
    signed_in.goto(f"{served.address}/administration")
    row = signed_in.get_by_role("row", name="Bo").first
    row.get_by_label("New PIN or password Bo").fill("bo-5678")
    row.locator("form", has=signed_in.get_by_label("New PIN or password Bo")).get_by_role("button").click()
    expect(signed_in.get_by_role("heading", name="Administration")).to_be_visible()
    assert bo.ask("GET", "/worklist")[0] == 401
    assert bo.begin("/sign-in", {"name": "Bo", "secret": "bo-1234"}) == 403
    assert bo.begin("/sign-in", {"name": "Bo", "secret": "bo-5678"}) == 303
    for wrong in ({"do": "secret", "secret": ""}, {"do": "secret", "secret": "short"}, {"do": "role", "role": "king"}):
        assert admin.post("/administration/account", {"name": "Bo"} | wrong)[0] == 409
    assert bo.ask("GET", "/worklist")[0] == 200


def test_an_administrator_ends_a_session(admin: Client, served: Served) -> None:
    second = Client(served)
    assert second.begin("/sign-in", {"name": NAME, "secret": PIN}) == 303
    digests = re.findall(r'name="digest" value="([0-9a-f]{64})"', admin.ask("GET", "/administration")[2])
    assert len(digests) == 2
    for digest in digests:
        admin.post("/administration/session", {"digest": digest})
    assert second.ask("GET", "/worklist")[0] == 401


def test_a_request_that_is_too_large_is_not_read(admin: Client, served: Served) -> None:
    status, _, _ = admin.post(f"{report_path(served)}/draft", "x" * 2_000_000)
    assert status == 413


def test_a_cell_of_another_report_is_not_named(admin: Client, served: Served) -> None:
    for cells in ("[99]", "[-1]", '["1"]', "{}"):
        body = f'{{"do": "name", "cells": {cells}, "class": "blast"}}'
        assert admin.post(f"{report_path(served)}/draft", body)[0] in (400, 404), cells
    body = '{"do": "name", "cells": [1], "class": "<b>"}'
    assert admin.post(f"{report_path(served)}/draft", body)[0] == 409


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_names_of_specimens_and_remarks_are_never_run(page: Page, served: Served, bench: Path) -> None:
    with Outbox.open(bench.parent / "state" / "outbox.sqlite", owner=False) as outbox:
        make_sample(outbox, SCRIPT[:64], 2)
    client = Client(served)
    client.begin("/set-up", {"code": served.code, "name": NAME, "secret": PIN})
    served.has_account()
    identifier = "00000000-0000-0000-0000-000000000002"
    remark = json.dumps({"do": "remark", "item": "remark/platelets", "text": SCRIPT})
    assert client.post(f"/reports/{identifier}/draft", remark)[0] == 200
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    sign_in(page, served)
    expect(page.locator("tbody")).to_contain_text("<script>")
    page.goto(f"{served.address}/reports/{identifier}")
    expect(page.get_by_label("Platelets")).to_have_value(SCRIPT)
    expect(page.locator("h1")).to_contain_text("<script>")
    assert dialogs == []


def test_the_page_is_not_put_on_the_network_in_the_clear_by_mistake(tmp_path: Path) -> None:
    bench = make_bench(tmp_path)
    bench.write_text(bench.read_text() + 'web = { host = "0.0.0.0" }\n')
    with pytest.raises(SettingsError, match="give certificate and key"):
        page_arguments(bench)


def test_the_guard_lets_nothing_be_asked_of_a_page_without_a_session() -> None:
    reached, got = list[str](), list[Any]()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        await PlainTextResponse("here")(scope, receive, send)

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(event: Any) -> None:
        got.append(event)

    def ask(path: str) -> int:
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        got.clear()
        with ThreadPoolExecutor(1) as beside:
            beside.submit(lambda: asyncio.run(Guard(page, LookUps())(scope, receive, send))).result()
        return int(got[0]["status"])

    assert [ask(path) for path in ("/worklist", "/reports/x/draft", "/bench/state")] == [401, 401, 401]
    assert [ask(path) for path in ("/sign-in", "/static/page.css")] == [200, 200]
    assert reached == ["/sign-in", "/static/page.css"]


class LookUps(Sessions):
    """Whose session it is, in a database that has gone away; notes where it was asked."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def account_of(self, token: str) -> Account | None:
        self.threads.append(threading.get_ident())
        raise OutboxError("the disk is away", "bring it back")


@pytest.mark.parametrize(("path", "status", "look_ups"), [("/static/page.css", 200, 0), ("/worklist", 503, 1)])
def test_a_session_is_looked_up_beside_the_other_requests_and_never_for_a_static_file(
    path: str, status: int, look_ups: int
) -> None:
    sessions, got = LookUps(), list[Any]()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("here")(scope, receive, send)

    async def ask() -> None:
        async def receive() -> Any:
            return {"type": "http.request"}

        async def send(event: Any) -> None:
            got.append(event)

        cookie = (b"cookie", b"leukoscope_session=token")
        scope = {"type": "http", "method": "GET", "path": path, "headers": [cookie], "query_string": b""}
        await Guard(page, sessions)(scope, receive, send)
        loops.append(threading.get_ident())

    loops = list[int]()
    # The browser of other tests has a loop running in this thread.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(ask())).result()
    assert got[0]["status"] == status
    assert len(sessions.threads) == look_ups
    assert not set(loops) & set(sessions.threads)
