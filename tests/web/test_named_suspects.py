"""A suspect in the gallery: what it may be stands below it until a person has named it."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import utc_now
from tests.commands.test_run import write_bench
from tests.messages.examples import IDENTITY, report
from tests.web.made import cells_of, grounds
from tests.web.test_review_on_the_device import open_sample


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """One specimen of two lymphocytes that may be blasts."""
    made = write_bench(tmp_path)
    with Outbox.open(tmp_path / "state" / "outbox.sqlite") as outbox:
        cells = [replace(cell, suspect=("blast",)) for cell in cells_of({"lymphocyte": 2})]
        counted = replace(report(), version=1, sample_id="S-17", suspects=2)
        record(counted, outbox, IDENTITY, now=utc_now, cells=cells, grounds=grounds().to_json())
    return made


def test_a_suspect_that_a_person_has_named_asks_no_question_any_more(signed_in: Page) -> None:
    open_sample(signed_in)
    expect(signed_in.locator(".cell .likely:visible")).to_have_text(["blast?", "blast?"])
    expect(signed_in.locator(".cell:focus")).to_be_visible()
    signed_in.keyboard.press("b")
    expect(signed_in.locator(".cell.checked .label")).to_have_text("blast")
    expect(signed_in.locator(".cell .likely:visible")).to_have_text(["blast?"])
