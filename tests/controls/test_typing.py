"""Typing what the specimen is called, in a terminal and in a window."""

import os
import pty

from leukoscope.controls import Action, Event, Identify
from leukoscope.controls.keyboard import Keyboard
from leukoscope.controls.typing import TypedKeys
from leukoscope.controls.window_keys import WindowKeyboardSettings
from tests.contracts.test_control import Keys


def typed(*keys: str, capitals: bool = False) -> list[Event | None]:
    hand = TypedKeys({"f": Action.FINISH, "q": Action.QUIT}, capitals=capitals)
    return [hand.press(key) for key in keys]


def test_letters_are_actions_until_an_id_is_begun_and_again_after_it() -> None:
    assert typed("f", "i", "q", "f", "enter", "f") == [
        Action.FINISH,
        Identify("", complete=False),
        Identify("q", complete=False),
        Identify("qf", complete=False),
        Identify("qf"),
        Action.FINISH,
    ]


def test_a_slip_is_taken_back() -> None:
    assert typed("i", "A", "B", "backspace", "backspace", "backspace", "C", "enter")[-1] == Identify("C")


def test_an_id_that_is_given_up_is_no_id() -> None:
    for keys in (("i", "A", "escape", "f"), ("i", "enter", "f"), ("i", " ", "enter", "f")):
        assert typed(*keys)[-2:] == [Identify(""), Action.FINISH]


def test_arrows_and_other_names_are_no_letters() -> None:
    assert typed("i", "A", "left", "f1", "enter") == [
        Identify("", complete=False),
        Identify("A", complete=False),
        None,
        None,
        Identify("A"),
    ]


def test_an_id_is_typed_in_a_terminal() -> None:
    master, slave = pty.openpty()
    keyboard = Keyboard(slave)
    os.write(master, b"iLab-7x\x7f\n ")
    events = []
    while (event := keyboard.poll()) is not None:
        events.append(event)
    keyboard.close()
    os.close(master)
    os.close(slave)
    assert events[-2:] == [Identify("Lab-7"), Action.TOGGLE]


def test_an_id_typed_in_a_window_is_in_capitals() -> None:
    keys = Keys()
    control = WindowKeyboardSettings().open(keys)
    keys.waiting = ["i", "l", "left shift", "a", "[7]", "-", "1", "return", "space"]
    events = []
    while (event := control.poll()) is not None:
        events.append(event)
    assert events[-2:] == [Identify("LA7-1"), Action.TOGGLE]
