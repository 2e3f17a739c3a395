"""The outcome of one check."""

from collections.abc import Callable
from dataclasses import dataclass

from leukoscope.errors import LeukoscopeError
from leukoscope.messages.error_sentence import sentence_of


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    part: str
    good: bool
    text: str
    """What was seen and, when not good, what to do."""


def tried(part: str, check: Callable[[], str]) -> Finding:
    """What a check says, or why it failed."""
    try:
        return Finding(part, True, check())
    except LeukoscopeError as error:
        return Finding(part, False, sentence_of(error))
