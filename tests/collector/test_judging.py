"""The collector's fast judge says what the device's own validator says."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import from_bytes, validate
from leukoscope.messages.report import encode, to_bytes
from leukoscope_collector.judging import Report, Suspect, judge
from tests.messages.examples import NOW, reports

quick = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
EDGES = st.sampled_from([None, True, -1, 0, 1.5, 2.0, 10**20, "", "x", "\0", "é", [], {}, [1], {"x": 1}, "9" * 600])


def verdict(payload: bytes, site: str, device: str) -> object:
    # Names that are no topic levels cannot have been published under; the rest of the report is judged all the same.
    return judge(f"leukoscope/v1/{site}/{device}/report", payload, topic_root="leukoscope/v1", largest=10**6)


@quick
@given(reports)
def test_every_report_a_device_can_send_is_taken(report):
    wire = encode(report, boot_id="b", sequence=1, sent_clock=NOW)
    wire["provenance"] |= {"site": "s", "device": "d"}
    said = verdict(to_bytes(wire), "s", "d")
    assert isinstance(said, Report), said
    assert (said.id, said.version, json.loads(said.payload)) == (report.id, report.version, wire)


@quick
@given(reports, st.data())
def test_an_altered_report_is_taken_just_when_the_devices_own_validator_takes_it(report, data):
    wire = encode(report, boot_id="b", sequence=1, sent_clock=NOW)
    wire["provenance"] |= {"site": "s", "device": "d"}
    inner = data.draw(st.sampled_from([wire, *(part for part in wire.values() if isinstance(part, dict) and part)]))
    inner[data.draw(st.sampled_from([*sorted(inner), "unheard of"]))] = data.draw(EDGES)
    try:
        payload = to_bytes(wire)
        validate(from_bytes(payload), "leukoscope/report/1")
        nul = b"\\u0000" in payload
        fits = not nul and (wire["provenance"]["site"], wire["provenance"]["device"], wire["version"] < 2**53) == (
            "s",
            "d",
            True,
        )
    except InvalidMessage:
        fits = False
    said = verdict(payload, "s", "d")
    assert isinstance(said, Report if fits else Suspect), said


@quick
@given(st.binary(max_size=200), st.text(max_size=80))
def test_any_bytes_under_any_topic_are_a_suspect_with_a_printable_reason(payload, topic):
    said = judge(topic, payload, topic_root="leukoscope/v1", largest=1000)
    assert isinstance(said, Suspect)
    assert said.reason.isprintable()
    assert said.reason.isascii()
    assert 0 < len(said.reason) <= 300
