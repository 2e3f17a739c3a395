"""The button on imitated pins."""

from typing import Any

import pytest
from gpiozero import Button as OtherButton
from gpiozero.pins.mock import MockFactory
from pydantic import ValidationError

from leukoscope.controls import Action
from leukoscope.controls.button import Button, ButtonSettings
from leukoscope.errors import ControlError


class Hand:
    """A finger on the pin, and the clock on the wall."""

    def __init__(self, settings: ButtonSettings | None = None) -> None:
        self.settings = settings or ButtonSettings()
        self.factory: Any = MockFactory()
        self.now_s = 100.0
        self.pin = self.factory.pin(self.settings.pin)

    def open(self) -> Button:
        return self.settings.open_on(self.factory, lambda: self.now_s)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def hold(self, seconds: float) -> None:
        self.down()
        self.wait(seconds)
        self.up()

    def down(self) -> None:
        self.pin.drive_low() if self.settings.pull_up else self.pin.drive_high()

    def up(self) -> None:
        self.pin.drive_high() if self.settings.pull_up else self.pin.drive_low()


@pytest.fixture(params=[True, False], ids=["to ground", "to 3.3 V"])
def hand(request: pytest.FixtureRequest) -> Hand:
    return Hand(ButtonSettings(pull_up=request.param))


def test_a_short_press_starts_a_long_one_finishes_and_a_very_long_one_discards(hand: Hand) -> None:
    button = hand.open()
    for seconds, action in ((0.2, Action.TOGGLE), (1.01, Action.FINISH), (3.9, Action.FINISH), (4.1, Action.DISCARD)):
        hand.hold(seconds)
        hand.wait(0.1)
        assert button.poll() is action
        assert button.poll() is None


def test_a_very_long_press_is_told_while_the_finger_is_still_down(hand: Hand) -> None:
    button = hand.open()
    hand.down()
    hand.wait(3.9)
    assert button.poll() is None
    hand.wait(0.2)
    assert button.poll() is Action.DISCARD
    hand.up()
    hand.wait(1.0)
    assert button.poll() is None


def test_a_very_long_press_shorter_than_a_long_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="very_long_s = 2 must be longer than long_s = 3"):
        ButtonSettings(long_s=3.0, very_long_s=2.0)


def test_presses_made_while_the_program_was_busy_are_all_delivered_in_order(hand: Hand) -> None:
    button = hand.open()
    for seconds in (0.2, 1.5, 0.1):
        hand.hold(seconds)
        hand.wait(0.5)
    assert [button.poll() for _ in range(4)] == [Action.TOGGLE, Action.FINISH, Action.TOGGLE, None]


def test_a_stuck_button_is_an_error_once_and_works_again_when_it_is_freed() -> None:
    hand = Hand()
    button = hand.open()
    hand.down()
    hand.wait(5.0)
    assert button.poll() is Action.DISCARD
    hand.wait(26.0)
    with pytest.raises(ControlError, match="down for 30 s: it is stuck"):
        button.poll()
    hand.wait(60.0)
    assert button.poll() is None
    hand.up()
    hand.wait(1.0)
    hand.hold(0.2)
    hand.wait(1.0)
    assert button.poll() is Action.TOGGLE


def test_an_edge_that_never_arrived_is_made_up_for_by_looking_at_the_pin() -> None:
    hand = Hand()
    button = hand.open()
    hand.down()
    assert button.poll() is None
    hand.wait(0.2)
    hand.pin._state = True  # released, without telling anybody
    assert button.poll() is None
    hand.wait(0.1)
    assert button.poll() is Action.TOGGLE


def test_a_pin_that_another_process_holds_is_refused_with_its_number() -> None:
    hand = Hand()
    other = OtherButton(hand.settings.pin, pin_factory=hand.factory)
    with pytest.raises(ControlError, match="BCM 17 cannot be used"):
        hand.open()
    other.close()


def test_a_pin_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ControlError, match="BCM 99 cannot be used"):
        Hand(ButtonSettings()).settings.model_copy(update={"pin": 99}).open_on(MockFactory(), lambda: 0.0)


def test_without_the_library_for_real_pins_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lgpio", None)
    with pytest.raises(ControlError, match=r'pip install "leukoscope\[board\]"'):
        ButtonSettings(pin_factory="lgpio").open()


def test_the_imitated_pin_can_be_chosen_and_is_never_pressed() -> None:
    button = ButtonSettings(pin_factory="mock").open()
    assert button.poll() is None
    button.close()
