"""Every sentence of the page is in each language."""

import re
from pathlib import Path

import polib  # type: ignore[import-untyped]
import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast

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
        # As gettext's tools find them; an id that is put together while the page is made is None.
        found = extract_from_ast(Environment().parse(template.read_text("utf-8")), ["_"], babel_style=False)
        message |= {one for _, _, ids in found for one in ids if one is not None}
    return message


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
