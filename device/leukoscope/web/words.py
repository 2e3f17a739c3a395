"""The page's sentences in three languages: English ones are looked up in a catalogue."""

import ast
import re
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from starlette.requests import Request

from leukoscope.errors import LeukoscopeError, without_logins
from leukoscope.sentence import Sentence, Verbatim

PageLanguage = Literal["en", "fr", "es"]
LANGUAGES: tuple[PageLanguage, ...] = get_args(PageLanguage)
COOKIE = "leukoscope_language"
_CLASS_WORDS = {
    "plasma": "plasma cell",
    "lymphocyte_variant": "variant lymphocyte",
    "giant_thrombocyte": "giant platelet",
    "thrombocyte_aggregation": "platelet clump",
}
"""Of classes whose key is not what a laboratory says; the others are called by their key."""
_ENTRY = re.compile(r'^msgid (?P<msgid>".*"(?:\n".*")*)\nmsgstr (?P<msgstr>".*"(?:\n".*")*)$', re.MULTILINE)


@cache
def catalogue(language: PageLanguage) -> dict[str, str]:
    """Sentences in `languages/<language>.po` (gettext) by their English ones; empty for English."""
    if language == "en":
        return {}
    return _entries(resources.files("leukoscope.web").joinpath("languages", f"{language}.po").read_text("utf-8"))


@cache
def findings_catalogue(language: PageLanguage) -> dict[str, str]:
    """What the displays call findings: their file is read, and none of their drivers."""
    displays = find_spec("leukoscope.displays")
    if language == "en" or displays is None or displays.origin is None:
        return {}
    return _entries(Path(displays.origin).with_name("languages").joinpath(f"{language}.po").read_text("utf-8"))


def _entries(text: str) -> dict[str, str]:
    entries = ((_joined(one["msgid"]), _joined(one["msgstr"])) for one in _ENTRY.finditer(text))
    return {english: translated for english, translated in entries if english and translated}


def _joined(lines: str) -> str:
    return "".join(str(ast.literal_eval(line)) for line in lines.splitlines())


def language_of(request: Request) -> PageLanguage:
    """What the person chose, or else the first of the browser's languages that we have."""
    chosen = request.cookies.get(COOKIE)
    for wanted in (chosen, *request.headers.get("accept-language", "").split(",")):
        code = (wanted or "").split(";")[0].strip()[:2].lower()
        for language in LANGUAGES:
            if code == language:
                return language
    return "en"


def translate(language: PageLanguage, text: str, **values: object) -> str:
    """A sentence in a language, its `{fields}` filled in."""
    translated = catalogue(language).get(text, text)
    return translated.format(**values) if values else translated


def said_in(language: PageLanguage, text: str) -> str:
    """A text in a language: a sentence with what it was made from; as it is where no catalogue knows it."""
    match text:
        case Verbatim():
            return text
        case Sentence():
            values = {name: said_in(language, value) for name, value in text.values.items()}
            return _looked_up(language, text.id).format(**values)
    return _looked_up(language, text)


def error_in(language: PageLanguage, error: LeukoscopeError) -> str:
    """What happened and what to do."""
    return without_logins(f"{said_in(language, error.happened)}: {said_in(language, error.todo)}")


def _looked_up(language: PageLanguage, text: str) -> str:
    own = catalogue(language)
    return own[text] if text in own else findings_catalogue(language).get(text, text)


def class_in(language: PageLanguage, key: str) -> str:
    """What a cell of a class is called."""
    return translate(language, _CLASS_WORDS.get(key, key.replace("_", " ")))
