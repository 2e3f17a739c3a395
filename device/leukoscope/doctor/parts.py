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
from leukoscope.sentence import Sentence, Verbatim
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
    text = Sentence(
        "{id}: {scale} µm/px, {origin}",
        id=Verbatim(calibration.id),
        scale=f"{calibration.um_per_px:.4g}",
        origin=origin,
    )
    if (learnt := _learnt_size(settings, calibration)) is not None:
        text = Sentence("{first}; {rest}", first=text, rest=learnt)
    if settings.calibration.file is None:
        return text
    path = find_asset("calibration", settings.calibration.file, near)
    parts = read_record(path).measurements()
    for name, part in parts.items():
        # Pictures correct nothing, so only here is asked whether they are still what was measured on.
        read_kept(path.parent, part.picture)
        measured = Sentence(
            "{name} by {by} on {day}, until {last_day}",
            name=name,
            by=Verbatim(part.by),
            day=f"{part.at:%Y-%m-%d}",
            last_day=f"{part.valid_until:%Y-%m-%d}",
        )
        left = (part.valid_until - datetime.now(UTC)).days
        if left < SOON_DAYS:
            measured = Sentence(
                "{measured} ({left} days left: run `leukoscope calibrate {name}`)",
                measured=measured,
                left=left,
                name=Verbatim(name),
            )
        text = Sentence("{first}; {rest}", first=text, rest=measured)
    return text


def _learnt_size(settings: BenchSettings, calibration: Calibration) -> Sentence | None:
    """How far the bench has learnt the usual size of its cells; None where it learns nothing."""
    learnt = LearntSize.read_any(settings.storage.folder)
    if settings.models.cell_size == "as_measured" or learnt is None or learnt.calibration != calibration.id:
        return None
    if (reference := learnt.reference) is None:
        return Sentence(
            "{known} of {enough} specimens known that teach the size of cells",
            known=len(learnt.specimens),
            enough=ENOUGH_SPECIMENS,
        )
    return Sentence(
        "cells shown {times} times as large, as {specimens} specimens taught",
        times=f"{reference.enlarged:.2f}",
        specimens=reference.specimens,
    )


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
    return Sentence("pin BCM {pin} can be read", pin=settings.pin)


def check_scanner(settings: ScannerSettings) -> str:
    """Open it.

    Raises:
        ControlError: it does not answer.
    """
    scanner = settings.open()
    scanner.close()
    return Sentence("{device}: answers, layout {layout}", device=Verbatim(settings.device), layout=settings.layout)


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
    return Sentence("{size} pixels, took a picture", size=f"{display.size[0]}x{display.size[1]}")


def check_clock() -> str:
    """Whether the clock is held by a time server; reports say so, and a site without one still counts."""
    match clock_synchronised():
        case True:
            return "synchronised"
        case False:
            return "not synchronised: reports say so; connect to a time server if you can"
        case None:
            return "this system cannot tell whether it is synchronised"
