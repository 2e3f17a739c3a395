"""Makes one page of PDF and the result screens of a healthy and of a leukaemic simulated slide, for the documents.

.venv/bin/python tools/draw_samples.py            both, into device/docs/samples/
.venv/bin/python tools/draw_samples.py healthy    one of them
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from leukoscope.cli.export import Format, written
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Result, pages_of, result_of
from leukoscope.exporting.kept_cells import OutboxPictures
from leukoscope.exporting.original import find_report
from leukoscope.exporting.report_pictures import gallery_of
from leukoscope.inference.bundle import Bundle
from leukoscope.service.loop import Service
from leukoscope.service.opening import open_bench
from leukoscope.settings import BenchSettings
from leukoscope.simulation.smear import NORMAL_DIFFERENTIAL
from leukoscope.system.assets import find_asset
from leukoscope.system.watchdog import Watchdog
from screens_in_picture import ShownScreen, png_info

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / "device" / "docs" / "samples"
SCREEN, GAP, COLUMNS = (320, 240), 6, 3
WHITE_CELLS = 100
LEUKAEMIC = {
    "blast": 0.45,
    "segmented": 0.2,
    "lymphocyte": 0.22,
    "monocyte": 0.05,
    "promyelocyte": 0.03,
    "smudge": 0.05,
}
SLIDES: Mapping[str, tuple[int, Mapping[str, float]]] = {
    "healthy": (11, NORMAL_DIFFERENTIAL),
    "leukaemic": (12, LEUKAEMIC),
}
"""Seed and mix; white cells lie sixty times as densely as in normal blood, so that few fields hold enough of them."""


def main() -> None:
    """Count each slide and write what was reported."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", nargs="*", help=f"of {', '.join(SLIDES)}; all without one")
    names = parser.parse_args().slide or list(SLIDES)
    if unknown := set(names) - set(SLIDES):
        parser.error(f"expected slides of {', '.join(SLIDES)}, found {', '.join(sorted(unknown))}")
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            settings = BenchSettings.model_validate(bench(Path(folder), *SLIDES[name]))
            with open_bench(settings, CHECKOUT, Watchdog.of_this_process()) as opened:
                Service(opened, CHECKOUT, samples=1, sleep=lambda _: None).run()
            (path,) = (Path(folder) / "reports").glob("report-*.json")
            original = find_report(str(path), settings.storage.folder)
            report = original.report
            pictures = OutboxPictures(settings.storage.outbox)
            gallery = gallery_of(original.storage, report.id, report.version, pictures)
            (FOLDER / f"{name}.pdf").write_bytes(written(original, gallery, Format.PDF))
            facts = Bundle.read(find_asset("models", "classifier")).manifest.classifier
            labels = {} if facts is None else {one.key: one.short for one in facts.classes}
            _draw(name, pages_of(result_of(report, labels)))


def _draw(name: str, screens: Sequence[Result]) -> None:
    rows = -(-len(screens) // COLUMNS)
    width, height = SCREEN[0] + GAP, SCREEN[1] + GAP
    sheet = Image.new("RGB", (COLUMNS * width - GAP, rows * height - GAP), "white")
    shown = []
    for number, screen in enumerate(screens):
        left, top = number % COLUMNS * width, number // COLUMNS * height
        sheet.paste(draw(screen, SCREEN, False), (left, top))
        shown.append(ShownScreen(screen, SCREEN, left, top))
    info = png_info(shown)
    sheet.quantize(64, Image.Quantize.MAXCOVERAGE).save(FOLDER / f"{name}.png", optimize=True, pnginfo=info)


def bench(folder: Path, seed: int, mix: Mapping[str, float]) -> dict[str, object]:
    """A simulated slide that is moved field by field."""
    return {
        "site": "desk",
        "device": "samples",
        "camera": {
            "driver": "simulated",
            "path": "serpentine",
            "dwell_frames": 2,
            "travel_frames": 2,
            "overlap": 0.1,
            "smear": {"seed": seed, "white_per_1000_rbc": 100.0, "differential": dict(mix)},
        },
        "displays": [{"driver": "snapshot", "folder": str(folder / "screens")}],
        "controls": [{"driver": "scripted", "presses": [{"after_polls": 1, "action": "toggle"}]}],
        "calibration": {"file": "simulated.toml"},
        "storage": {"folder": str(folder)},
        "counting": {"white_cells": WHITE_CELLS},
        "cells": {"pictures": 8},
        "reporting": {"driver": "none"},
    }


if __name__ == "__main__":
    main()
