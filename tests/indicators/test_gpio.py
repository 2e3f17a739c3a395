"""Lamps and buzzer on imitated pins."""

import itertools
from typing import Any

import pytest
from gpiozero import LED
from gpiozero.pins.mock import MockFactory
from pydantic import ValidationError

from leukoscope.errors import DisplayError
from leukoscope.indicators.event import PATTERNS, Blink, Event
from leukoscope.indicators.gpio import GpioIndicator, GpioIndicatorSettings
from tests.brokers import wait_until

ALL = GpioIndicatorSettings(green_pin=5, red_pin=6, buzzer_pin=13)


class Board:
    """The pins, and the lamps on them."""

    def __init__(self, settings: GpioIndicatorSettings = ALL) -> None:
        self.factory: Any = MockFactory()
        self.signals: GpioIndicator = settings.open_on(self.factory)
        self.waited_s = 0.0
        self.signals._pause = self._wait

    def _wait(self, seconds: float) -> None:
        self.waited_s += seconds

    def lit(self, pin: int) -> bool:
        return bool(self.factory.pin(pin).state)

    def flashes(self, pin: int) -> int:
        """How often the pin has gone high."""
        states = [state.state for state in self.factory.pin(pin).states]
        return sum(after and not before for before, after in itertools.pairwise(states))


def test_lamps_are_off_until_something_is_told_and_after_closing() -> None:
    board = Board()
    assert not any(board.lit(pin) for pin in (5, 6, 13))
    board.signals.signal(Event.READY)
    assert board.lit(5) and not board.lit(6)
    board.signals.close()
    board.signals.close()


def test_a_fault_is_red_and_sounds() -> None:
    board = Board()
    board.signals.signal(Event.READY)
    board.signals.signal(Event.FAULT)
    assert board.lit(6) and not board.lit(5)
    wait_until(lambda: board.flashes(13) == 1)
    board.signals.close()
    assert 0 < board.waited_s <= 2.7, "a fault that ends the program is heard to its end"


@pytest.mark.parametrize("event", [Event.FIELD_COUNTED, Event.REFUSED])
def test_what_passes_is_heard_so_many_times_and_leaves_the_state_as_it_was(event: Event) -> None:
    board = Board()
    board.signals.signal(Event.READY)
    board.signals.signal(event)
    sound = PATTERNS[event].buzzer
    assert sound is not None
    wait_until(lambda: board.flashes(13) == sound.times and not board.lit(13))
    assert board.lit(5)
    wait_until(lambda: not board.lit(6))
    board.signals.close()


def test_counting_blinks_until_the_sample_is_done() -> None:
    board = Board()
    board.signals.signal(Event.COUNTING)
    wait_until(lambda: board.flashes(5) == 2)
    board.signals.signal(Event.DONE)
    assert board.lit(5)
    board.signals.close()


def test_all_news_can_be_told_apart_by_eye_or_ear() -> None:
    assert set(PATTERNS) == set(Event)
    assert len(set(PATTERNS.values())) == len(Event)
    assert all(sound.times for sound in (one.buzzer for one in PATTERNS.values()) if isinstance(sound, Blink))


@pytest.mark.parametrize("pins", [{"green_pin": 5}, {"red_pin": 6}, {"buzzer_pin": 13}])
def test_every_part_can_be_left_out(pins: dict[str, Any]) -> None:
    board = Board(GpioIndicatorSettings(**pins))
    for event in Event:
        board.signals.signal(event)
    board.signals.close()


def test_a_lamp_to_the_supply_is_on_while_its_pin_is_low() -> None:
    board = Board(GpioIndicatorSettings(green_pin=5, active_high=False))
    assert board.lit(5)
    board.signals.signal(Event.READY)
    assert not board.lit(5)
    board.signals.close()


def test_a_pin_that_another_process_holds_is_refused_and_the_others_let_go() -> None:
    factory: Any = MockFactory()
    other = LED(6, pin_factory=factory)
    with pytest.raises(DisplayError, match=r"BCM 6 cannot be used .*check `red_pin`"):
        ALL.open_on(factory)
    LED(5, pin_factory=factory).close()
    other.close()


def test_a_pin_that_fails_later_is_a_display_error_by_which_no_analysis_ends() -> None:
    board = Board()

    def broken(_: Any) -> None:
        raise OSError(6, "No such device")

    board.factory.pin(5)._set_state = broken
    with pytest.raises(DisplayError, match="the signals cannot be driven"):
        board.signals.signal(Event.READY)


@pytest.mark.parametrize(
    ("pins", "message"), [({}, "give at least one"), ({"green_pin": 5, "red_pin": 5}, "a pin of its own")]
)
def test_settings_without_sense_are_refused(pins: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GpioIndicatorSettings(**pins)


def test_without_the_library_for_real_pins_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lgpio", None)
    with pytest.raises(DisplayError, match=r'pip install "leukoscope\[board\]"'):
        ALL.open()
