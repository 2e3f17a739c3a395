"""The scanner driver, with evdev's own reading of kernel events."""

import inspect
import os
from pathlib import Path
from typing import Any, Literal

import pytest
from evdev import InputDevice, InputEvent, UInput, ecodes
from pydantic import ValidationError

from leukoscope.controls import Identify
from leukoscope.controls.scancodes import CodeReader
from leukoscope.controls.scanner import Scanner, ScannerSettings
from leukoscope.errors import ControlError
from leukoscope.specimen.sample_id import UNREADABLE, why_not_an_id
from tests.brokers import wait_until
from tests.controls.scanner_wire import PipedDevice, ScannerWire

SETTINGS = ScannerSettings(device=Path("/dev/input/by-id/usb-scanner-event-kbd"))
UINPUT = Path("/dev/uinput")


class Hand:
    """A scanner, and the clock on the wall."""

    def __init__(self, settings: ScannerSettings = SETTINGS) -> None:
        self.wire = ScannerWire()
        self.now_s = 0.0
        self.scanner = Scanner(settings, self.wire.connect, lambda: self.now_s)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.wire.at_s += seconds

    def scanned(self) -> list[str]:
        codes = []
        while (event := self.scanner.poll()) is not None:
            assert isinstance(event, Identify) and event.complete
            codes.append(event.sample_id)
        return codes


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_a_scan_is_one_id_with_its_capitals(hand: Hand) -> None:
    hand.wire.scan("LAB-2026/0417.Ab")
    assert hand.scanned() == ["LAB-2026/0417.Ab"]


def test_nobody_else_gets_the_keys(hand: Hand) -> None:
    assert hand.wire.devices[0].grabbed


def test_a_code_may_come_in_pieces_but_not_after_a_pause(hand: Hand) -> None:
    hand.wire.type("A-")
    assert hand.scanned() == []
    hand.wait(0.9)
    hand.wire.scan("17")
    assert hand.scanned() == ["A-17"]


def test_a_code_that_broke_off_is_refused_and_the_next_one_is_read(hand: Hand) -> None:
    hand.wire.type("half of a code")
    assert hand.scanned() == []
    hand.wait(1.1)
    assert hand.scanned() == [f"half of a code{UNREADABLE}"]
    assert hand.scanned() == []
    hand.wait(4.0)
    hand.wire.scan("B-2")
    assert hand.scanned() == ["B-2"]


@pytest.mark.parametrize("asked_in_between", [True, False])
def test_the_rest_of_a_code_that_broke_off_is_no_code(hand: Hand, asked_in_between: bool) -> None:
    """A radio scanner that lost its link for a moment: 12 may be the id of another patient."""
    hand.wire.type("AB-")
    hand.scanned()
    hand.wait(1.5)
    if asked_in_between:
        assert hand.scanned() == [f"AB-{UNREADABLE}"]
    hand.wire.scan("12")
    assert hand.scanned() == [f"{UNREADABLE}12"]
    hand.wire.scan("AB-12")
    assert hand.scanned() == ["AB-12"]


def test_a_scanner_that_ends_its_codes_with_no_key_is_told(hand: Hand) -> None:
    for _ in range(2):
        hand.wire.type("A-17")
        hand.scanned()
        hand.wait(5.0)
        assert hand.scanned() == [f"A-17{UNREADABLE}"]
    hand.wire.press(ecodes.KEY_ENTER)
    assert hand.scanned() == []


def test_a_busy_program_reads_a_code_late_and_whole(hand: Hand) -> None:
    hand.wire.type("AB-")
    hand.scanned()
    # The rest lies in the kernel's buffer while a picture is examined.
    hand.wire.scan("12")
    hand.now_s += 4.0
    assert hand.scanned() == ["AB-12"]


def test_enter_alone_is_no_code_and_a_held_key_counts_once(hand: Hand) -> None:
    hand.wire.press(ecodes.KEY_ENTER)
    hand.wire.send(*[hand_event(ecodes.KEY_7, value) for value in (1, 2, 2, 2, 0)])
    hand.wire.press(ecodes.KEY_KPENTER)
    assert hand.scanned() == ["7"]


