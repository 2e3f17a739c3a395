"""What is said on the wire, and that nothing is lost or added on the way."""

import dataclasses
import json
import math
from datetime import datetime
from importlib import resources
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leukoscope.errors import InvalidMessage, SettingsError
from leukoscope.messages import status
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import SCHEMA_FILES, from_bytes, to_bytes, validate
from leukoscope.messages.report import decode, encode, envelope_of
from leukoscope.specimen.sample import RedCells
from tests.messages.examples import IDENTITY, NOW, PROVENANCE, report, reports


def encoded(**changes):
    return encode(report(**changes), boot_id="boot-1", sequence=7, sent_clock=NOW)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports, st.integers(1, 2**53))
def test_any_report_comes_back_exactly_as_it_was_encoded(original, sequence):
    message = encode(original, boot_id="b", sequence=sequence, sent_clock=NOW)
    assert decode(to_bytes(message)) == original
    assert envelope_of(from_bytes(to_bytes(message))) == ("b", sequence)


def test_the_times_on_the_wire_are_utc_and_end_in_z():
    finished = datetime.fromisoformat("2026-03-04T07:06:07.890123+02:00")
    assert encoded(finished_at=finished)["sample"]["finished_at"] == "2026-03-04T05:06:07.890123Z"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InvalidMessage, match="needs a time zone"):
        encoded(finished_at=datetime(2026, 3, 4))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_never_reach_the_wire(number):
    with pytest.raises(InvalidMessage, match="JSON"):
        encoded(area_um2=number)
    with pytest.raises(InvalidMessage, match="JSON"):
        encoded(red_cells=RedCells(1, number, None, None))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_nan_and_infinity_are_not_taken_from_the_wire(text):
    payload = to_bytes(encoded(area_um2=123456.5)).replace(b"123456.5", text.encode())
    with pytest.raises(InvalidMessage):
        decode(payload)


def test_a_field_nobody_knows_is_refused_and_named():
    with pytest.raises(InvalidMessage, match="patient_name"):
        validate(encoded() | {"patient_name": "x"})


def test_a_share_above_one_is_refused_and_says_where():
    message = encoded()
    message["white_cells"]["differential"][1]["share"] = 1.2
    with pytest.raises(InvalidMessage, match=r"white_cells\.differential\.1\.share"):
        validate(message)


def test_a_message_of_a_later_schema_says_to_update_the_reader():
    with pytest.raises(InvalidMessage, match="update this reader"):
        decode(encoded() | {"schema": "leukoscope/report/2"})


def test_a_message_of_another_kind_is_not_taken_for_a_report():
    with pytest.raises(InvalidMessage, match="expected a message of leukoscope/report/1"):
        decode(status.birth(IDENTITY, session=1, at=NOW))


def test_an_unhashable_schema_name_is_an_invalid_message():
    with pytest.raises(InvalidMessage):
        validate({"schema": ["leukoscope/report/1"]})


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"schema": "leukoscope/report/1"}']
)
def test_garbage_is_an_invalid_message_and_nothing_worse(payload):
    with pytest.raises(InvalidMessage):
        decode(payload)


def test_a_day_that_does_not_exist_is_an_invalid_message():
    message = encoded()
    message["sample"]["started_at"] = "2026-02-30T00:00:00.000000Z"
    with pytest.raises(InvalidMessage, match="2026-02-30"):
        decode(message)


def test_a_boolean_is_not_a_count():
    with pytest.raises(InvalidMessage, match=r"fields\.counted"):
        encoded(fields_counted=True)


LATER_ADDITIONS = {
    "again", "camera", "cells_looked_at", "dependencies", "grounds", "outline", "probabilities", "sentence",
    "signed_without", "size_reference", "suspect", "suspects", "verification", "version",
}  # fmt: skip
"""Keys that messages of earlier versions lack."""
LEFT_OUT_WHEN_EMPTY = {"confirmed", "looked_at", "missed", "names", "note", "remarks"}
"""Keys of a step of `review`, which can name a thousand cells or none."""


@pytest.mark.parametrize("name", SCHEMA_FILES)
def test_every_object_of_the_published_schemas_is_closed_and_complete(name):
    schema = json.loads(resources.files("leukoscope.messages").joinpath(SCHEMA_FILES[name]).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in parts_of(schema):
        if "properties" in part and part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert set(part["properties"]) - set(part["required"]) <= LATER_ADDITIONS | LEFT_OUT_WHEN_EMPTY


def parts_of(schema):
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts_of(value)


def test_the_message_carries_every_fact_of_the_report():
    text = json.dumps(encoded())
    for value in leaves(dataclasses.asdict(report())):
        assert json.dumps(value)[1:-1] in text


def leaves(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield str(value)


def test_the_will_and_the_birth_carry_the_same_session_number():
    will = status.last_will(IDENTITY, session=12)
    birth = status.birth(IDENTITY, session=12, at=NOW)
    assert (will["state"], will["session"], will["at"]) == ("offline", 12, None)
    assert (birth["state"], birth["session"]) == ("online", 12)
    assert status.offline(IDENTITY, session=12, at=NOW)["reason"] == "stopped"


def test_health_names_its_figures_with_units_and_refuses_nan():
    figures = {"cpu_temperature_c": 51.5, "card_wear": None}
    said: dict[str, Any] = {"at": NOW, "uptime_s": 5.0, "reports": {"pending": 1}, "faults": ["the display is gone"]}
    message = status.health(IDENTITY, measurements=figures, **said)
    assert message["measurements"] == figures
    with pytest.raises(InvalidMessage):
        status.health(IDENTITY, measurements={"cpu_temperature_c": math.nan}, **said)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "$SYS", "ward 3", "x" * 65, "ward-3\n"])
def test_a_name_that_would_break_a_topic_is_refused(name):
    with pytest.raises(SettingsError, match="topic"):
        Identity(site=name, device="d", software_version="1", boot_id="b")
    with pytest.raises(SettingsError, match="topic"):
        Identity(site="s", device=name, software_version="1", boot_id="b")


def test_no_topic_holds_a_word_about_the_specimen():
    assert IDENTITY.topic("report") == "leukoscope/v1/ward-3/scope-1/report"
    assert PROVENANCE.site in IDENTITY.topic("status")
