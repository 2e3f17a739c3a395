"""What every control promises, whatever the technician presses."""

import os
import pty
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from leukoscope.controls import Action, Control, Event, Identify
from leukoscope.controls.button import ButtonSettings
from leukoscope.controls.keyboard import Keyboard
from leukoscope.controls.scanner import Scanner, ScannerSettings
from leukoscope.controls.scripted import Scripted, ScriptedPress
from leukoscope.controls.window_keys import WindowKeyboardSettings
from leukoscope.errors import ControlError
from tests.controls.scanner_wire import ScannerWire


@dataclass
class Bench:
    """A control on the bench, and the person who uses it."""

    control: Control
    use: Callable[[], None]
    """One short press, then one long one; or what else the person does with it."""
    break_it: Callable[[], None] | None
    """None for a control that nothing can happen to."""
    clean_up: list[Callable[[], None]] = field(default_factory=list)
    meant: tuple[Event, ...] = (Action.TOGGLE, Action.FINISH)


def button() -> Bench:
    from gpiozero.pins.mock import MockFactory, MockPin

    gone: list[bool] = []

    class LoosePin(MockPin):  # type: ignore[misc, unused-ignore]
        def _get_state(self) -> bool:
            if gone:
                raise OSError(6, "No such device")
            return bool(super()._get_state())

    factory: Any = MockFactory(pin_class=LoosePin)
    clock = [0.0]
    control = ButtonSettings().open_on(factory, lambda: clock[0])
    pin = factory.pin(17)

    def press() -> None:
        for seconds in (0.2, 1.5):
            pin.drive_low()
            clock[0] += seconds
            pin.drive_high()
            clock[0] += 0.5

    return Bench(control, press, lambda: gone.append(True))


def keyboard() -> Bench:
    master, slave = pty.openpty()
    open_ends = {master, slave}

    def shut(end: int) -> None:
        if end in open_ends:
            open_ends.remove(end)
            os.close(end)

    return Bench(
        Keyboard(slave),
        lambda: (os.write(master, b" f"), None)[1],
        lambda: shut(master),
        [lambda: shut(master), lambda: shut(slave)],
    )


class Keys:
    """Keys pressed in a window."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.gone = False

    def pressed(self) -> list[str]:
        if self.gone:
            raise OSError("the window is closed")
        message, self.waiting = self.waiting, []
        return message

    def show_keys(self, text: str) -> None:
        self.shown = text

    def go(self) -> None:
        self.gone = True


def window() -> Bench:
    keys = Keys()
    return Bench(WindowKeyboardSettings().open(keys), lambda: keys.waiting.extend(["space", "x", "f"]), keys.go)


def scripted() -> Bench:
    clock = [0.0]
    presses = tuple(ScriptedPress(action=action, after_s=5) for action in (Action.TOGGLE, Action.FINISH))

    def later() -> None:
        clock[0] = 6.0

    return Bench(Scripted(presses, lambda: clock[0]), later, None)


def scanner() -> Bench:
    wire = ScannerWire()
    return Bench(
        Scanner(ScannerSettings(device=Path("/dev/input/scanner")), wire.connect, lambda: 0.0),
        lambda: wire.scan("A-17", "B/2"),
        wire.unplug,
        [wire.unplug],
        (Identify("A-17"), Identify("B/2")),
    )


BENCHES = {"button": button, "keyboard": keyboard, "window": window, "scripted": scripted, "scanner": scanner}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = BENCHES[request.param]()
    yield made
    made.control.close()
    for each in made.clean_up:
        each()


def test_a_control_that_nobody_touches_says_nothing_and_does_not_wait(bench: Bench) -> None:
    started = time.monotonic()
    assert [bench.control.poll() for _ in range(20)] == [None] * 20
    assert time.monotonic() - started < 1.0


def test_events_are_delivered_once_and_oldest_first(bench: Bench) -> None:
    assert bench.control.poll() is None
    bench.use()
    assert [bench.control.poll() for _ in range(4)] == [*bench.meant, None, None]


def test_a_control_that_goes_away_is_a_control_error(bench: Bench) -> None:
    if bench.break_it is None:
        pytest.skip("nothing can happen to a script")
    assert bench.control.poll() is None
    bench.break_it()
    with pytest.raises(ControlError):
        bench.control.poll()


def test_closing_twice_is_once_even_when_it_went_away(bench: Bench) -> None:
    if bench.break_it is not None:
        bench.break_it()
    bench.control.close()
    bench.control.close()


def test_a_closed_control_cannot_be_polled(bench: Bench) -> None:
    bench.control.close()
    with pytest.raises(ControlError, match="closed"):
        bench.control.poll()