def hand_event(key: int, value: int) -> Any:
    from evdev import InputEvent

    return InputEvent(0, 0, ecodes.EV_KEY, key, value)


def test_an_unplugged_scanner_is_told_once_and_looked_for_until_it_is_back(hand: Hand) -> None:
    hand.wire.type("lost")
    hand.scanned()
    hand.wire.unplug()
    with pytest.raises(ControlError, match=r"usb-scanner-event-kbd is gone: plug it in"):
        hand.scanner.poll()
    for _ in range(10):
        hand.wait(1.0)
        assert hand.scanner.poll() is None
    hand.wire.plug_in()
    hand.wait(3.0)
    assert hand.scanner.poll() is None
    hand.wire.scan("S-1")
    assert hand.scanned() == ["S-1"]
    assert hand.wire.devices[-1].grabbed


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (FileNotFoundError(2, "No such file"), "no scanner at .*: is it plugged in"),
        (PermissionError(13, "Permission denied"), "add the user to the group input"),
        (OSError(25, "Inappropriate ioctl"), r"is no scanner \(Inappropriate ioctl\)"),
    ],
)
def test_a_scanner_that_cannot_be_opened_says_what_to_do(problem: OSError, message: str) -> None:
    wire = ScannerWire()
    wire.problem = problem
    with pytest.raises(ControlError, match=message):
        Scanner(SETTINGS, wire.connect, lambda: 0.0)


def test_a_scanner_that_another_program_holds_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: PipedDevice) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(PipedDevice, "grab", busy)
    wire = ScannerWire()
    with pytest.raises(ControlError, match="is held by another program"):
        Scanner(SETTINGS, wire.connect, lambda: 0.0)
    assert wire.devices[0].fd == -1


def test_without_evdev_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "evdev", None)
    with pytest.raises(ControlError, match=r"apt install python3-evdev"):
        SETTINGS.open()


def test_a_file_that_is_no_scanner_is_refused_by_evdev_itself() -> None:
    for place, message in (("/none/such", "is it plugged in"), (os.devnull, "is no scanner")):
        with pytest.raises(ControlError, match=message):
            ScannerSettings(device=Path(place)).open()


@pytest.mark.parametrize("method", ["__init__", "grab", "read_one", "close"])
def test_the_stand_in_has_the_signatures_of_evdev(method: str) -> None:
    ours, theirs = (list(inspect.signature(getattr(kind, method)).parameters) for kind in (PipedDevice, InputDevice))
    assert ours == theirs


DIGITS = {
    "us": {str(digit): ([getattr(ecodes, f"KEY_{digit}")], False) for digit in range(10)},
    "fr": {str(digit): ([getattr(ecodes, f"KEY_{digit}")], True) for digit in range(10)},
}
DIGITS["de"] = DIGITS["us"]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOVED = {"us": {}, "de": {"Y": "Z", "Z": "Y"}, "fr": {"A": "Q", "Q": "A", "Z": "W", "W": "Z", "M": "SEMICOLON"}}
"""Which key, by its name on a US keyboard, gives a letter elsewhere."""
DASH = {"us": ecodes.KEY_MINUS, "de": ecodes.KEY_SLASH, "fr": ecodes.KEY_6}


@pytest.mark.parametrize("layout", ["us", "de", "fr"])
def test_digits_letters_and_the_dash_are_read_on_every_layout(layout: Literal["us", "de", "fr"]) -> None:
    hand = Hand(ScannerSettings(device=SETTINGS.device, layout=layout))
    for keys, shift in DIGITS[layout].values():
        hand.wire.press(keys[0], shift)
    hand.wire.press(DASH[layout])
    for letter in LETTERS:
        key = getattr(ecodes, f"KEY_{MOVED[layout].get(letter, letter)}")
        hand.wire.press(key)
        hand.wire.press(key, shift=True)
    hand.wire.press(ecodes.KEY_ENTER)
    (code,) = hand.scanned()
    assert code == "0123456789-" + "".join(letter.lower() + letter for letter in LETTERS)


