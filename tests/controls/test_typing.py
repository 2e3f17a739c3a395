"""Typing what the specimen is called, in a terminal and in a window."""

import os
import pty

import pytest

from leukoscope.controls import Action, Event, Identify
from leukoscope.controls.keyboard import Keyboard, parsed
from leukoscope.controls.typing import TypedKeys
from leukoscope.controls.window_keys import WindowKeyboardSettings
from leukoscope.specimen.sample_id import UNREADABLE, why_not_an_id
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


def test_an_id_that_is_too_long_is_not_cut_to_another() -> None:
    (*_, last) = typed("i", *"0123456789" * 7, "enter")
    assert last == Identify("0123456789" * 7)
    assert why_not_an_id("0123456789" * 7) == "expected 1 to 64 printable characters"


def test_a_control_character_spoils_an_id() -> None:
    """A scanner that is a keyboard sends FNC1 so; left out, 01 and 21 would be one id."""
    assert typed("i", "0", "\x1d", "2", "enter")[-1] == Identify(f"0{UNREADABLE}2")


@pytest.mark.parametrize("sent", ["iA\u00c42\n", "iA\x1d2\n", "iA\u20ac2\t", "iA\U0001f6002\n"])
def test_what_a_terminal_sends_that_is_no_character_of_an_id_is_not_left_out(sent: str) -> None:
    hand = TypedKeys({})
    pending, keys = parsed(sent.encode())
    assert pending == b""
    assert [hand.press(key) for key in keys][-1] == Identify(f"A{UNREADABLE}2")


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
