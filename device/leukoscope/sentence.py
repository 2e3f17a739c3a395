"""Texts for people, by id and values: they are put into a language where they are shown."""

from collections.abc import Iterable, Mapping


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
