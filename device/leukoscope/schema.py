"""The base of every model that is read from a file or from the wire."""

from pydantic import BaseModel, ConfigDict, ValidationError

MOST_FAULTS, MOST_LETTERS = 6, 200
"""Of one error: how many faults it tells, and how much of each value."""


class FrozenModel(BaseModel):
    """Immutable, and an unknown key is an error: a misspelt setting must never be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
