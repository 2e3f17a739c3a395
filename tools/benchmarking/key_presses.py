"""A review in a real Chromium: how many keys it takes, and how long a person waits for what is drawn."""

import shutil
import time
from dataclasses import dataclass

from playwright.sync_api import Page, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_PATIENCE_MS = 120_000
_LOOK_MS = 1500
_NAME_AS, _ACCEPT_KEY = "lymphocyte", " "
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(frozen=True, slots=True)
class DrawnReview:
    """What a person at the keyboard does and waits for."""

    decided: int
    """Cells that awaited a decision."""
    presses: int
    """Every key from the open report to the signature, PIN included."""
    worklist_ms: float
    """From the address to the page with all that it loads."""
    gallery_ms: float
    """Likewise, with the pictures that are in view."""
    key_ms: tuple[float, ...]
    """From each key to counts that are drawn anew, in order of time taken."""


class Keyboard:
    """Counts what is pressed."""

    def __init__(self, page: Page) -> None:
        self._page, self.presses = page, 0

    def press(self, key: str) -> None:
        """One key."""
        self._page.keyboard.press(key)
        self.presses += 1

    def type(self, text: str) -> None:
        """One key for each sign."""
        for sign in text:
            self.press(sign)


def set_up(page: Page, address: str, code: str, name: str, pin: str) -> None:
    """Make the first account, with the code that the device or the centre shows; ends on the worklist."""
    page.goto(address)
    page.get_by_label("Code").fill(code)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("PIN or password").fill(pin)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/worklist")


def review_by_keys(address: str, report: str, name: str, pin: str) -> DrawnReview:
    """Decide every cell that awaits it, look at every class, and sign; no mouse.

    Args:
        address: of a page on which the person has an account.
        report: id of a report that no person has signed.
        name: of the person.
        pin: the person's.
    """
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(f"{address}/sign-in")
        page.get_by_label("Name or badge").fill(name)
        page.get_by_label("PIN or password").fill(pin)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/worklist")
        worklist_ms = _load_ms(page, f"{address}/worklist")
        gallery_ms = _load_ms(page, f"{address}/reports/{report}")
        key_ms, presses = sign_by_keys(page, pin)
        expect(page.locator("main")).to_contain_text("final")
        browser.close()
    return DrawnReview(len(key_ms), presses, worklist_ms, gallery_ms, tuple(sorted(key_ms)))


def sign_by_keys(page: Page, pin: str) -> tuple[list[float], int]:
    """Decide every cell that awaits it, bring each class on the screen and sign.

    Args:
        page: with a report that no person has signed.
        pin: of who is signed in.

    Returns:
        Milliseconds from each deciding key to new counts, and how many keys were pressed in all.
    """
    keyboard, key_ms = Keyboard(page), list[float]()
    naming_key = page.locator(f'[data-name-as="{_NAME_AS}"] kbd').inner_text()
    while page.locator(".cell.awaits").count():
        key = naming_key if len(key_ms) % 3 else _ACCEPT_KEY
        key_ms.append(_to_new_counts_ms(page, keyboard, key))
    left = page.locator("#left")
    # The last decision has brought the first of the classes that were not opened to the top; `n` brings the next.
    page.wait_for_timeout(_LOOK_MS)
    while "not opened" in left.inner_text():
        keyboard.press("n")
        # As long as an eye needs, and the page until it knows.
        page.wait_for_timeout(_LOOK_MS)
    keyboard.press("s")
    keyboard.type(pin)
    keyboard.press("Enter")
    return key_ms, keyboard.presses


def _load_ms(page: Page, address: str) -> float:
    """The median of five."""
    took = []
    for _ in range(5):
        page.goto(address, wait_until="load")
        while not (loaded_ms := float(page.evaluate(_LOADED))):
            page.wait_for_timeout(10)
        took.append(loaded_ms)
    return sorted(took)[2]


def _to_new_counts_ms(page: Page, keyboard: Keyboard, key: str) -> float:
    page.evaluate(
        """() => { window.drawn = null; const counts = document.getElementById("counts");
        const watch = new MutationObserver(() => { watch.disconnect(); window.drawn = performance.now(); });
        watch.observe(counts, { childList: true });
        document.addEventListener("keydown", () => { window.pressed = performance.now(); },
          { once: true, capture: true }); }"""
    )
    keyboard.press(key)
    ends = time.monotonic() + _PATIENCE_MS / 1000
    while (took := page.evaluate("window.drawn && window.drawn - window.pressed")) is None:
        if time.monotonic() > ends:
            raise SystemExit("a key led to no new counts")
        page.wait_for_timeout(10)
    return float(took)
