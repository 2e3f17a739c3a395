"""What the screens say in another language: English sentences are looked up in a catalogue as they are drawn.

Parts of the program say what they have to say in English, numbers and all; whatever a catalogue does not know stays so.
"""

import ast
import re
from collections.abc import Mapping
from importlib import resources
from typing import Literal

from leukoscope.sentence import Sentence, Verbatim

Language = Literal["en", "fr", "es"]

_ENTRY = re.compile(r'^msgid (?P<msgid>".*"(?:\n".*")*)\nmsgstr (?P<msgstr>".*"(?:\n".*")*)$', re.MULTILINE)


class Words:
    """The sentences of one language by their ids, which are the English ones with a `{name}` for each value."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._catalogue = dict(catalogue)

    def __call__(self, text: str) -> str:
        """The text in this language; as it is where the catalogue does not know it."""
        match text:
            case Verbatim():
                return text
            case Sentence():
                values = {name: self(value) for name, value in text.values.items()}
                return self._catalogue.get(text.id, text.id).format(**values)
        return self._catalogue.get(text, text)


ENGLISH = Words({})


def words_of(language: Language) -> Words:
    """The words of a language; English needs no catalogue."""
    return ENGLISH if language == "en" else Words(read_catalogue(language))


def read_catalogue(language: str) -> dict[str, str]:
    """The sentences in `languages/<language>.po` (gettext) by their English ones."""
    text = resources.files("leukoscope.displays").joinpath("languages", f"{language}.po").read_text("utf-8")
    entries = ((_joined(entry["msgid"]), _joined(entry["msgstr"])) for entry in _ENTRY.finditer(text))
    return {english: translated for english, translated in entries if english and translated}


def _joined(lines: str) -> str:
    return "".join(str(ast.literal_eval(line)) for line in lines.splitlines())
