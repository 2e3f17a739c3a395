"""Makes device/session.png, the README's strip: what eye and display see while a simulated slide is moved by hand.

.venv/bin/python tools/draw_session.py
"""

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

from leukoscope.displays.panel import Panel
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Counting, Hint, Looking, Ready, Result, Screen
from leukoscope.errors import DisplayError
from leukoscope.service.loop import Service
from leukoscope.service.opening import open_bench
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame
from leukoscope.system.watchdog import Watchdog
from screens_in_picture import ShownScreen, png_info

CHECKOUT = Path(__file__).resolve().parents[1]
SCREEN = (320, 240)
GAP = 6
WHITE_CELLS = 12


class Witness(Panel):
    """A panel that remembers the first field and screen of each kind it is looking for."""

    def __init__(self) -> None:
        super().__init__([])
        self.seen: dict[str, tuple[Frame | None, Screen]] = {}
        self._field: Frame | None = None

    def show_field(self, frame: Frame) -> list[DisplayError]:
        """Remember what the eye sees."""
        self._field = frame
        return []

    def show(self, screen: Screen) -> list[DisplayError]:
        """Remember what the display says."""
        self.shown = screen
        match screen:
            case Ready():
                self.seen.setdefault("ready", (self._field, screen))
            case Looking(hint=Hint.WAIT) if screen.white_so_far:
                self.seen.setdefault("moving", (self._field, screen))
            case Looking(hint=Hint.MOVE):
                self.seen.setdefault("counted", (self._field, screen))
            case Counting() if screen.white_so_far >= WHITE_CELLS // 2:
                self.seen.setdefault("counting", (self._field, screen))
            case Result():
                self.seen.setdefault("result", (self._field, screen))
        return []


def main() -> None:
    """Count a short sample and lay out what was seen."""
    witness = Witness()
    with tempfile.TemporaryDirectory() as folder:
        settings = BenchSettings.model_validate(bench(Path(folder)))
        with open_bench(settings, CHECKOUT, Watchdog.of_this_process()) as opened:
            # A second passes at each look at the clock, so that every hint is given at once.
            clock = itertools.count(0.0)
            watched = replace(opened, panel=witness)
            Service(watched, CHECKOUT, samples=1, clock_s=lambda: next(clock), sleep=lambda _: None).run()
    pairs = [witness.seen[name] for name in ("moving", "counted", "counting", "result")]
    sheet = Image.new("RGB", (len(pairs) * (SCREEN[0] + GAP) - GAP, 2 * SCREEN[1] + GAP), "white")
    shown = []
    for index, (frame, screen) in enumerate(pairs):
        left = index * (SCREEN[0] + GAP)
        if frame is not None:
            sheet.paste(Image.fromarray(frame.pixels).resize(SCREEN, Image.Resampling.LANCZOS), (left, 0))
        sheet.paste(draw(screen, SCREEN, False), (left, SCREEN[1] + GAP))
        shown.append(ShownScreen(screen, SCREEN, left, SCREEN[1] + GAP))
    sheet.quantize(256, Image.Quantize.MAXCOVERAGE).save(
        CHECKOUT / "device" / "session.png", optimize=True, pnginfo=png_info(shown)
    )


def bench(folder: Path) -> dict[str, object]:
    """A simulated slide that is moved field by field and rests at each."""
    return {
        "site": "desk",
        "device": "session",
        "camera": {
            "driver": "simulated",
            "dwell_frames": 4,
            "travel_frames": 4,
            "overlap": 0.2,
            "smear": {"seed": 3, "white_per_1000_rbc": 25.0},
        },
        "displays": [{"driver": "snapshot", "folder": str(folder / "screens")}],
        "controls": [{"driver": "scripted", "presses": [{"after_polls": 1, "action": "toggle"}]}],
        "calibration": {"file": "simulated.toml"},
        "storage": {"folder": str(folder / "state")},
        "counting": {"white_cells": WHITE_CELLS},
        "reporting": {"driver": "none"},
    }


if __name__ == "__main__":
    main()
