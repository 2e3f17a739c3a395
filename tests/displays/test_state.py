"""What the screens say, before any of it is drawn."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from leukoscope.displays import DisplaySettings
from leukoscope.displays.state import BrokerState as Broker
from leukoscope.displays.state import DifferentialLine, Ready, hint_for, result_of
from leukoscope.displays.wording import axis_end, broker_line, clock, grouped, largest_in_order, percent
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.sample import (
    BundleIdentity,
    ClassCount,
    Finding,
    Provenance,
    RedCells,
    RulesIdentity,
    SampleReport,
    Source,
)

BUNDLE = BundleIdentity("white", "1", "ab", "onnx")


def report(measured: bool, synchronised: bool | None, source: Source) -> SampleReport:
    return SampleReport(
        id="3f9c1a2e-0000-4000-8000-000000000000",
        version=1,
        sample_id="S-1",
        started_at=datetime(2026, 4, 12, tzinfo=UTC),
        finished_at=datetime(2026, 4, 12, tzinfo=UTC),
        fields_counted=10,
        fields_rejected={},
        fields_rejected_total=0,
        patches=1,
        white_cells=50,
        differential=(
            ClassCount("neutrophil_segmented", 30, 0.6, 0.45, 0.74, 12),
            ClassCount("x", 20, 0.4, 0.26, 0.55, 0),
        ),
        differential_corrected=None,
        not_corrected_because="nobody knows",
        beside={},
        red_cells=RedCells(900, 7.1, 0.1, 0.0),
        platelets=10,
        wbc_per_1000_rbc=1.0,
        area_um2=1e5,
        border_rule="left and top",
        findings=(Finding("few_cells", "Fewer than 100 white cells"),),
        rules=RulesIdentity("adult-blood", "1.0.0", "0" * 64),
        finished_because="technician",
        provenance=Provenance(
            site="s",
            device="d",
            software_version="0",
            segmenter=BUNDLE,
            classifier=BUNDLE,
            calibration_id="c",
            calibration_measured=measured,
            um_per_px=0.1,
            source=source,
            clock_synchronised=synchronised,
            boot_id="b",
        ),
    )


def test_a_report_becomes_percentages_under_the_bundles_short_labels() -> None:
    result = result_of(report(True, True, Source.LIVE), {"neutrophil_segmented": "SEG"})
    first, second = result.differential
    assert (first.label, second.label) == ("SEG", "x")
    assert (first.percent, first.low, first.high) == pytest.approx((60, 45, 74))
    assert result.findings == ("Fewer than 100 white cells",)
    assert result.red_cell_diameter_um == 7.1
    assert result.warnings == ()


def test_what_limits_the_trust_in_a_report_is_a_warning() -> None:
    result = result_of(report(False, False, Source.SIMULATED), {})
    assert len(result.warnings) == 2
    assert "nominal" in result.warnings[0]
    assert "Clock" in result.warnings[1]
    assert result.source is Source.SIMULATED
    assert result_of(report(True, None, Source.LIVE), {}).warnings == ()


def test_a_nominal_calibration_that_is_a_finding_is_no_warning_too() -> None:
    nominal = replace(report(False, True, Source.LIVE), findings=(Finding("uncalibrated", "calibration is nominal"),))
    result = result_of(nominal, {})
    assert (result.findings, result.warnings) == (("calibration is nominal",), ())


def test_every_flaw_has_a_hint_of_its_own() -> None:
    assert len({hint_for(flaw) for flaw in Flaw}) == len(Flaw)


def lines_of(*percents: float) -> list[DifferentialLine]:
    return [DifferentialLine(str(i), value, value, value) for i, value in enumerate(percents)]


def test_with_too_little_room_the_largest_classes_stay_in_their_order() -> None:
    assert [line.label for line in largest_in_order(lines_of(1, 50, 0, 30, 2), 3)] == ["1", "3", "4"]
    assert largest_in_order(lines_of(1, 2), 0) == ()


def test_the_axis_has_room_for_every_interval() -> None:
    assert [axis_end(lines_of(high)) for high in (3, 25, 26, 51)] == [25, 25, 50, 100]
    assert axis_end([]) == 25


def test_numbers_are_said_as_people_read_them() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 151, 3751, -1)] == ["0:00", "0:59", "2:31", "1:02:31", "0:00"]
    assert [grouped(count) for count in (0, 999, 23456, 1234567)] == ["0", "999", "23 456", "1 234 567"]
    assert [percent(value) for value in (0, 0.2, 0.6, 55.3, 100)] == ["0", "<1", "1", "55", "100"]


def test_the_broker_line_tells_connected_offline_and_absent_apart() -> None:
    said = {broker_line(Ready("", broker, Source.LIVE, pending)) for broker in Broker for pending in (0, 3)}
    assert len(said) == 5


@pytest.mark.parametrize("driver", ["oled", "lcd", "window", "terminal", "snapshot"])
def test_a_display_is_chosen_by_its_driver_name(driver: str) -> None:
    asked = {"driver": driver} | ({"folder": "out"} if driver == "snapshot" else {})
    assert TypeAdapter(DisplaySettings).validate_python(asked).driver == driver


def test_a_misspelt_key_or_driver_is_refused() -> None:
    adapter = TypeAdapter(DisplaySettings)
    with pytest.raises(ValidationError, match="brightness"):
        adapter.validate_python({"driver": "oled", "brightness": 3})
    with pytest.raises(ValidationError, match="driver"):
        adapter.validate_python({"driver": "hologram"})
