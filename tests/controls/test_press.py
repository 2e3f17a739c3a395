"""What a push button means."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukoscope.controls.press import Press, PressReader, PressTimes

TIMES = PressTimes(debounce_s=0.03, long_s=1.0, very_long_s=4.0, stuck_s=30.0)
END_S = 1e6


def read(edges: list[tuple[bool, float]], polls: Sequence[float] = (), pressed: bool = False) -> list[Press]:
    reader = PressReader(TIMES, pressed, 0.0)
    message = []
    moments = [(at_s, 0, level) for level, at_s in edges] + [(at_s, 1, False) for at_s in polls]
    for at_s, is_poll, level in sorted(moments, key=lambda moment: moment[:2]):
        if is_poll:
            message += reader.presses(at_s)
        else:
            reader.edge(level, at_s)
    return message + reader.presses(END_S)


def test_a_short_press_is_told_when_it_is_let_go() -> None:
    reader = PressReader(TIMES, False, 0.0)
    reader.edge(True, 1.0)
    assert reader.presses(1.5) == []
    reader.edge(False, 1.6)
    assert reader.presses(1.7) == [Press.SHORT]
    assert reader.presses(9.0) == []


def test_a_long_press_is_told_when_it_is_let_go_since_it_may_become_a_very_long_one() -> None:
    reader = PressReader(TIMES, False, 0.0)
    reader.edge(True, 1.0)
    assert reader.presses(4.9) == []
    reader.edge(False, 4.95)
    assert reader.presses(9.0) == [Press.LONG]


def test_a_very_long_press_is_told_while_it_is_held_and_nothing_follows() -> None:
    reader = PressReader(TIMES, False, 0.0)
    reader.edge(True, 1.0)
    assert reader.presses(4.99) == []
    assert reader.presses(5.0) == [Press.VERY_LONG]
    reader.edge(False, 7.0)
    assert reader.presses(9.0) == []


def test_a_very_long_press_that_nobody_polled_is_still_very_long() -> None:
    assert read([(True, 1.0), (False, 6.0)]) == [Press.VERY_LONG]


def test_a_long_press_that_nobody_polled_is_still_long() -> None:
    assert read([(True, 1.0), (False, 2.5)]) == [Press.LONG]


def test_a_short_press_that_was_polled_too_late_is_still_short() -> None:
    assert read([(True, 1.0), (False, 1.2)], polls=[5.0]) == [Press.SHORT]


def test_a_press_let_go_just_before_it_was_long_is_short_even_if_polled_just_after() -> None:
    assert read([(True, 1.0), (False, 1.99)], polls=[2.005]) == [Press.SHORT]


def test_chatter_of_the_contact_is_one_press() -> None:
    chatter = [(True, 1.0), (False, 1.004), (True, 1.008), (False, 1.2), (True, 1.203), (False, 1.21)]
    assert read(chatter) == [Press.SHORT]


def test_a_spike_on_the_wire_is_no_press() -> None:
    assert read([(True, 1.0), (False, 1.01)]) == []


def test_a_contact_that_bounces_while_held_stays_held() -> None:
    assert read([(True, 1.0), (False, 1.98), (True, 1.99), (False, 2.5)]) == [Press.LONG]


def test_a_stuck_button_is_told_once_and_can_be_used_again_after() -> None:
    reader = PressReader(TIMES, False, 0.0)
    reader.edge(True, 1.0)
    assert reader.presses(30.9) == [Press.VERY_LONG]
    assert reader.presses(31.0) == [Press.STUCK]
    assert reader.presses(500.0) == []
    reader.edge(False, 600.0)
    reader.edge(True, 700.0)
    reader.edge(False, 700.2)
    assert reader.presses(701.0) == [Press.SHORT]


def test_a_button_held_while_the_program_starts_is_no_press_but_can_be_stuck() -> None:
    assert read([(False, 5.0)], pressed=True) == []
    assert read([], pressed=True) == [Press.STUCK]
    assert read([(False, 5.0), (True, 6.0), (False, 6.2)], pressed=True) == [Press.SHORT]


def test_times_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="debounce_s < long_s < very_long_s < stuck_s"):
        PressTimes(debounce_s=0.5, long_s=0.3)


gaps = st.lists(st.floats(0.0001, 40.0), max_size=30)
moments = st.lists(st.floats(0.0, 400.0), max_size=30)


@given(gaps=gaps, polls=moments)
def test_it_never_matters_when_it_is_polled(gaps: list[float], polls: list[float]) -> None:
    edges, at_s = [], 0.0
    for index, gap in enumerate(gaps):
        at_s += gap
        edges.append((index % 2 == 0, at_s))
    assert read(edges, polls) == read(edges)


@given(holds=st.lists(st.tuples(st.floats(0.05, 50.0), st.floats(0.05, 50.0)), max_size=15))
def test_every_clean_press_is_told_exactly_once_as_what_its_length_says(
    holds: list[tuple[float, float]],
) -> None:
    edges, expected, at_s = [], [], 0.0
    for released_s, held_s in holds:
        down_s = at_s + released_s
        at_s = down_s + held_s
        edges += [(True, down_s), (False, at_s)]
        held = at_s - down_s
        lengths = ((TIMES.very_long_s, Press.VERY_LONG), (TIMES.long_s, Press.LONG), (0.0, Press.SHORT))
        expected.append(next(press for least_s, press in lengths if held >= least_s))
        if held >= TIMES.stuck_s:
            expected.append(Press.STUCK)
    assert read(edges) == expected


@given(times=st.lists(st.floats(-5.0, 100.0), max_size=20), levels=st.lists(st.booleans(), max_size=20))
def test_a_clock_that_jumps_back_breaks_nothing(times: list[float], levels: list[bool]) -> None:
    reader = PressReader(TIMES, False, 0.0)
    message = []
    for at_s, level in zip(times, levels, strict=False):
        reader.edge(level, at_s)
        message += reader.presses(at_s)
    message += reader.presses(END_S)
    assert message.count(Press.SHORT) + message.count(Press.LONG) <= levels.count(True)
