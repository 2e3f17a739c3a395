"""The terminal's keyboard, on a pseudo-terminal."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import leukoscope
from leukoscope.controls import Action
from leukoscope.controls.keyboard import Keyboard, KeyboardSettings, parsed
from leukoscope.errors import ControlError


@dataclass
class Desk:
    """Both ends of a terminal: fingers at `master`, the program at `slave`."""

    master: int
    slave: int

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def waits_for_return(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ICANON)

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)


@pytest.fixture
def desk() -> Iterator[Desk]:
    master, slave = pty.openpty()
    yield Desk(master, slave)
    os.close(master)
    os.close(slave)


def drained(keyboard: Keyboard) -> list[object]:
    actions: list[object] = []
    while (action := keyboard.poll()) is not None:
        actions.append(action)
    return actions


def test_keys_need_no_return_and_others_are_ignored(desk: Desk) -> None:
    keyboard = Keyboard(desk.slave)
    desk.type(b" xf1\x1b[A\x1b[B\x1b[C\x1bOD\x1b[15~q")
    assert drained(keyboard) == [
        Action.TOGGLE,
        Action.FINISH,
        Action.STAGE_UP,
        Action.STAGE_DOWN,
        Action.STAGE_RIGHT,
        Action.STAGE_LEFT,
        Action.QUIT,
    ]
    keyboard.close()


def test_an_arrow_that_arrives_in_pieces_is_one_arrow(desk: Desk) -> None:
    keyboard = Keyboard(desk.slave)
    for piece in (b"\x1b", b"[", b"D "):
        assert keyboard.poll() is None
        desk.type(piece)
    assert drained(keyboard) == [Action.STAGE_LEFT, Action.TOGGLE]
    keyboard.close()


def test_the_terminal_is_given_back_as_it_was(desk: Desk) -> None:
    before = termios.tcgetattr(desk.slave)
    keyboard = Keyboard(desk.slave)
    assert not desk.waits_for_return() and not desk.echoes()
    keyboard.close()
    keyboard.close()
    assert termios.tcgetattr(desk.slave) == before


def test_a_crash_gives_the_terminal_back_too(desk: Desk) -> None:
    program = (
        "from leukoscope.controls.keyboard import KeyboardSettings\n"
        "keyboard = KeyboardSettings().open()\n"
        "print('opened', flush=True)\n"
        "raise RuntimeError('crash')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(leukoscope.__file__).parents[1])}
    crashed = subprocess.run(
        [sys.executable, "-c", program],
        stdin=desk.slave,
        capture_output=True,
        env=environment,
        timeout=30,
        check=False,
    )
    assert crashed.stdout == b"opened\n"
    assert b"RuntimeError: crash" in crashed.stderr
    assert desk.waits_for_return() and desk.echoes()


def test_a_terminal_that_goes_away_is_a_control_error() -> None:
    master, slave = pty.openpty()
    keyboard = Keyboard(slave)
    os.close(master)
    with pytest.raises(ControlError, match="terminal went away"):
        keyboard.poll()
    keyboard.close()
    os.close(slave)


def test_input_that_is_no_terminal_is_refused_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(ControlError, match=r'needs a terminal.*driver = "button"'):
            KeyboardSettings().open()
        with pytest.raises(ControlError, match="cannot be read key by key"):
            Keyboard(nothing.fileno())


@given(typed=st.binary(max_size=60), cut=st.integers(0, 60))
def test_it_never_matters_where_the_bytes_are_cut(typed: bytes, cut: int) -> None:
    pending, first = parsed(typed[:cut])
    left, rest = parsed(pending + typed[cut:])
    assert (left, first + rest) == parsed(typed)
    assert len(left) < 16
