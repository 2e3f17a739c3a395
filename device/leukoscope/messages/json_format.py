"""What every message has in common: strict JSON, UTC times, a published schema."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from leukoscope.errors import InvalidMessage

SCHEMA_FILES = {
    "leukoscope/report/1": "report.v1.schema.json",
    "leukoscope/status/1": "status.v1.schema.json",
    "leukoscope/health/1": "health.v1.schema.json",
    "leukoscope/cell/1": "cell.v1.schema.json",
    "leukoscope/command/1": "command.v1.schema.json",
    "leukoscope/result/1": "result.v1.schema.json",
}
"""The `schema` field of a message, and the file beside this module that describes it."""


def to_bytes(message: Mapping[str, Any]) -> bytes:
    """The message as UTF-8 JSON.

    Raises:
        InvalidMessage: it holds NaN, an infinity or something that JSON cannot say.
    """
    try:
        return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise InvalidMessage(
            f"this message cannot be written as JSON: {error}", "report this with the message"
        ) from error


def from_bytes(payload: bytes) -> dict[str, Any]:
    """The JSON object in a payload.

    Raises:
        InvalidMessage: the payload is not UTF-8 JSON, not an object, or holds NaN or an infinity.
    """
    try:
        text = payload.decode()
        message = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole)
        if "\\ud" in text.lower():
            # Half of a surrogate pair can be escaped in JSON, and written nowhere.
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(
            f"expected a JSON message, found {payload[:40]!r}: {error}", "send it as the published schema says"
        ) from error
    if not isinstance(message, dict):
        raise InvalidMessage(
            f"expected a JSON object, found {type(message).__name__}", "send it as the published schema says"
        )
    return message


def validate(message: Mapping[str, Any], expected: str | None = None) -> None:
    """Check a message against the published schema it names.

    Args:
        message: as read from JSON.
        expected: the one schema that will do, as `leukoscope/report/1`; None takes any that is published.

    Raises:
        InvalidMessage: the schema is unknown or another, or the message breaks it; the text names
            the place.
    """
    name = message.get("schema")
    if not isinstance(name, str) or name not in SCHEMA_FILES or expected not in (None, name):
        raise InvalidMessage(
            f"expected a message of {expected or ', '.join(SCHEMA_FILES)}, found schema {name!r}; "
            "a newer device may be sending",
            "update this reader",
        )
    # As a reader will find it: what is a Sentence here is a text there.
    written = json.loads(to_bytes(message))
    worst = min(validator(name).iter_errors(written), key=lambda error: error.instance_path, default=None)
    if worst is not None:
        place = ".".join(str(part) for part in worst.instance_path) or "the message"
        raise InvalidMessage(
            f"not a valid {name} message: {place}: {worst.message}", "send it as the published schema says"
        )


@cache
def validator(name: str) -> Any:
    """What judges messages of one name in `SCHEMA_FILES`: a `jsonschema_rs` validator, in a tenth of jsonschema's time.

    At a thousand reports per second that is a whole core of a server; on a device it is also 20 MB of memory.
    """
    # Not needed by most commands, and a tenth of a second to import.
    import jsonschema_rs

    text = resources.files("leukoscope.messages").joinpath(SCHEMA_FILES[name]).read_text("utf-8")
    return jsonschema_rs.validator_for(json.loads(text))


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and a Z, as every time on the wire.

    Raises:
        InvalidMessage: the time says no time zone, so a reader could not tell when it was.
    """
    if moment.tzinfo is None:
        raise InvalidMessage(
            f"a time on the wire needs a time zone, found {moment.isoformat()} without", "give the time with its zone"
        )
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def utc_time(text: str) -> datetime:
    """The moment that `utc_text` wrote.

    Raises:
        InvalidMessage: there is no such moment, as on 30 February.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise InvalidMessage(
            f"expected a time as 2026-01-31T08:00:00.000000Z, found {text!r}", "send it as the published schema says"
        ) from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError(f"{text[:40]} is too large for a number")
    return number


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")
