"""A report made from its published schema alone, so that it follows the schema wherever that goes."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, reduce
from importlib import resources
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import SCHEMA_FILES, to_bytes, utc_text, validate

_Schema = Mapping[str, Any]

REPORT_SCHEMA = "leukoscope/report/1"
_LINES = 12
"""Items in a list, about as many as a differential has classes."""
_HISTORY = 1000
_WORDS = (
    "a word of a report",
    "word",
    "00000000-0000-4000-8000-000000000000",
    utc_text(datetime(2026, 1, 1, tzinfo=UTC)),
    "0" * 64,
    "1.0.0",
    "x",
)
"""One of them fits every pattern that the schema has so far."""


class ReportMaker:
    """Makes the reports of one device, each with an id of its own."""

    def __init__(self, site: str, device: str) -> None:
        """Begin to count.

        Raises:
            InvalidMessage: the schema asks for something that no example is known for.
        """
        self._message = json.loads(_template())
        self._message["provenance"] |= {"site": site, "device": device}
        self._made = 0

    def make(self, at: datetime) -> tuple[str, bytes]:
        """The id of a new report, and the report."""
        self._made += 1
        self._message["id"] = str(uuid.uuid4())
        self._message["envelope"] |= {"sequence": self._made, "sent_clock": utc_text(at)}
        return self._message["id"], to_bytes(self._message)


@cache
def _template() -> bytes:
    schema = json.loads(resources.files("leukoscope.messages").joinpath(SCHEMA_FILES[REPORT_SCHEMA]).read_text("utf-8"))
    message = _example(schema, schema)
    validate(message, REPORT_SCHEMA)
    return to_bytes(message)


def _example(schema: _Schema, root: _Schema) -> Any:
    """Something the schema allows: required fields only, lists with a dozen items."""
    if "$ref" in schema:
        return _example(reduce(lambda part, step: part[step], schema["$ref"].split("/")[1:], root), root)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], root)
    kind = schema.get("type", "object")
    example: Any
    match schema:
        case {"const": example}:
            pass
        case {"enum": [example, *_]}:
            pass
        case _:
            example = _EXAMPLES[kind[0] if isinstance(kind, list) else kind](schema, root)
    return example


def _object(schema: _Schema, root: _Schema) -> dict[str, Any]:
    return {name: _example(schema["properties"][name], root) for name in schema.get("required", [])}


def _array(schema: _Schema, root: _Schema) -> list[Any]:
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", _LINES)
    # What may hold a thousand entries is a history, and that of a new report is empty.
    count = fewest if most >= _HISTORY else max(fewest, min(_LINES, most))
    return [_example(schema["items"], root) for _ in range(count)]


def _text(schema: _Schema, root: _Schema) -> str:
    for word in _WORDS:
        long_enough = schema.get("minLength", 0) <= len(word) <= schema.get("maxLength", len(word))
        if long_enough and re.search(schema.get("pattern", ""), word):
            return word
    raise InvalidMessage(f"no example is known for a text like {schema}", f"add one to {__name__}")


def _number(schema: _Schema, root: _Schema) -> float:
    return float(schema["exclusiveMinimum"]) + 1 if "exclusiveMinimum" in schema else schema.get("minimum", 0)


_EXAMPLES: dict[str, Callable[[_Schema, _Schema], Any]] = {
    "object": _object,
    "array": _array,
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": lambda schema, root: False,
    "null": lambda schema, root: None,
}
