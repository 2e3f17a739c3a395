"""The two formats for people: the same numbers, one page, and loud where a result must not be trusted."""

import dataclasses
import html
import io
import itertools
import re
import sys
from typing import Any
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from reportlab.pdfbase.pdfmetrics import stringWidth

from leukoscope.errors import ExportError
from leukoscope.exporting.drawing import INK, Drawing, Words
from leukoscope.exporting.fhir import as_fhir
from leukoscope.exporting.original import Signature
from leukoscope.exporting.page import as_html
from leukoscope.exporting.paper import Paper
from leukoscope.exporting.pdf import as_pdf
from leukoscope.exporting.quantities import quantities_of
from leukoscope.exporting.rendering import as_svg
from leukoscope.exporting.report_pictures import Gallery
from leukoscope.exporting.report_words import in_words
from leukoscope.exporting.table import as_csv
from leukoscope.specimen.sample import (
    Certainty,
    ClassCount,
    CorrectedDifferential,
    CorrectedShare,
    Finding,
    RedCells,
    SampleReport,
    Source,
)
from tests.exporting.stored import blood, gallery, marrow, original, picture
from tests.messages.examples import NOW, PROVENANCE

NOTHING = Gallery()


def pdf_text(message: SampleReport | None = None, pictures: Gallery = NOTHING) -> str:
    read = PdfReader(io.BytesIO(as_pdf(original(message), pictures)))
    (page,) = read.pages
    assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
    return " ".join(page.extract_text().split())


