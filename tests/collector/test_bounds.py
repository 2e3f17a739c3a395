"""What one device sends takes a bounded place in the store, and what it says that no database can read takes none."""

import json

import pytest

from leukoscope_collector.judging import Report, Suspect, judge
from tests.collector.running import id_of, message, now, rows

TOPIC = "leukoscope/v1/ward-3/scope-1/report"


def said(payload):
    report = judge(TOPIC, payload, topic_root="leukoscope/v1", largest=10**6)
    assert isinstance(report, Report), report
    return report


@pytest.fixture
def store(store_settings):
    made = store_settings.model_copy(update={"versions": 3, "conflicts": 4, "quarantine": 6}).open()
    yield made
    made.close()


def test_the_first_versions_of_a_report_are_kept_and_too_many_go_to_quarantine(store, store_settings):
    versions = [said(message(1, version=version)) for version in (1, 2, 900, 901, 902)]
    kept = store.keep(versions, [], now())
    assert (kept.stored, kept.quarantined) == (3, 2)
    again = store.keep([*versions, said(message(2)), said(message(1, version=7))], [], now())
    assert (again.stored, again.duplicates, again.quarantined) == (1, 3, 3)
    stored = rows(store_settings, "SELECT id, version FROM report ORDER BY id, version")
    assert [(str(name), version) for name, version in stored] == [
        (id_of(1), 1),
        (id_of(1), 2),
        (id_of(1), 900),
        (id_of(2), 1),
    ]
    ((reason,), *_) = rows(store_settings, "SELECT reason FROM quarantine ORDER BY number")
    assert f"report {id_of(1)} has 3 versions already" in reason


def test_conflicts_are_bounded_and_a_contested_report_stays_marked(store, store_settings):
    store.keep([said(message(1)), said(message(2))], [], now())
    for number in range(12):
        kept = store.keep([said(message(1 + number % 2, white_cells=200 + number))], [], now())
        assert kept.conflicts == 1
    counted = [
        (payload if isinstance(payload, dict) else json.loads(payload))["white_cells"]["counted"]
        for (payload,) in rows(store_settings, "SELECT payload FROM conflict ORDER BY received_at")
    ]
    assert counted == [208, 209, 210, 211]
    assert rows(store_settings, "SELECT count(*) FROM report WHERE contested") == [(2,)]


def test_every_text_that_is_stored_can_be_asked_for(database):
    """PostgreSQL stores a NUL in a json column, and then fails each query that looks into it."""
    odd = judge(TOPIC, message(1, sample_id="a\0b"), topic_root="leukoscope/v1", largest=10**6)
    assert isinstance(odd, Suspect)
    named = said(message(2, sample_id="a\\u0000b"))
    other = database.open()
    try:
        other.keep([named], [odd], now())
        with other.transaction():
            found = other.execute("SELECT payload->'sample'->>'sample_id' FROM report")
        assert found == [("a\\u0000b",)]
    finally:
        other.close()


@pytest.mark.parametrize("day", ["2026-02-30", "2025-02-29", "0000-01-01", "2026-04-31"])
def test_a_day_that_does_not_exist_is_refused_by_name(day):
    odd = message(1).replace(b"2026-03-04T", f"{day}T".encode())
    refused = judge(TOPIC, odd, topic_root="leukoscope/v1", largest=10**6)
    assert isinstance(refused, Suspect)
    assert f"a time is on {day}: there is no such day" in refused.reason
