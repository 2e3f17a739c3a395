"""Every sentence of the page is in each language."""

import ast
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

import polib  # type: ignore[import-untyped]
import pytest
from jinja2 import Environment
from jinja2.ext import extract_from_ast

import leukoscope_collector.web
from leukoscope import adapting, doctor
from leukoscope.bundles import installing
from leukoscope.cli import bundle_commands
from leukoscope.displays.state import Hint
from leukoscope.outbox import report_copies
from leukoscope.reviewing import missed_cells, review, signing_rule
from leukoscope.reviewing.signing_rule import MEANING
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.service import remote_commands
from leukoscope.specimen.lifecycle import Status
from leukoscope.web.accounts import Role
from leukoscope.web.kept_texts import kept, read
from leukoscope.web.page_server import STATIC
from leukoscope.web.pages.bench_page import HINTS
from leukoscope.web.reports import GoneError
from leukoscope.web.words import PageLanguage, catalogue, class_in, error_in, said_in, translate
from tests.web.made import grounds

TEMPLATES = STATIC.parent / "templates"
_FIELD = re.compile(r"\{\w+\}")


def sentences() -> set[str]:
    message = {MEANING, *(one.value for one in (*Status, *Role)), "unsure"}
    message |= {class_in("en", one.key) for one in grounds().naming.classes}
    message |= {f"{state} reports" for state in ("open", "signed", "all")}
    message |= set(HINTS.values())
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


def test_the_page_knows_what_to_do_about_whatever_the_bench_hints_at() -> None:
    assert HINTS.keys() == {one.value for one in Hint}


def test_fields_are_filled_in() -> None:
    assert translate("es", "{total} reports", total=3) == "3 informes"
    assert translate("en", "{total} reports", total=3) == "3 reports"


ROOMS = (*STATIC.parent.rglob("*.py"), *Path(str(leukoscope_collector.web.__file__)).parent.glob("*.py"))
STEPS = tuple(Path(str(one.__file__)) for one in (missed_cells, review, signing_rule))
BESIDE = (
    *(file for room in (adapting, doctor) for file in Path(str(room.__file__)).parent.glob("*.py")),
    *(Path(str(one.__file__)) for one in (bundle_commands, installing, remote_commands, report_copies)),
)
"""What the processes beside the page say: the doctor, a fit, bundles put in force, and commands that the bench took."""
AT_THE_DESK = {"support_file.py", "left_out.py", "settings_in_force.py"}
FOLDERS_ONLY = {"named_in_folder", "pictures_below", "to_itself"}
"""Functions that no fit of a bench's own cells comes to."""
AT_THE_START = {"__main__.py", "server.py", "own_commands.py"}
"""What these say stands where the page was started, or in the log."""


def trees_of(files: Iterable[Path]) -> list[ast.Module]:
    return [ast.parse(file.read_text("utf-8")) for file in files]


def calls_in(trees: Iterable[ast.AST]) -> list[ast.Call]:
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name)]


def calls_of_code() -> list[ast.Call]:
    """Those of the page's own rooms, there and at the centre, and of the steps that a page takes."""
    return calls_in(trees_of(file for file in (*ROOMS, *STEPS) if file.name not in AT_THE_START))


def trees_beside() -> list[ast.Module]:
    """Of the processes beside the page, without what only a command at the desk comes to."""
    trees = trees_of(file for file in BESIDE if file.name not in AT_THE_DESK)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef):
                node.body = [one for one in node.body if getattr(one, "name", "") not in FOLDERS_ONLY]
    return trees


def is_refusal(call: ast.Call) -> bool:
    """Whether what is made is shown to a person as it is."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name.endswith("Error") or name in ("HTTPException", "SignInRefused", "_refused", "Refusal", "Outcome")


def sentences_of(calls: Iterable[ast.Call]) -> set[str]:
    """Ids of the sentences that are put together."""
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Sentence"]
    return {str(call.args[0].value) for call in made if isinstance(call.args[0], ast.Constant)}


def refusals_of(calls: Iterable[ast.Call]) -> set[str]:
    """Texts of refusals that hold no values."""
    values = [one.value for call in calls if is_refusal(call) for one in call.args if is_constant(one)]
    return {text for text in values if isinstance(text, str) and " " in text}


def returned_by(trees: Iterable[ast.AST]) -> set[str]:
    """Texts without values that a check or a command answers with."""
    returned = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Return)]
    parts = [part for value in returned if value is not None for part in choices_of(value)]
    return {part.value for part in parts if is_constant(part) and isinstance(part.value, str) and " " in part.value}


def choices_of(value: ast.expr) -> list[ast.expr]:
    return [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]


def is_constant(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant)


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_sentence_and_refusal_of_the_code_is_there(language: PageLanguage) -> None:
    sentences, refusals = sentences_of(calls_of_code()), refusals_of(calls_of_code())
    assert len(sentences) > 40
    assert len(refusals) > 60
    assert (sentences | refusals) - set(catalogue(language)) == set()


@pytest.mark.parametrize("language", ["fr", "es"])
def test_what_the_processes_beside_the_page_say_is_there(language: PageLanguage) -> None:
    trees = trees_beside()
    said = sentences_of(calls_in(trees)) | refusals_of(calls_in(trees)) | returned_by(trees)
    assert len(said) > 100
    layout = {one for one in said if not re.search("[a-z]", _FIELD.sub("", one))}
    assert said - layout - set(catalogue(language)) == set()


def test_no_refusal_is_put_together_but_as_a_sentence() -> None:
    joined = [
        ast.unparse(call)
        for call in (*calls_of_code(), *calls_in(trees_beside()))
        if is_refusal(call) and any(isinstance(one, ast.JoinedStr | ast.BinOp) for one in call.args)
    ]
    assert joined == []


def test_a_finding_is_said_in_the_language_of_the_person() -> None:
    limit = Sentence("platelets above {limit} per 1000 red cells", limit=40)
    found = limit.and_also(" ({certainty}): {value}", certainty="likely", value=55)
    assert said_in("fr", found) == "plaquettes au-dessus de 40 pour 1000 globules rouges (probable) : 55"
    assert said_in("en", found) == found


def test_a_refusal_is_said_in_the_language_of_the_person() -> None:
    refused = GoneError(Sentence("this report has no cell {number}", number=7), "load the page again")
    assert error_in("es", refused) == "este informe no tiene la célula 7: cargue la página de nuevo"
    assert error_in("en", refused) == str(refused)


def test_a_text_of_another_process_is_said_in_the_language_of_the_person() -> None:
    found = Sentence("{happened}: {todo}", happened=Sentence("{found} °C, expected {most} at most", found=91, most=80),
                     todo="give it air, or a fan")  # fmt: skip
    kept_text = kept(found)
    assert said_in("fr", read(kept_text)) == "91 °C, 80 au plus attendus : donnez-lui de l'air, ou un ventilateur"
    assert said_in("en", read(kept_text)) == found
    assert said_in("fr", read(kept(Verbatim("rules")))) == "rules"
    assert read("as older software wrote it: {x}") == "as older software wrote it: {x}"


@pytest.mark.parametrize("found", ["{x:>999999999}", "{x.__class__}", "{x[0]}", "{x!r}", "{", "{y}"])
def test_a_text_that_would_do_more_than_hold_values_is_taken_as_it_is(found: str) -> None:
    line = json.dumps({"id": found, "values": {"x": "1"}})
    assert read(line) == line
