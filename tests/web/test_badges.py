"""A person comes in and signs by the badge that the scanner reads, and the PIN."""

from playwright.sync_api import Page, expect

from tests.web.conftest import NAME, PIN, Served
from tests.web.test_review_on_the_device import decide_everything, look_at_everything, open_sample

BADGE, OTHER = "*0004711*", "*0000815*"


def scan(page: Page, badge: str) -> None:
    """As a scanner does: it types, and presses Enter."""
    page.keyboard.type(badge)
    page.keyboard.press("Enter")


def test_a_scanned_badge_and_a_pin_sign_in_and_sign(signed_in: Page, served: Served) -> None:
    page = signed_in
    page.goto(f"{served.address}/administration")
    page.get_by_label(f"New badge {NAME}").focus()
    scan(page, BADGE)
    expect(page.get_by_role("row", name=NAME).first).to_be_visible()
    page.request.post(
        f"{served.address}/administration/account",
        form={"do": "create", "name": "Bo", "role": "reviewer", "secret": PIN, "badge": OTHER},
        headers={"origin": served.address},
    )
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Name or badge")).to_be_focused()
    # The field of the name has the focus; Enter of the scanner goes on to the PIN, for the form is not complete.
    scan(page, BADGE)
    expect(page).to_have_url(f"{served.address}/sign-in")
    page.get_by_label("PIN or password").focus()
    scan(page, PIN)
    expect(page.locator("form.who")).to_contain_text(f"{NAME} administrator")
    open_sample(page)
    decide_everything(page)
    look_at_everything(page)
    badge = page.get_by_label("Your badge or name")
    expect(badge).to_have_value(NAME)
    badge.fill("")
    scan(page, OTHER)
    page.get_by_label("PIN or password again").focus()
    scan(page, PIN)
    expect(page.locator("p.alert")).to_contain_text("another person's badge")
    page.get_by_label("Your badge or name").fill("")
    scan(page, BADGE)
    page.get_by_label("PIN or password again").focus()
    scan(page, PIN)
    expect(page.locator("main")).to_contain_text("final")
    expect(page.locator(".history")).to_contain_text(NAME)
