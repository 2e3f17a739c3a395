"""Rows of what calls a whole field leukaemic, on the fields of taleqani.

Four of its 26 validation fields are not leukaemic, and stain and background go with the label: whatever these rows say
holds for this laboratory alone. The device gives no such verdict; its row is the share of blasts it counts.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from evaluation.tables import LabelledField, read_fields, spread
from methods.bench import Bench
from methods.clock import Stopwatch
from methods.device import Pixels, read_picture
from methods.jobs import Figures, Job
from methods.kinds import NoData, VerdictMethod
from methods.loading import load, sources
from methods.micrographs import micrograph_from
from methods.verdicts import NAMES

KIND = "verdicts"
UM_PER_PX = 0.116
BLASTS = 0.2
"""Share of white cells that are blasts from which a field counts as leukaemic: the limit of acute leukaemia."""


def jobs() -> Iterator[Job]:
    """One row per file, and the device's count of blasts."""
    for name in NAMES:
        files = sources(f"verdicts/{name}.py", "verdict_rows.py", "parts.py")
        yield Job(KIND, name, files, partial(_measure, name), ("tuning_pictures", "val_pictures"))
    yield Job(KIND, "shipped", sources("verdict_rows.py"), _measure_shipped, ("val_pictures",), networks=True)


def _fields(bench: Bench, split: str, most: int) -> Sequence[LabelledField]:
    try:
        fields = read_fields(bench.data, "taleqani", split)
    except FileNotFoundError as error:
        raise NoData(f"no data: {error.filename}") from error
    healthy = [one for one in fields if not _leukaemic(one)]
    ill = [one for one in fields if _leukaemic(one)]
    return [*healthy[:most], *spread(ill, most)[: 2 * most]]


def _leukaemic(field: LabelledField) -> bool:
    return any(box.kind == "lymphoblast" for box in field.boxes)


def _measure(name: str, bench: Bench) -> Figures:
    method: VerdictMethod = load("verdicts", name)
    learnt = _fields(bench, "train", 4 * bench.amounts.tuning_pictures)
    fitting = Stopwatch()
    with fitting.running():
        judge = method.fit([read_picture(one.path) for one in learnt], [_leukaemic(one) for one in learnt], UM_PER_PX)
    return {"title": method.name, "paper": method.paper, **_judged(bench, judge), "fit minutes": fitting.minutes}


def _measure_shipped(bench: Bench) -> Figures:
    segmenter, classifier = bench.networks.segmenter, bench.networks.classifier

    def judge(pixels: Pixels) -> bool:
        micrograph = micrograph_from(pixels, UM_PER_PX)
        named = classifier.name_cells(micrograph, segmenter.find_cells(micrograph))
        white = [one.cell_class for one in named if one.probabilities]
        return bool(white) and white.count("blast") / len(white) >= BLASTS

    title = "leukoscope's share of blasts, at least a fifth"
    return {"title": title, "paper": "models/classifier/CARD.md", **_judged(bench, judge)}


def _judged(bench: Bench, judge: Callable[[Pixels], bool]) -> dict[str, float | None]:
    fields, watch = _fields(bench, "val", bench.amounts.val_pictures), Stopwatch()
    truth = np.array([_leukaemic(one) for one in fields])
    answers = []
    for field in fields:
        pixels = read_picture(field.path)
        with watch.running():
            answers.append(judge(pixels))
    said = np.array(answers)
    return {
        "sensitivity": float(said[truth].mean()) if truth.any() else None,
        "specificity": float((~said[~truth]).mean()) if not truth.all() else None,
        "fields": len(fields),
        "ms": watch.each_ms,
    }
