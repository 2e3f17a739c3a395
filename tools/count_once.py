#!/usr/bin/env python
"""Is each cell counted once when a hand moves the slide? Walks a simulated one and compares with its truth.

.venv/bin/python tools/count_once.py
.venv/bin/python tools/count_once.py --walk "random, short steps" --seed 3
"""

from __future__ import annotations

import argparse

import cv2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarking.counted_once import Score, walk_slide
from benchmarking.walks import walks
from leukoscope.service.models import open_models
from leukoscope.settings import ModelSettings
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellKind

WHITE_PER_1000_RBC = 40.0
"""Twenty times normal blood, so that a walk shows white cells enough."""
KINDS = (CellKind.RBC, CellKind.WBC)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walk", action="append", help="only this walk; may be given several times")
    parser.add_argument("--seed", type=int, default=1, help="of slide, microscope and hand")
    parser.add_argument("--width", type=int, default=640, help="of the picture, pixels")
    parser.add_argument("--height", type=int, default=480, help="of the picture, pixels")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    models = open_models(ModelSettings())
    smear = SmearSettings(seed=options.seed, white_per_1000_rbc=WHITE_PER_1000_RBC)
    scope = MicroscopeSettings(seed=options.seed, width=options.width, height=options.height)
    named = walks(options.height / options.width, options.seed)
    columns = (
        "walk",
        "frames",
        "fields",
        "patches",
        "lost",
        "cells",
        "shown",
        "missed",
        "twice",
        "if added up",
        "imagined",
    )
    table = Table(*columns, title="Each cell once?")
    total = {kind: Score() for kind in KINDS}
    for name in track(options.walk or named, "walking", console=Console(stderr=True)):
        if name not in named:
            parser.error(f"no walk {name!r}; there are {', '.join(named)}")
        walked = walk_slide(models, named[name], smear, scope)
        facts = [str(fact) for fact in (walked.frames, walked.fields, walked.patches, walked.lost_frames)]
        for kind, beginning in zip(KINDS, ([name, *facts], [""] * 5), strict=True):
            total[kind].add(walked.scores[kind])
            table.add_row(*beginning, kind.value, *_cells(walked.scores[kind]))
    table.add_section()
    for kind in KINDS:
        table.add_row("together", "", "", "", "", kind.value, *_cells(total[kind]))
    Console(width=120).print(table)


def _cells(score: Score) -> list[str]:
    counts = (score.missed, score.twice, score.added_up, score.imagined)
    return [str(score.shown), *(f"{100 * count / max(1, score.shown):.1f} %" for count in counts)]


if __name__ == "__main__":
    main()
