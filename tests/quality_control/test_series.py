import pytest

from leukoscope.quality_control.run_record import SAMPLES, Kind
from leukoscope.quality_control.series import alarms_of, series_of
from leukoscope.quality_control.westgard import BASELINE_RUNS, Limits, Rule
from tests.quality_control.records import SLIDE, check, restart
from trend_false_alarms import false_alarm_rate, found_within

LIMITS = Limits(mean=100.0, s=2.0)
BASELINE = [198.0, 200.0, 202.0, 200.0] * 5
"""Of the lamp; its standard deviation is about 1.45."""


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ([100.0], None),
        ([106.1], Rule.ONE_3S),
        ([93.9], Rule.ONE_3S),
        ([106.0], None),
        ([104.1], None),
        ([104.1, 104.1], Rule.TWO_2S),
        ([95.9, 95.9], Rule.TWO_2S),
        ([104.1, 95.9], None),
        ([104.1, 100.0, 104.1], None),
        ([104.1, 107.0], Rule.ONE_3S),
        ([107.0, 100.0], None),
    ],
)
def test_the_rules_are_those_of_westgard(values: list[float], rule: Rule | None) -> None:
    assert LIMITS.broken_by(values) is rule


def test_a_baseline_that_never_varied_does_not_accuse_every_last_digit() -> None:
    limits = Limits.of([7.0] * BASELINE_RUNS, least_s=0.02)
    assert limits.broken_by([7.02]) is None
    assert limits.broken_by([7.07]) is Rule.ONE_3S


def test_a_lamp_that_dims_at_once_is_found_by_one_value() -> None:
    runs = [check(day, background_level=level) for day, level in enumerate([*BASELINE, 180.0])]
    series = series_of(runs, SLIDE, "background_level")
    assert series.points[-1].broken is Rule.ONE_3S
    assert alarms_of(runs) == (series.alarm,)
    assert series.alarm == "Lamp level 180, expected 197 to 203 (1-3s)"


def test_a_scale_that_drifts_is_found_by_two_values_running() -> None:
    drift = [7.10 + 0.005 * day for day in range(14)]
    sizes = [7.08, 7.10, 7.12, 7.10] * 5 + drift
    runs = [check(day, red_cell_diameter_um=size) for day, size in enumerate(sizes)]
    broken = [point.broken for point in series_of(runs, SLIDE, "red_cell_diameter_um").points if point.broken]
    assert broken[0] is Rule.TWO_2S


def test_a_steady_bench_is_not_accused() -> None:
    levels = BASELINE + [199.0, 201.5, 200.5, 198.5] * 5
    runs = [check(day, background_level=level) for day, level in enumerate(levels)]
    assert alarms_of(runs) == ()
    assert not any(point.broken for point in series_of(runs, SLIDE, "background_level").points)


def test_chance_accuses_a_steady_measure_in_fewer_than_one_value_of_two_hundred() -> None:
    # With a mean and a standard deviation that are known it would be 0.37 %.
    assert 0.002 < false_alarm_rate(benches=1000) < 0.005


def test_what_changed_is_nearly_always_found() -> None:
    assert found_within([4.0] * 3, benches=300)[0] > 0.97
    found, by_drift = found_within([0.25 * check for check in range(1, 21)], benches=300)
    assert found > 0.97
    assert by_drift > 0.3


def test_until_the_baseline_stands_nothing_is_accused() -> None:
    runs = [check(day, background_level=level) for day, level in enumerate([*BASELINE[:18], 90.0])]
    assert series_of(runs, SLIDE, "background_level").limits is None
    assert alarms_of(runs) == ()


def test_a_new_baseline_forgets_the_old_one() -> None:
    before = [check(day, background_level=level) for day, level in enumerate([*BASELINE, 150.0])]
    assert alarms_of(before)
    runs = [*before, restart(21), check(22, background_level=150.0)]
    assert alarms_of(runs) == ()
    assert len(series_of(runs, SLIDE, "background_level").points) == 1


def test_an_alarm_ends_with_a_check_that_is_in_control() -> None:
    runs = [check(day, background_level=level) for day, level in enumerate([*BASELINE, 150.0, 200.0])]
    assert alarms_of(runs) == ()


def test_the_size_of_a_samples_cells_is_not_the_instruments_business_but_its_lamp_is() -> None:
    def samples(**last: float) -> tuple[str, ...]:
        message = [{"background_level": level, "red_cell_diameter_um": 7.1} for level in BASELINE]
        measures = [*message, {"background_level": 200.0, "red_cell_diameter_um": 7.1} | last]
        return alarms_of([check(n, kind=Kind.SAMPLE, reference=SAMPLES, **one) for n, one in enumerate(measures)])

    assert samples(red_cell_diameter_um=5.0) == ()
    assert len(samples(background_level=150.0)) == 1


def test_a_value_that_could_not_be_measured_is_left_out() -> None:
    runs = [check(day, sharpness=value) for day, value in enumerate([0.3, None, 0.31])]
    assert [point.value for point in series_of(runs, SLIDE, "sharpness").points] == [0.3, 0.31]


def test_an_old_alarm_is_not_repeated_when_the_newest_run_could_not_measure_it() -> None:
    runs = [check(day, background_level=level) for day, level in enumerate([*BASELINE, 150.0])]
    assert alarms_of([*runs, check(30, sharpness=0.3)]) == ()