@pytest.mark.parametrize("layout", ["us", "de", "fr"])
def test_the_keypad_is_the_same_everywhere(layout: Literal["us", "de", "fr"]) -> None:
    hand = Hand(ScannerSettings(device=SETTINGS.device, layout=layout))
    for key in [getattr(ecodes, f"KEY_KP{digit}") for digit in range(10)] + [ecodes.KEY_KPMINUS, ecodes.KEY_KPENTER]:
        hand.wire.press(key)
    assert hand.scanned() == ["0123456789-"]


@pytest.mark.parametrize("held", ["KEY_LEFTCTRL", "KEY_RIGHTCTRL", "KEY_LEFTALT", "KEY_RIGHTALT", "KEY_LEFTMETA"])
def test_a_key_pressed_with_a_modifier_is_no_letter_and_the_code_is_refused(hand: Hand, held: str) -> None:
    """So a scanner sends control characters: STX before a code, ETX behind it, FNC1 as Ctrl and ]."""
    modifier = getattr(ecodes, held)
    hand.wire.type("01")
    hand.wire.send(hand_event(modifier, 1))
    hand.wire.press(ecodes.KEY_RIGHTBRACE)
    hand.wire.send(hand_event(modifier, 0))
    hand.wire.scan("21")
    (code,) = hand.scanned()
    assert code == f"01{UNREADABLE}21"
    assert why_not_an_id(code) == "expected a code that could be read whole"
    hand.wire.scan("B-2")
    assert hand.scanned() == ["B-2"]


def test_tab_ends_a_code_as_enter_does(hand: Hand) -> None:
    hand.wire.type("A-17")
    hand.wire.press(ecodes.KEY_TAB)
    hand.wire.scan("A-18")
    assert hand.scanned() == ["A-17", "A-18"]


@pytest.mark.parametrize("key", [ecodes.KEY_F1, ecodes.KEY_CAPSLOCK, ecodes.KEY_DOWN, ecodes.KEY_BACKSPACE])
def test_a_key_that_is_no_character_makes_the_code_unreadable(hand: Hand, key: int) -> None:
    hand.wire.type("A")
    hand.wire.press(key)
    hand.wire.scan("17")
    assert hand.scanned() == [f"A{UNREADABLE}17"]


def test_events_that_the_kernel_dropped_make_the_code_unreadable(hand: Hand) -> None:
    hand.wire.type("A1")
    hand.wire.send(InputEvent(0, 0, ecodes.EV_SYN, ecodes.SYN_DROPPED, 0))
    hand.wire.scan("7")
    assert hand.scanned() == [f"A1{UNREADABLE}7"]


def test_a_code_without_end_does_not_fill_the_memory() -> None:
    reader = CodeReader("us", 1.0)
    for _ in range(10_000):
        reader.event(ecodes.EV_KEY, ecodes.KEY_1, 1, 0.0)
    code = reader.event(ecodes.EV_KEY, ecodes.KEY_ENTER, 1, 0.0)
    assert code is not None and len(code) == 256


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(ValidationError, match="'us', 'de' or 'fr'"):
        ScannerSettings.model_validate({"device": "/dev/input/event0", "layout": "dvorak"})


@pytest.mark.skipif(not os.access(UINPUT, os.W_OK), reason=f"{UINPUT} is not here or not ours: modprobe uinput")
def test_a_scanner_made_by_the_kernel_is_read_and_grabbed() -> None:
    with UInput({ecodes.EV_KEY: [*range(1, 100)]}, name="leukoscope test scanner") as keyboard:
        scanner = ScannerSettings(device=Path(str(keyboard.device.path))).open()
        for key in (ecodes.KEY_A, ecodes.KEY_1, ecodes.KEY_ENTER):
            for value in (1, 0):
                keyboard.write(ecodes.EV_KEY, key, value)
                keyboard.syn()
        wait_until(lambda: scanner.poll() == Identify("a1"))
        scanner.close()
