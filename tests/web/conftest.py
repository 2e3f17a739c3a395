"""The page of a bench that has counted, served as a process, and a real Chromium."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from leukoscope.cli.web import page_arguments
from tests.web.made import make_bench

NAME, PIN = "Dr. Ada", "4711-ada"
WCAG_22 = {"rules": {"target-size": {"enabled": True}}}
"""Options of axe: it leaves the rule that WCAG 2.2 added out by itself."""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A bench that has counted one sample and kept a picture of each white cell."""
    return make_bench(tmp_path)


@dataclass
class Served:
    """The page as a process of its own."""

    bench: Path
    port: int = 0
    address: str = ""
    code: str = ""
    process: "subprocess.Popen[str] | None" = field(default=None)

    def start(self) -> "Served":
        """Start, on the port of before where there was one."""
        with (self.bench.parent / "web.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "leukoscope.web", page_arguments(self.bench, self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line + (self.bench.parent / "web.log").read_text()
        self.address, self.port = found[0].rstrip("/"), int(found[1])
        if not (self.bench.parent / "state" / "has-account").exists():
            self.code = self.process.stdout.readline().split()[-1]
        return self

    def kill(self) -> None:
        """As a power cut ends it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def has_account(self) -> None:
        """The next start prints no code."""
        (self.bench.parent / "state" / "has-account").touch()


@pytest.fixture
def served(bench: Path) -> Iterator[Served]:
    """The page of the bench."""
    page = Served(bench).start()
    yield page
    page.kill()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """A browser of its own; a script's error or a request that leaves the machine fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    opened.on(
        "request", lambda asked: None if asked.url.startswith(served.address) else wrong.append(f"left: {asked.url}")
    )
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def signed_in(page: Page, served: Served) -> Page:
    """The first administrator, made with the code that the device shows."""
    set_up(page, served)
    return page


def set_up(page: Page, served: Served) -> None:
    page.goto(served.address)
    page.get_by_label("Code").fill(served.code)
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("PIN or password").fill(PIN)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/worklist")
    served.has_account()


def sign_in(page: Page, served: Served, name: str = NAME, pin: str = PIN) -> None:
    page.goto(f"{served.address}/sign-in")
    page.get_by_label("Name or badge").fill(name)
    page.get_by_label("PIN or password").fill(pin)
    page.get_by_role("button", name="Sign in").click()
