"""Reports are found by specimen, and those that need a telephone call are marked."""

import json
from dataclasses import replace

import pytest

from leukoscope.messages import status
from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.worklist_line import line_of
from leukoscope.specimen.lifecycle import SIGNED, Action, Status
from leukoscope.specimen.sample import Basis, Certainty, Finding
from leukoscope_collector.judging import judge
from leukoscope_collector.metrics import Metrics
from leukoscope_collector.showing import reports
from tests.collector.running import id_of, message, now
from tests.messages.examples import IDENTITY, NOW

BLASTS = Finding("blasts_seen", "Blasts were seen.", Certainty.CERTAIN, Basis.CORRECTED, {"value": 0.1})


def said(payload, kind="report"):
    return judge(f"leukoscope/v1/ward-3/scope-1/{kind}", payload, topic_root="leukoscope/v1", largest=10**6)


@pytest.fixture
def store(store_settings):
    made = store_settings.open()
    kept = made.keep(
        [
            said(message(1)),
            said(message(2, findings=(BLASTS,))),
            said(message(3, findings=(BLASTS,))),
            said(message(3, version=2)),
            said(message(4, sample_id="100%_sure")),
        ],
        [],
        now(),
    )
    assert (kept.stored, kept.critical) == (5, 2)
    assert made.keep([said(message(2, findings=(BLASTS,)))], [], now()).critical == 0
    yield made
    made.close()


def column(table, header):
    ((cells),) = [list(one.cells) for one in table.columns if one.header == header]
    return sorted(str(cell) for cell in cells)


def test_reports_are_shown_with_specimen_counts_and_findings(store):
    table = reports(store)
    assert column(table, "specimen") == ["100%_sure", "S-1", "S-2", "S-3"]
    assert "100 white: neutrophil 60  lymphocyte 40" in column(table, "counts")
    assert "Blasts were seen." in column(table, "findings")


@pytest.mark.parametrize(
    ("search", "found"),
    [("s-2", ["S-2"]), (id_of(3), ["S-3"]), ("%", ["100%_sure"]), ("_", ["100%_sure"]), ("'", []), ("!", [])],
)
def test_reports_are_found_by_specimen_or_id(store, search, found):
    assert column(reports(store, search), "specimen") == found


def test_critical_are_those_whose_version_in_force_has_blasts(store):
    assert column(reports(store, critical=True), "specimen") == ["S-2"]


@pytest.mark.parametrize(
    ("code", "certainty", "critical"),
    [
        ("blasts_seen", Certainty.CERTAIN, True),
        ("blast_suspects", Certainty.LIKELY, True),
        ("blast_suspects", Certainty.CANNOT_BE_EXCLUDED, False),
        ("eosinophilia", Certainty.CERTAIN, False),
    ],
)
def test_alert_list_and_worklist_call_the_same_reports_critical(store_settings, code, certainty, critical):
    payload = message(7, findings=(Finding(code, "So it is.", certainty, Basis.CORRECTED, {"value": 0.1}),))
    told = said(payload)
    assert bool(told.critical) is line_of(json.loads(payload)).critical is critical
    made = store_settings.open()
    made.keep([told], [], now())
    assert column(reports(made, critical=True), "specimen") == (["S-7"] if critical else [])
    made.close()


@pytest.mark.parametrize("status", list(Status))
def test_a_signed_report_is_signed_for_all(status):
    line = replace(line_of(json.loads(message(7))), status=status.value)
    assert line.signed is (status in SIGNED) is Action.AMEND.is_open_to(status)
    assert line.rank == (2 if line.signed else 1)


def test_the_figures_of_each_device_say_what_it_last_told():
    metrics = Metrics()
    health = status.health(
        IDENTITY, at=NOW, uptime_s=5, reports={"pending": 7}, measurements={}, faults=["no camera", "no display"]
    )
    metrics.note([said(to_bytes(health), "health")], NOW)
    metrics.note([said(to_bytes(status.birth(IDENTITY, session=8, at=NOW)), "status")], NOW)
    labels = {"site": "ward-3", "device": "scope-1"}

    def figure(name):
        return metrics.registry.get_sample_value(f"leukoscope_device_{name}", labels)

    got = figure("reports_waiting"), figure("faults"), figure("online"), figure("last_seen_seconds")
    assert got == (7, 2, 1, NOW.timestamp())
