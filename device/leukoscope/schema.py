"""The base of every model that is read from a file or from the wire."""

import codecs
import tomllib
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

MOST_FAULTS, MOST_LETTERS = 6, 200
"""Of one error: how many faults it tells, and how much of each value."""


class FrozenModel(BaseModel):
    """Immutable, and an unknown key is an error: a misspelt setting must never be ignored."""

    # What checks a model is made when it is first used: a process that reads none of a room's files holds none of it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class NotUtf8(UnicodeDecodeError):
    """A text file that another program wrote in another encoding, which is named."""

    def __str__(self) -> str:
        return self.reason


def text_of(content: bytes) -> str:
    """The text in a file that a person wrote; editors of Windows put a byte-order mark before it, which is left out.

    Raises:
        NotUtf8: it is UTF-16, UTF-32, or another encoding than UTF-8.
    """
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) or b"\0\0" in content[:100]:
        raise NotUtf8("utf-32", content[:4], 0, 1, "it is UTF-32 text, expected UTF-8: save it with encoding UTF-8")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:100]:
        raise NotUtf8("utf-16", content[:2], 0, 1, "it is UTF-16 text, expected UTF-8: save it with encoding UTF-8")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"line {line} is not UTF-8 text (byte {content[error.start]:#04x}): save it with encoding UTF-8"
        raise NotUtf8("utf-8", content, error.start, error.end, why) from error


def table_of(content: bytes) -> dict[str, Any]:
    """The table in a TOML file that a person wrote.

    Raises:
        UnicodeDecodeError: it is not UTF-8 text.
        tomllib.TOMLDecodeError: it is no TOML, or values stand one in another too deeply.
    """
    try:
        return tomllib.loads(text_of(content))
    except RecursionError:
        raise tomllib.TOMLDecodeError("values stand one in another hundreds of times") from None


def explain(error: ValidationError) -> str:
    """Every fault of a validation error in one line, each with the full path of its key."""
    faults = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(step) for step in fault["loc"])
        if fault["type"] == "extra_forbidden":
            faults.append(f"{where} is not a known key")
        elif fault["type"] == "missing":
            faults.append(f"{where} is missing")
        elif not fault["loc"]:
            # Repeating the whole value helps no reader, and what is no JSON is as likely zeros as words.
            faults.append(_short(fault["msg"].lower().removeprefix("value error, ")))
        else:
            faults.append(f"{where} = {_short(repr(fault['input']))}: {_short(fault['msg'].lower())}")
    more = len(faults) - MOST_FAULTS
    listed = faults[:MOST_FAULTS] + ([f"and {more} more"] if more > 0 else [])
    # A name or value may hold a line break, and an error is one line.
    return " ".join("; ".join(listed).split())


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
