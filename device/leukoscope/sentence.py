"""Texts for people, by id and values: they are put into a language where they are shown."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_MOST_VALUES, _MOST_DEPTH = 30, 12
_PLAIN_FIELDS = re.compile(r"(?:[^{}]|\{\{|\}\}|\{[a-z_]+\})*")
"""A `{name}` for each value and no more: what comes from elsewhere must not choose how wide a value is written."""


class Sentence(str):
    """A text that knows what it was made from; as a `str` it is the English text.

    Its id is the English text with a `{name}` for each value, as gettext has it; a value may be a sentence of its
    own, which is translated too. What is cut or joined from it is a plain text again: make a sentence of sentences.
    """

    id: str
    values: Mapping[str, str]

    def __new__(cls, id: str, /, **values: object) -> "Sentence":  # noqa: A002
        """The id with these values in it."""
        texts = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
        sentence = super().__new__(cls, id.format(**texts))
        sentence.id, sentence.values = id, texts
        return sentence

    def and_also(self, more: str, **values: object) -> "Sentence":
        """A longer sentence, that goes on so."""
        return Sentence(self.id + more, **self.values, **values)

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        """A sentence is copied with what it was made from."""
        return (self.id,), dict(self.values)


class Verbatim(str):
    """A text that is the same in every language, as the name of a specimen."""

    __slots__ = ()


def one_after_another(texts: Iterable[str]) -> str:
    """Texts that stand behind one another: "first; second"; empty without any."""
    whole = ""
    for text in filter(None, texts):
        whole = Sentence("{first}; {rest}", first=whole, rest=text) if whole else text
    return whole


def to_wire(text: str) -> Any:
    """A text as JSON, from which `from_wire` makes it again: a sentence with its id and values."""
    match text:
        case Verbatim():
            return {"verbatim": str(text)}
        case Sentence():
            return {"id": text.id, "values": {name: to_wire(value) for name, value in text.values.items()}}
    return str(text)


def from_wire(content: object, depth: int = 0) -> str | None:
    """The text that `to_wire` wrote; None where this is none.

    Args:
        content: of JSON.
        depth: of sentences that this one is a value of.
    """
    match content:
        case str():
            return content
        case {"verbatim": str(text)}:
            return Verbatim(text)
        case {"id": str(found), "values": dict(values)} if depth < _MOST_DEPTH and len(values) <= _MOST_VALUES:
            texts = {str(name): from_wire(value, depth + 1) for name, value in values.items()}
            if not _PLAIN_FIELDS.fullmatch(found) or None in texts.values():
                return None
            try:
                return Sentence(found, **texts)
            except (LookupError, ValueError, TypeError):
                return None
    return None
