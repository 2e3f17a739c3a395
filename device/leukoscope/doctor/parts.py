"""Calibration, display, button and clock."""

from datetime import UTC, datetime
from pathlib import Path

from leukoscope import __version__
from leukoscope.controls.button import ButtonSettings
from leukoscope.controls.scanner import ScannerSettings
from leukoscope.displays import Display, DisplaySettings
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Starting
from leukoscope.indicators import Event, SignalSettings
from leukoscope.optics.calibration import Calibration, read_kept
from leukoscope.optics.calibration_record import read_record
from leukoscope.optics.learnt_size import ENOUGH_SPECIMENS, LearntSize
from leukoscope.settings import BenchSettings
from leukoscope.system.assets import find_asset
from leukoscope.system.host import clock_synchronised

SOON_DAYS = 30


def check_calibration(settings: BenchSettings, near: Path) -> str:
    """What is in force, who measured it and for how long it holds.

    Raises:
        LeukoscopeError: it is missing, altered, expired or made for another objective.
    """
    calibration = settings.calibration.open(near)
    origin = "measured" if calibration.measured else "nominal, not measured on this bench"
    text = f"{calibration.id}: {calibration.um_per_px:.4g} µm/px, {origin}{_learnt_size(settings, calibration)}"
    if settings.calibration.file is None:
        return text
    path = find_asset("calibration", settings.calibration.file, near)
    parts = read_record(path).measurements()
    for name, part in parts.items():
        # Pictures correct nothing, so only here is asked whether they are still what was measured on.
        read_kept(path.parent, part.picture)
        text += f"; {name} by {part.by} on {part.at:%Y-%m-%d}, until {part.valid_until:%Y-%m-%d}"
        left = (part.valid_until - datetime.now(UTC)).days
        if left < SOON_DAYS:
            text += f" ({left} days left: run `leukoscope calibrate {name}`)"
    return text


def _learnt_size(settings: BenchSettings, calibration: Calibration) -> str:
    """How far the bench has learnt the usual size of its cells, in words."""
    learnt = LearntSize.read_any(settings.storage.folder)
    if settings.models.cell_size == "as_measured" or learnt is None or learnt.calibration != calibration.id:
        return ""
    if (reference := learnt.reference) is None:
        return f"; {len(learnt.specimens)} of {ENOUGH_SPECIMENS} specimens known that teach the size of cells"
    return f"; cells shown {reference.enlarged:.2f} times as large, as {reference.specimens} specimens taught"


def check_button(settings: ButtonSettings) -> str:
    """Claim the pin and read it.

    Raises:
        ControlError: it cannot be used.
    """
    button = settings.open()
    try:
        button.poll()
    finally:
        button.close()
    return f"pin BCM {settings.pin} can be read"


def check_scanner(settings: ScannerSettings) -> str:
    """Open it.

    Raises:
        ControlError: it does not answer.
    """
    scanner = settings.open()
    scanner.close()
    return f"{settings.device}: answers, layout {settings.layout}"


def check_signals(settings: SignalSettings) -> str:
    """Light and sound what there is.

    Raises:
        DisplayError: a pin cannot be used.
    """
    signals = settings.open()
    signals.signal(Event.DONE)
    signals.close()
    return "green lamp lit and three sounds made, where there are such parts: did you see and hear them?"


def check_display(settings: DisplaySettings) -> str:
    """Show a picture.

    Raises:
        DisplayError: it does not answer.
    """
    display: Display = settings.open()
    try:
        display.show(draw(Starting("leukoscope doctor", __version__), display.size, display.monochrome))
    finally:
        display.close()
    return f"{display.size[0]}x{display.size[1]} pixels, took a picture"


def check_clock() -> str:
    """Whether the clock is held by a time server; reports say so, and a site without one still counts."""
    match clock_synchronised():
        case True:
            return "synchronised"
        case False:
            return "not synchronised: reports say so; connect to a time server if you can"
        case None:
            return "this system cannot tell whether it is synchronised"
