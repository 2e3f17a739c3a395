"""An error as a text for people that can be put into another language."""

from leukoscope.errors import LeukoscopeError, without_logins
from leukoscope.sentence import Sentence, Verbatim


def sentence_of(error: LeukoscopeError) -> Sentence:
    """What happened and what to do, without the logins that stand in addresses."""
    return Sentence("{happened}: {todo}", happened=_without_logins(error.happened), todo=_without_logins(error.todo))


def _without_logins(text: str) -> str:
    match text:
        case Verbatim():
            return Verbatim(without_logins(text))
        case Sentence():
            return Sentence(text.id, **{name: _without_logins(value) for name, value in text.values.items()})
    return without_logins(text)
