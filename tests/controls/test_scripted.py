"""A script of presses."""

import pytest
from pydantic import TypeAdapter, ValidationError

from leukoscope.controls import Action, ControlSettings
from leukoscope.controls.scripted import Scripted, ScriptedSettings


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


def scripted(clock: Clock, *presses: dict[str, object]) -> Scripted:
    settings = ScriptedSettings.model_validate({"presses": presses})
    return Scripted(settings.presses, clock)


def test_a_press_waits_for_its_time_counted_from_the_first_poll() -> None:
    clock = Clock()
    control = scripted(clock, {"action": "toggle", "after_s": 0.5})
    clock.now_s += 100
    assert control.poll() is None
    clock.now_s += 0.49
    assert control.poll() is None
    clock.now_s += 0.02
    assert control.poll() is Action.TOGGLE
    assert control.poll() is None


def test_a_press_waits_for_its_number_of_polls() -> None:
    control = scripted(Clock(), {"action": "toggle", "after_polls": 2}, {"action": "quit", "after_polls": 4})
    assert [control.poll() for _ in range(6)] == [None, None, Action.TOGGLE, None, Action.QUIT, None]


def test_presses_keep_their_order_and_come_one_at_a_time() -> None:
    clock = Clock()
    control = scripted(clock, {"action": "finish", "after_s": 3}, {"action": "toggle", "after_s": 1})
    control.poll()
    clock.now_s += 2
    assert control.poll() is None
    clock.now_s += 1
    assert [control.poll(), control.poll(), control.poll()] == [Action.FINISH, Action.TOGGLE, None]


@pytest.mark.parametrize("when", [{}, {"after_s": 1, "after_polls": 1}])
def test_a_press_without_one_clear_condition_is_refused(when: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="exactly one of after_s and after_polls"):
        ScriptedSettings.model_validate({"presses": [{"action": "toggle", **when}]})


@pytest.mark.parametrize("driver", ["button", "keyboard", "window", "scripted"])
def test_a_control_is_chosen_by_its_driver_name(driver: str) -> None:
    asked: dict[str, object] = {"driver": driver} | ({"presses": []} if driver == "scripted" else {})
    assert TypeAdapter(ControlSettings).validate_python(asked).driver == driver


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="pins"):
        TypeAdapter(ControlSettings).validate_python({"driver": "button", "pins": 3})
