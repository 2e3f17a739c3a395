"""Rows of the pre-processing: the same shipped networks and the same plain methods behind each."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from evaluation.naming import RAABIN_5
from evaluation.tables import spread
from methods.bench import Bench
from methods.cells import UM_PER_PX
from methods.clock import Stopwatch
from methods.device import Pixels
from methods.jobs import Figures, Job
from methods.kinds import Parts, Preprocessing
from methods.loading import load, sources
from methods.naming_scores import group_score
from methods.preprocessing import NAMES
from methods.scoring import score_all

KIND = "preprocessing"
PICTURES = 10
"""Of each set's validation pictures."""
CELLS_EACH = 3
"""Every third cell of the validation sample is named."""


def jobs() -> Iterator[Job]:
    """One row per file."""
    for name in NAMES:
        files = sources(f"preprocessing/{name}.py", "preprocessing_rows.py", "scoring.py")
        yield Job(KIND, name, files, partial(_measure, name), ("val_pictures", "val_cells"), networks=True)


def _measure(name: str, bench: Bench) -> Figures:
    method: Preprocessing = load("preprocessing", name)
    network, plain = load("segmentation", "shipped"), load("segmentation", "otsu_rules")
    segmenter, classifier = bench.networks.segmenter, bench.networks.classifier
    watch = Stopwatch()

    def with_network(pixels: Pixels, um_per_px: float) -> Parts:
        with watch.running():
            changed = method.apply(pixels, um_per_px)
        found: Parts = network.find(changed, um_per_px, segmenter=segmenter)
        return found

    def with_rules(pixels: Pixels, um_per_px: float) -> Parts:
        found: Parts = plain.find(method.apply(pixels, um_per_px), um_per_px)
        return found

    pictures = {source: spread(some, PICTURES)[:PICTURES] for source, some in bench.judged.items()}
    ours, theirs = (score_all(pictures, find).figures() for find in (with_network, with_rules))
    cells = bench.val.where(np.arange(len(bench.val)) % CELLS_EACH == 0)
    named = []
    for picture in cells.pictures:
        probabilities = classifier.name_crop(method.apply(picture, UM_PER_PX), UM_PER_PX)
        named.append(classifier.best(probabilities)[0])
    five = group_score(cells, np.array(named), RAABIN_5)
    return {
        "title": method.name,
        "paper": method.paper,
        "five": five[0].accuracy if five else None,
        "five balanced": five[1] if five else None,
        **{key: ours[key] for key in ("cell", "nucleus", "boundary", "red", "count error", "guess error")},
        **{f"plain {key}": theirs[key] for key in ("cell", "nucleus", "red")},
        "ms": watch.each_ms,
    }
