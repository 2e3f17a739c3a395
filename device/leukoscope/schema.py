"""The base of every model that is read from a file or from the wire."""

from pydantic import BaseModel, ConfigDict, ValidationError


class FrozenModel(BaseModel):
    """Immutable, and an unknown key is an error: a misspelt setting must never be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def explain(error: ValidationError) -> str:
    """Every fault of a validation error in one line, each with the full path of its key."""
    faults = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(step) for step in fault["loc"]) or "the whole"
        if fault["type"] == "extra_forbidden":
            faults.append(f"{where} is not a known key")
        elif fault["type"] == "missing":
            faults.append(f"{where} is missing")
        else:
            faults.append(f"{where} = {fault['input']!r}: {fault['msg'].lower()}")
    return "; ".join(faults)
