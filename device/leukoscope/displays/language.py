"""What the screens say in another language: English sentences are looked up in a catalogue as they are drawn.

Parts of the program say what they have to say in English, numbers and all; whatever a catalogue does not know stays so.
"""

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Literal

Language = Literal["en", "fr", "es"]

_FIELD = re.compile(r"\{(\w+)\}")
_ENTRY = re.compile(r'^msgid (?P<msgid>".*"(?:\n".*")*)\nmsgstr (?P<msgstr>".*"(?:\n".*")*)$', re.MULTILINE)


class Verbatim(str):
    """A text that is the same in every language, as the name of a specimen."""

    __slots__ = ()


class Words:
    """The sentences of one language by their English ones; `{name}` in a sentence stands for anything."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._whole = dict(catalogue)
        patterned = [text for text in catalogue if _FIELD.search(text)]
        # The sentence that says most of itself goes first: others would take its words for a number.
        patterned.sort(key=lambda text: len(_FIELD.sub("", text)), reverse=True)
        self._patterns = [(_pattern(text), catalogue[text]) for text in patterned]
        self._found = lru_cache(maxsize=512)(self._look_up)

    def __call__(self, text: str) -> str:
        """The text in this language; as it is where the catalogue does not know it."""
        return text if isinstance(text, Verbatim) or not self._whole else self._found(text)

    def _look_up(self, text: str) -> str:
        if text in self._whole:
            return self._whole[text]
        for pattern, translated in self._patterns:
            if found := pattern.fullmatch(text):
                # What stands for a field may be a sentence of its own; it is shorter, so this ends.
                parts = {name: self(part) for name, part in found.groupdict().items()}
                return translated.format(**parts)
        return text


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


def _pattern(text: str) -> re.Pattern[str]:
    pieces = _FIELD.split(text)
    return re.compile("".join(f"(?P<{piece}>.+?)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)))