def html_text(message: SampleReport | None = None, pictures: Gallery = NOTHING) -> str:
    page = as_html(original(message), pictures)
    body = page.partition("</style>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


TEXTS = pytest.mark.parametrize("text_of", [pdf_text, html_text], ids=["pdf", "html"])


@TEXTS
@pytest.mark.parametrize("message", [blood(), marrow()], ids=["blood", "marrow"])
def test_every_number_is_on_the_page(text_of: Any, message: SampleReport) -> None:
    text = text_of(message)
    for one in quantities_of(message):
        if one.of != "fields" or one.name == "area":
            assert in_words(one).partition(" per ")[0].partition(" cells")[0] in text, one
    assert "40 counted, 2 refused" in text


@pytest.mark.parametrize("form", ["fhir", "csv", "html", "pdf"])
def test_no_format_calls_the_cells_of_marrow_white(form: str) -> None:
    message = original(
        marrow(
            white_cells=0,
            differential_corrected=None,
            not_corrected_because="no marrow cells were counted",
            findings=(),
        )
    )
    texts = {
        "fhir": lambda: as_fhir(message),
        "csv": lambda: as_csv(message),
        "html": lambda: html_text(message.report),
        "pdf": lambda: pdf_text(message.report),
    }
    text = texts[form]()
    assert "marrow cells" in text.lower()
    assert "white cell" not in text.lower()


@TEXTS
def test_findings_provenance_and_what_it_is_not_are_on_the_page(text_of: Any) -> None:
    text = text_of()
    assert "Fewer than 200 white cells were counted." in text
    assert "bench-2026-01" in text
    assert "leukocyte 1.0.0" in text
    assert "Screens and counts; it does not diagnose." in text
    assert "Preliminary" in text


@TEXTS
def test_simulated_and_nominal_are_said_loudly_and_only_then(text_of: Any) -> None:
    trusted = dataclasses.replace(PROVENANCE, source=Source.LIVE, clock_synchronised=True)
    doubtful = dataclasses.replace(PROVENANCE, calibration_measured=False, clock_synchronised=False)
    loud = ("SIMULATED", "NOMINAL CALIBRATION", "CLOCK NOT SYNCHRONISED")
    assert all(decision in text_of(blood(provenance=doubtful)) for decision in loud)
    assert not any(decision in text_of(blood(provenance=trusted)) for decision in loud)


@TEXTS
def test_a_report_without_cells_says_unknown_and_never_zero_percent(text_of: Any) -> None:
    empty = blood(
        white_cells=0,
        differential_corrected=None,
        not_corrected_because="no white cells were counted",
        red_cells=RedCells(0, None, None, None),
        wbc_per_1000_rbc=None,
        findings=(),
    )
    text = text_of(empty)
    assert "unknown" in text
    assert "0.0 % (" not in text.partition("Beside")[0]
    assert "no white cells were counted" in text


@TEXTS
def test_the_specimen_is_never_shortened(text_of: Any) -> None:
    name = "a-specimen-with-a-name-" + "0123456789" * 12
    assert name in text_of(blood(sample_id=name)).replace(" ", "")


def test_who_signed_stands_beside_the_status() -> None:
    signed = dataclasses.replace(original(status="final"), signature=Signature("A. Technician", NOW))
    message = "Reviewed and signed. A. Technician, 2026-03-04"
    assert message in as_html(signed, NOTHING)
    text = PdfReader(io.BytesIO(as_pdf(signed, NOTHING))).pages[0].extract_text()
    assert message in " ".join(text.split())


@TEXTS
def test_pictures_stand_under_the_names_of_their_class(text_of: Any) -> None:
    assert "Cells, as they were named" in text_of(pictures=gallery())
    assert "Cells, as they were named" not in text_of()


@TEXTS
def test_pictures_come_in_the_order_of_the_differential(text_of: Any) -> None:
    shuffled = Gallery({"smudge": [picture()], "lymphocyte": [picture("blue", kind="WEBP")], "segmented": [picture()]})
    names = text_of(pictures=shuffled).partition("as they were named")[2]
    assert names.index("Segmented") < names.index("Lymphocytes") < names.index("Smudge")


def test_each_kind_of_picture_is_called_what_it_is() -> None:
    page = as_html(original(), Gallery({"blast": [picture(kind=kind) for kind in ("PNG", "JPEG", "WEBP")]}))
    assert re.findall(r"data:image/(\w+);", page) == ["png", "jpeg", "webp"]


def test_a_pdf_holds_the_pictures_there_is_room_for() -> None:
    read = PdfReader(io.BytesIO(as_pdf(original(), gallery())))
    # Nine equal pictures are one object in the file.
    assert 1 <= len(read.pages[0].images) <= 7


def test_a_pdf_shows_a_picture_of_every_class_before_many_of_the_first() -> None:
    classes = ["segmented", "blast", "lymphocyte", "never_heard_of", "erythroblast", "smudge", "unsure"]
    colours = ["red", "blue", "green", "purple", "orange", "black", "grey"]
    pictures = {
        name: [picture(colour, 20 + n) for n in range(9)] for name, colour in zip(classes, colours, strict=True)
    }
    names = pdf_text(blood(), Gallery(pictures)).partition("as they were named")[2]
    assert all(
        decision in names for decision in ("Segmented", "Blasts", "Lymphocytes", "Erythroblasts", "Smudge", "Not named")
    )


def test_a_pdf_says_how_many_classes_have_pictures_that_it_does_not_show() -> None:
    many = Gallery({f"class_{letter}": [picture(side=20 + n)] for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz")})
    lines = tuple(ClassCount(name, 1, 0.05, 0.0, 0.1, 0) for name in list(many.cells)[:16])
    message = pdf_text(blood(differential=lines, differential_corrected=None), many)
    assert re.search(r"as they were named; \d+ more classes are in the HTML", message)


def test_no_two_texts_on_a_line_of_the_pdf_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A count of 4 beside a share of 100.0 % once read as 4100.0 %."""
    drawn: list[tuple[float, float, float, str]] = []
    text = Paper.text

    def noted(paper: Paper, x: float, y: float, words: str, size: float, colour: str = INK, **how: Any) -> None:
        text(paper, x, y, words, size, colour, **how)
        wide = stringWidth(words, "Helvetica-Bold" if how.get("bold") else "Helvetica", size)
        left = {"right": x - wide, "centre": x - wide / 2}.get(how.get("side", "left"), x)
        drawn.append((y, left, left + wide, words))

    monkeypatch.setattr(Paper, "text", noted)
    lines = (
        ClassCount("segmented", 1000, 1.0, 0.398, 1.0, 12),
        ClassCount("eosinophil", 0, 0.0, 0.0, 0.602, 0),
        ClassCount("basophil", 0, 0.0, 0.0, 0.602, 0),
    )
    shares = tuple(CorrectedShare(line.cell_class, line.share, line.low, line.high, 300) for line in lines)
    corrected = CorrectedDifferential("as a test would", 0.0625, shares, ())
    for one in (corrected, None):
        drawn.clear()
        as_pdf(original(blood(differential=lines, differential_corrected=one)), NOTHING)
        written = sorted(each for each in drawn if each[3])
        touching = [
            (before[3], after[3])
            for before, after in itertools.pairwise(written)
            if before[0] == after[0] and after[1] < before[2] + 2
        ]
        assert touching == []


def test_many_classes_and_findings_stay_on_one_page_and_what_is_left_out_is_told() -> None:
    lines = tuple(ClassCount(f"class_{number}", number, 0.02, 0.0, 0.1, 0) for number in range(60))
    findings = tuple(Finding(f"f{n}", f"finding {n} " + "in many words " * 9, Certainty.LIKELY) for n in range(60))
    text = pdf_text(blood(differential=lines, differential_corrected=None, findings=findings))
    assert "38 smaller classes are not shown here" in text
    assert "Class 59s" in text
    assert re.search(r"\d+ more are in the CSV and in FHIR", text)


def test_the_same_report_is_the_same_file() -> None:
    assert as_pdf(original(), gallery()) == as_pdf(original(), gallery())


def test_the_page_needs_nothing_from_outside() -> None:
    page = as_html(original(), gallery())
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert "url(" not in page


SCRIPT = "<script>alert('1')</script>\"&"


def page_saying(text: str) -> str:
    """A page on which every text that comes from outside is this one."""
    report = blood(
        sample_id=text,
        differential=(ClassCount(text, 3, 0.05, 0.0, 0.1, 0),),
        differential_corrected=None,
        not_corrected_because=text,
        beside={text: 2},
        findings=(Finding("f", text, Certainty.LIKELY),),
        provenance=dataclasses.replace(PROVENANCE, device=text, calibration_id=text),
    )
    signed = dataclasses.replace(original(report, status="final"), signature=Signature(text, NOW))
    return as_html(signed, Gallery({text: [picture()]}))


def tags_of(page: str) -> list[str]:
    return re.findall(r"</?\w+", page)


def test_words_from_outside_cannot_become_markup() -> None:
    page = page_saying(SCRIPT)
    assert tags_of(page) == tags_of(page_saying("plain"))
    body = re.sub(r"<[^>]*>", " ", page.partition("</style>")[2])
    assert html.unescape(body).lower().count(SCRIPT) >= 8


def test_a_drawing_cannot_become_markup_either() -> None:
    drawing = Drawing(9, 9, (Words(1, 2, SCRIPT, 6.5),), SCRIPT)
    svg = ElementTree.fromstring(as_svg(drawing))
    assert svg.get("aria-label") == SCRIPT
    assert [text.text for text in svg] == [SCRIPT]


def test_without_reportlab_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.pdfgen.canvas", None)
    with pytest.raises(ExportError, match=r"leukoscope\[export\]"):
        as_pdf(original(), NOTHING)
