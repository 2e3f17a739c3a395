"""Every sentence of the page is in each language."""

import ast
import re
from pathlib import Path

import polib  # type: ignore[import-untyped]
import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from leukoscope.reviewing import signing_rule
from leukoscope.reviewing.signing_rule import MEANING
from leukoscope.sentence import Sentence
from leukoscope.specimen.lifecycle import Status
from leukoscope.web.accounts import Role
from leukoscope.web.page_server import STATIC
from leukoscope.web.reports import GoneError
from leukoscope.web.words import PageLanguage, catalogue, error_in, said_in, translate
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
def test_every_sentence_is_there_with_its_fields(language: PageLanguage) -> None:
    known = catalogue(language)
    assert sentences() - set(known) == set()
    assert {
        english for english, message in known.items() if _FIELD.findall(english) != _FIELD.findall(message)
    } == set()


@pytest.mark.parametrize("language", ["fr", "es"])
def test_gettext_reads_a_catalogue_as_we_do(language: PageLanguage) -> None:
    file = Path(STATIC.parent / "languages" / f"{language}.po")
    entries = {one.msgid: one.msgstr for one in polib.pofile(str(file))}
    assert entries == catalogue(language)


def test_fields_are_filled_in() -> None:
    assert translate("es", "{total} reports", total=3) == "3 informes"
    assert translate("en", "{total} reports", total=3) == "3 reports"


def sentences_of_code() -> set[str]:
    """Ids of the sentences that the page's own rooms and the rule of signing put together."""
    files = [*STATIC.parent.rglob("*.py"), Path(signing_rule.__file__)]
    calls = [
        node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Sentence"]
    return {str(call.args[0].value) for call in named if isinstance(call.args[0], ast.Constant)}


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_sentence_that_the_code_puts_together_is_there(language: PageLanguage) -> None:
    asked = sentences_of_code()
    assert len(asked) > 10
    assert asked - set(catalogue(language)) == set()


def test_a_finding_is_said_in_the_language_of_the_person() -> None:
    limit = Sentence("platelets above {limit} per 1000 red cells", limit=40)
    found = limit.and_also(" ({certainty}): {value}", certainty="likely", value=55)
    assert said_in("fr", found) == "plaquettes au-dessus de 40 pour 1000 globules rouges (probable) : 55"
    assert said_in("en", found) == found


def test_a_refusal_is_said_in_the_language_of_the_person() -> None:
    refused = GoneError(Sentence("this report has no cell {number}", number=7), "load the page again")
    assert error_in("es", refused) == "este informe no tiene la célula 7: cargue la página de nuevo"
    assert error_in("en", refused) == str(refused)
