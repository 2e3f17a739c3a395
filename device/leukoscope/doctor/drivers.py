"""How the doctor tries the part that a driver's settings open; one line for each driver that can be tried.

Windows and snapshots are not tried: they need a desktop, or the terminal that the findings are printed on.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from leukoscope.controls.button import ButtonSettings
from leukoscope.controls.scanner import ScannerSettings
from leukoscope.delivery.mqtt.mqtt_settings import MqttSettings
from leukoscope.displays.lcd import LcdSettings
from leukoscope.displays.oled import OledSettings
from leukoscope.doctor.broker import check_broker
from leukoscope.doctor.parts import check_button, check_display, check_scanner, check_signals
from leukoscope.indicators import SignalSettings
from leukoscope.messages.identity import Identity


class Check(NamedTuple):
    """One part that the doctor can try."""

    part: str
    """What it is called in the findings."""
    run: Callable[[], str]
    """Tries it; returns what was found or raises a LeukoscopeError."""


def check_of(settings: object, identity: Identity, outbox: Path) -> Check | None:
    """How to try the part that these settings open; None where there is nothing to try.

    Args:
        settings: of a display, a control, the signals or the reporting.
        identity: by which the device goes at its broker.
        outbox: of the bench.
    """
    match settings:
        case OledSettings() | LcdSettings():
            return Check(f"display {settings.driver}", partial(check_display, settings))
        case ButtonSettings():
            return Check("button", partial(check_button, settings))
        case ScannerSettings():
            return Check("scanner", partial(check_scanner, settings))
        case SignalSettings():
            return Check("signals", partial(check_signals, settings))
        case MqttSettings():
            return Check("broker", partial(check_broker, settings, identity, outbox))
        case _:
            return None
