"""How the instrument did over the days, drawn by the server; by keyboard, on a phone and without a script."""

from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from leukoscope.quality_control.history import History
from leukoscope.quality_control.run_record import SAMPLES, Kind, Run
from leukoscope.system.clock import utc_now
from leukoscope.web.trend_charts import HEIGHT, WIDTH, charts_of
from tests.web.conftest import WCAG_22, Served, sign_in
from tests.web.made import make_bench

LAMP = [200.0 + number % 3 for number in range(25)] + [120.0]


def runs_of(lamp: list[float]) -> list[Run]:
    """One a day, the newest today."""
    now = utc_now()
    return [
        Run(
            now - timedelta(days=len(lamp) - 1 - number), Kind.SAMPLE, SAMPLES, str(number),
            measures={"background_level": value, "sharpness": 0.4}, classes={"lymphocyte": 0.3},
        )
        for number, value in enumerate(lamp)
    ]  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    made = make_bench(tmp_path)
    kept = History(tmp_path / "state")
    for run in runs_of(LAMP):
        kept.add(run)
    return made


def test_a_lamp_that_fails_is_seen_with_its_limits_and_days(signed_in: Page, served: Served) -> None:
    page = signed_in
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Trend":
            break
    page.keyboard.press("Enter")
    lamp = page.locator("figure", has_text="Lamp level")
    expect(lamp.locator("figcaption")).to_contain_text("120 of 255, expected 199 to 203")
    expect(lamp.locator("figcaption")).to_contain_text("out of its limits (1-3s)")
    expect(lamp.locator("circle")).to_have_count(len(LAMP))
    expect(lamp.locator("circle.out")).to_have_count(1)
    expect(page.locator("figure", has_text="Share of lymphocyte")).to_be_visible()
    assert Axe().run(page, options=WCAG_22).response["violations"] == []
    week = page.get_by_role("link", name="7 days")
    week.focus()
    page.keyboard.press("Enter")
    expect(lamp.locator("circle")).to_have_count(7)
    expect(lamp.locator(".band")).to_have_count(2)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, locale="fr")
    plain = context.new_page()
    sign_in_french(plain, served)
    plain.goto(f"{served.address}/trend?days=nonsense")
    expect(plain.locator("figure", has_text="Niveau de la lampe")).to_be_visible()
    context.close()
    assert page.request.get(f"{served.address}/trend").status == 200
    page.context.clear_cookies()
    answer = page.request.get(f"{served.address}/trend", headers={"accept": "application/json"})
    assert answer.status == 401


def sign_in_french(page: Page, served: Served) -> None:
    page.goto(f"{served.address}/sign-in")
    page.get_by_role("button", name="English").click()
    sign_in(page, served)
    page.get_by_role("button", name="Français").click()


def test_marks_lie_in_the_drawing_in_the_order_of_time_and_a_measure_without_runs_has_no_chart() -> None:
    runs = runs_of(LAMP)
    (samples,) = charts_of(runs, None)
    for chart in samples.charts:
        xs = [mark.x for mark in chart.marks]
        assert xs == sorted(xs)
        assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)
    assert [chart.title for chart in samples.charts] == ["Lamp level", "Sharpness", ""]
    assert charts_of(runs, utc_now() + timedelta(days=1)) == []
    assert charts_of([], None) == []
    (alone,) = charts_of(runs[:1], None)
    assert alone.charts[0].expected is None
    # What one run measured is drawn amid values that it can take.
    assert [(chart.low, chart.high) for chart in alone.charts] == [("180", "220"), ("0.360", "0.440"), ("0.27", "0.33")]
    # Limits rest on all runs, also where the drawing begins later.
    (lately,) = charts_of(runs, utc_now() - timedelta(days=3, hours=1))
    assert lately.charts[0].expected == samples.charts[0].expected
    assert len(lately.charts[0].marks) == 4
