"""What a laboratory asks of the printed page: its name, its ranges, who signed, and the cells that were pointed out."""

import dataclasses
import io
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from pydantic import ValidationError
from pypdf import PdfReader

from leukoscope.exporting.kept_cells import OutboxPictures
from leukoscope.exporting.laboratory import ADULTS_SOURCE, LaboratorySettings, range_words
from leukoscope.exporting.original import Original, Signature
from leukoscope.exporting.page import as_html
from leukoscope.exporting.pdf import as_pdf
from leukoscope.exporting.report_pictures import SUSPECTS, Gallery
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.store import Outbox
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.lifecycle import Life
from leukoscope.specimen.sample import ClassCount, SampleReport
from tests.exporting.stored import blood, gallery, marrow, original, picture
from tests.exporting.test_pages import TEXTS, html_text, pdf_text
from tests.messages.examples import IDENTITY, NOW

OURS = LaboratorySettings(
    name="Ward 3 Haematology",
    address="1 Main Street",
    reference={"segmented": (41.5, 73)},
    reference_source="our donors, 2026",
)
POINTED_OUT = Gallery({"segmented": [picture()] * 9, "blast": [picture("blue")] * 2, SUSPECTS: [picture("red")] * 3})


def printed(one: Original, laboratory: LaboratorySettings) -> tuple[str, str]:
    """The text of HTML and PDF."""
    pages = PdfReader(io.BytesIO(as_pdf(one, gallery(), laboratory))).pages
    return as_html(one, gallery(), laboratory), " ".join(" ".join(page.extract_text() for page in pages).split())


def test_a_laboratorys_name_and_ranges_stand_on_both_pages() -> None:
    for page in printed(original(), OURS):
        for words in ("Ward 3 Haematology", "1 Main Street", "41.5–73 %", "our donors, 2026"):
            assert words in page
        assert ADULTS_SOURCE not in page


@TEXTS
def test_without_settings_blood_is_held_against_adults_and_marrow_against_nothing(text_of: object) -> None:
    assert callable(text_of)
    assert "40–60 %" in text_of(blood())
    assert ADULTS_SOURCE in text_of(blood())
    assert "Laboratory" in text_of(blood())
    assert "eference" not in text_of(marrow())


def test_ranges_need_a_source_and_an_order() -> None:
    with pytest.raises(ValidationError, match="reference_source"):
        LaboratorySettings(reference={"blast": (0, 0)})
    with pytest.raises(ValidationError, match="expected low before high"):
        LaboratorySettings(reference={"blast": (2, 0)}, reference_source="ours")
    assert (range_words((0, 0)), range_words(None)) == ("0 %", "")


def test_who_signed_stands_on_the_line_and_an_unsigned_report_leaves_it_free() -> None:
    signed = dataclasses.replace(original(status="final"), signature=Signature("A. Technician", NOW))
    for page in printed(signed, OURS):
        assert "Signed by" in page
        assert "Reviewed by" not in page
    for page in printed(original(), OURS):
        assert "Reviewed by" in page
        assert "Signature" in page


@TEXTS
@pytest.mark.parametrize(("seen", "words"), [(None, "0 of 107 cells looked at."), (12, "12 of 107 cells looked at.")])
def test_how_many_cells_were_looked_at_is_said(text_of: object, seen: int | None, words: str) -> None:
    assert callable(text_of)
    assert words in text_of(blood(life=Life(cells_looked_at=seen)))


@TEXTS
def test_a_report_without_correction_has_no_empty_column_for_it(text_of: object) -> None:
    assert callable(text_of)
    bare = blood(differential_corrected=None, not_corrected_because="too few cells")
    assert "orrected (95" in text_of(blood())
    assert "orrected (95" not in text_of(bare)
    assert "corrected for naming errors, 95" not in text_of(bare)


def test_blasts_and_suspects_come_first_and_all_of_them_in_both() -> None:
    html, pdf = html_text(pictures=POINTED_OUT), pdf_text(pictures=POINTED_OUT)
    for text in (html, pdf):
        names = text.partition("as they were named")[2]
        assert names.index("Blasts") < names.index("Suspects") < names.index("Segmented")
    assert as_html(original(), POINTED_OUT).count('class="pointed-out"') == 2


def test_a_full_sheet_puts_what_is_pointed_out_on_another() -> None:
    lines = tuple(ClassCount(f"class_{number}", number, 0.02, 0.0, 0.1, 0) for number in range(60))
    crowded = original(blood(differential=lines, differential_corrected=None))
    for pictures, sheets in ((POINTED_OUT, 2), (Gallery({"segmented": [picture()]}), 1)):
        pages = PdfReader(io.BytesIO(as_pdf(crowded, pictures))).pages
        assert len(pages) == sheets
    second = PdfReader(io.BytesIO(as_pdf(crowded, POINTED_OUT))).pages[1].extract_text()
    # Not cut to the width of its pictures.
    assert "Suspects: may be blasts, not named so" in second
    assert "continued" in second
    assert "Blasts" in second


def test_suspects_are_kept_apart_from_the_class_they_were_named(tmp_path: Path) -> None:
    report: SampleReport = blood()
    webp = picture(kind="WEBP")
    one = CellPicture(webp, 20, 20, 0.1)
    cells = [
        (CellRecord(1, 1, "lymphocyte", 0.6, (0, 0, 9, 9), ("blast",)), one),
        (CellRecord(2, 1, "lymphocyte", 0.9, (20, 0, 29, 9)), one),
    ]
    path = tmp_path / "outbox.sqlite"
    with Outbox.open(path) as outbox:
        keep_pictures(report, cells, outbox, IDENTITY, now=lambda: NOW)
    kept = OutboxPictures(path).by_class(report.id, report.version)
    assert {name: len(pictures) for name, pictures in kept.items()} == {SUSPECTS: 1, "lymphocyte": 1}


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_is_no_wider_than_a_phone_and_prints_on_one_sheet(
    tmp_path: Path, browser: Browser, width: int
) -> None:
    path = tmp_path / "report.html"
    path.write_text(as_html(original(), POINTED_OUT, OURS))
    with closing(browser.new_page(viewport={"width": width, "height": 800})) as page:
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sheet = page.pdf(prefer_css_page_size=True)
    assert len(PdfReader(io.BytesIO(sheet)).pages) == 1
