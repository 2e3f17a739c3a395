"""Every sentence of the page is in each language."""

import re
from pathlib import Path

import polib  # type: ignore[import-untyped]
import pytest

from leukoscope.reviewing.signing_rule import MEANING
from leukoscope.specimen.lifecycle import Status
from leukoscope.web.accounts import Role
from leukoscope.web.page_server import STATIC
from leukoscope.web.words import catalogue, translate
from tests.web.made import grounds

TEMPLATES = STATIC.parent / "templates"
_FIELD = re.compile(r"\{\w+\}")


def sentences() -> set[str]:
    message = {MEANING, *(one.value for one in (*Status, *Role)), "unsure"}
    message |= {one.key.replace("_", " ") for one in grounds().naming.classes}
    message |= {f"reports: {state}" for state in ("open", "signed", "all")}
    for template in TEMPLATES.glob("*.html"):
        message |= set(re.findall(r"_\('([^']+)'", template.read_text()))
    return message - {"reports: "}


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_sentence_is_there_with_its_fields(language: str) -> None:
    known = catalogue(language)
    assert sentences() - set(known) == set()
    assert {
        english for english, message in known.items() if _FIELD.findall(english) != _FIELD.findall(message)
    } == set()


@pytest.mark.parametrize("language", ["fr", "es"])
def test_gettext_reads_a_catalogue_as_we_do(language: str) -> None:
    file = Path(STATIC.parent / "languages" / f"{language}.po")
    entries = {one.msgid: one.msgstr for one in polib.pofile(str(file))}
    assert entries == catalogue(language)


def test_fields_are_filled_in() -> None:
    assert translate("es", "{total} reports", total=3) == "3 informes"
    assert translate("en", "{total} reports", total=3) == "3 reports"
