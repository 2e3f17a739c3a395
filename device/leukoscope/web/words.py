"""The page's sentences in three languages: English ones are looked up in a catalogue."""

import ast
import re
from functools import cache
from importlib import resources
from typing import Literal, get_args

from starlette.requests import Request

PageLanguage = Literal["en", "fr", "es"]
LANGUAGES: tuple[PageLanguage, ...] = get_args(PageLanguage)
COOKIE = "leukoscope_language"
_ENTRY = re.compile(r'^msgid (?P<msgid>".*")\nmsgstr (?P<msgstr>".*")$', re.MULTILINE)


@cache
def catalogue(language: PageLanguage) -> dict[str, str]:
    """Sentences in `languages/<language>.po` (gettext) by their English ones; empty for English."""
    if language == "en":
        return {}
    text = resources.files("leukoscope.web").joinpath("languages", f"{language}.po").read_text("utf-8")
    entries = ((ast.literal_eval(one["msgid"]), ast.literal_eval(one["msgstr"])) for one in _ENTRY.finditer(text))
    return {english: translated for english, translated in entries if english and translated}


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
