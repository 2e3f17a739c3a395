"""Trains a classifying network on labelled crops; stops, fully annealed, when its minutes are spent.

What it is to name is in a facts file, `classifier.toml` or `marrow.toml`; `--without` leaves a laboratory out.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

import judge_classifier
from augment import Laboratory, Strength
from batches import as_batch
from cells import Cell, artefact_cells, centred, jostled, labelled_cells, simulated_artefact_cells, with_cutout
from classifier_net import FIRST_STAGES, ClassifierNet
from classifier_window import UM_PER_PX
from cut_outs import Outlines
from fitting import Plan, Task, arguments, fit, half_precision, plan_of, steps_taken
from scenes import Picture
from slides import Slides, on_slides
from starting_weights import start_from
from tables import Crop, add_collection, collected
from teacher import SHARE, Teacher, read_teacher, taught
from vocabulary import ARTEFACT, Vocabulary

BALANCE = 0.5
"""Each label of each laboratory is drawn as often as its number of crops to this power: 0 is all alike."""
ARTEFACTS, SIMULATED_ARTEFACTS = 1500, 300
RESTAINED_SHARE = 0.8
"""The rest keep their laboratory's own look."""
CUT_OUT_SHARE = 0.2
DEFOCUSED_SHARE = 0.025
LARGEST_BLUR_UM = 0.38
DEFOCUS_UM = (1.3, 2.6)
STRENGTH = Strength(
    blur_px=LARGEST_BLUR_UM / UM_PER_PX,
    noise=10.0,
    stain=0.18,
    hue=0.45,
    saturation=(0.2, 1.7),
    gain=0.14,
    gamma=0.30,
    coloured_lamp=0.3,
    faded=0.5,
    texture=0.18,
    wiped=0.12,
)
"""Far beyond what one laboratory's slides differ by: a new laboratory differs more (CARD.md of the classifier)."""


class Inputs:
    """An endless supply of augmented cells with the classes their labels allow."""

    def __init__(self, cells: Sequence[Cell], vocabulary: Vocabulary, seed: tuple[int, int]) -> None:
        self._rng = np.random.default_rng(seed)
        self._cells = cells
        self._classes = len(vocabulary.classes)
        self._defocused = vocabulary.indices(ARTEFACT)
        counts = Counter((cell.collection, cell.label) for cell in cells)
        odds = np.array(
            [
                vocabulary.drawn(cell.collection, cell.label) * counts[cell.collection, cell.label] ** (BALANCE - 1.0)
                for cell in cells
            ]
        )
        odds *= evened_groups(cells, vocabulary.evened)
        self._odds = np.cumsum(odds / odds.sum())
        self._laboratory = Laboratory(self._rng, STRENGTH)
        self._slides = Slides(cells, self._rng, vocabulary.assumed_scale)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Pictures (count, 3, 128, 128) in [0, 1] and allowed classes (count, classes) as 0 and 1."""
        pictures, allowed, _ = self.draw_with_cells(count)
        return as_batch(pictures), torch.from_numpy(allowed)

    def draw_with_cells(self, count: int) -> tuple[list[Picture], NDArray[np.float32], list[Cell]]:
        """The same as RGB pictures, and which cell each shows."""
        pictures: list[Picture] = []
        drawn: list[Cell] = []
        allowed = np.zeros((count, self._classes), dtype=np.float32)
        for row in range(count):
            index = int(np.searchsorted(self._odds, self._rng.random()))
            cell = self._cells[min(index, len(self._cells) - 1)]
            classes = cell.classes
            picture = jostled(self._slides.around(cell), self._rng, enlarged=self._slides.enlarged(cell))
            if self._rng.random() < DEFOCUSED_SHARE:
                picture = Laboratory.defocus(picture, float(self._rng.uniform(*DEFOCUS_UM)) / UM_PER_PX)
                classes = self._defocused
            if self._rng.random() < RESTAINED_SHARE:
                picture = self._laboratory.restain(picture)
            if self._rng.random() < CUT_OUT_SHARE:
                picture = with_cutout(picture, self._rng)
            pictures.append(picture)
            drawn.append(cell)
            allowed[row, list(classes)] = 1.0
        return pictures, allowed, drawn


def evened_groups(cells: Sequence[Cell], collections: Collection[str]) -> NDArray[np.float64]:
    """A weight per cell: in these collections a patient with many cells counts as the square root of their number."""
    counts = Counter((cell.collection, cell.label, cell.group) for cell in cells)
    weights = np.array(
        [
            counts[cell.collection, cell.label, cell.group] ** -0.5 if cell.collection in collections else 1.0
            for cell in cells
        ]
    )
    for collection, label in {(cell.collection, cell.label) for cell in cells if cell.collection in collections}:
        rows = np.array([cell.collection == collection and cell.label == label for cell in cells])
        weights[rows] /= weights[rows].mean()
    return weights


def loss_of(logits: Tensor, allowed: Tensor, smoothing: float) -> Tensor:
    """Minus the log of the summed probability of the allowed classes; labels of one class are smoothed by a share."""
    log_probability = functional.log_softmax(logits, dim=1)
    marginal = -torch.logsumexp(log_probability + torch.log(allowed), dim=1)
    single = (allowed.sum(dim=1) == 1).float()
    smooth = smoothing * single
    return ((1 - smooth) * marginal - smooth * log_probability.mean(dim=1)).mean()


def logits_of(net: ClassifierNet, cells: Sequence[Cell], *, fast: bool = False) -> NDArray[np.float32]:
    """Logits (cells, classes); `fast` computes in bfloat16, good enough to watch a training."""
    parts = []
    with torch.inference_mode(), half_precision("cpu") if fast else nullcontext():
        for start in range(0, len(cells), 64):
            parts.append(net(as_batch([centred(cell.picture) for cell in cells[start : start + 64]])).float().numpy())
    return np.concatenate(parts)


def task(
    plan: Plan,
    vocabulary: Vocabulary,
    learnt: list[Cell],
    watched: Sequence[Crop],
    start: Path | None,
    teacher: Teacher | None,
    *,
    keep_first: bool = False,
) -> Task[ClassifierNet]:
    """Cells to learn, and labelled ones to be judged on; `keep_first` fixes the first stages, for twice the views."""
    judged = on_slides(labelled_cells(watched, vocabulary), learnt)
    inputs = Inputs(learnt, vocabulary, (plan.seed, steps_taken(plan.run)))
    net = ClassifierNet(len(vocabulary.classes))
    known = start_from(net, start, vocabulary.classes)
    print(f"starts from {start or 'ImageNet'}: {known} of {len(vocabulary.classes)} classes are known", flush=True)

    first = None
    if keep_first:
        net.features[:FIRST_STAGES].requires_grad_(False)
        # A copy: `fit` would have the batch norms of the network itself follow each batch.
        first = copy.deepcopy(net.features[:FIRST_STAGES]).eval().to(plan.device, memory_format=torch.channels_last)

    def name(net: ClassifierNet, pictures: Tensor) -> Tensor:
        if first is None:
            logits: Tensor = net(pictures)
            return logits
        with torch.no_grad():
            seen = first(pictures)
        return net.name_seen(seen)

    def loss(net: ClassifierNet) -> dict[str, Tensor]:
        pictures, allowed = (part.to(plan.device) for part in inputs.draw(plan.batch))
        with half_precision(plan.device):
            logits = name(net, pictures)
        by_label = loss_of(logits.float(), allowed, vocabulary.label_smoothing)
        if teacher is None:
            return {"loss": by_label}
        with torch.inference_mode(), half_precision(plan.device):
            said = teacher(pictures).float()
        return {"loss": (1 - SHARE) * by_label, "teacher": SHARE * taught(logits.float(), said)}

    def judge(net: ClassifierNet, done: bool) -> dict[str, Any]:
        logits = logits_of(copy.deepcopy(net).cpu(), judged, fast=not done)
        return {
            "kind": "classifier",
            "classes": vocabulary.classes,
            "scores": judge_classifier.figures(judged, logits, vocabulary),
        }

    return Task(net, loss, judge)


def main() -> None:
    """Reads the command line."""
    parser = arguments(__doc__, batch=64, peak=2e-3)
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument(
        "--start-from", type=Path, help="a checkpoint, or weights kept in half precision (.npz); else ImageNet's"
    )
    parser.add_argument("--teacher", type=Path, help="weights of a network that has learnt the same classes (.npz)")
    parser.add_argument("--keep-first", action="store_true", help="the first stages stay as they start; twice as fast")
    parser.add_argument("--outlines", type=Path, help="what outline_crops wrote: cells lie on other slides, in crowds")
    parser.add_argument("--without", nargs="*", default=[], help="leave out these laboratories, to be judged on them")
    add_collection(parser)
    options = parser.parse_args()
    plan = plan_of(options, decay=0.05, average=0.999, clip=5.0)
    vocabulary = Vocabulary.read(options.facts)
    given = collected(options, "train")
    if unknown := vocabulary.never_drawn((crop.collection, crop.label) for crop in given):
        parser.error(
            f"{options.facts}: expected a collection, a label or collection/label of the pictures in "
            f"[training.emphasis], found {sorted(unknown)}"
        )
    outlines = None if options.outlines is None else Outlines.read(options.outlines)
    learnt = labelled_cells([crop for crop in given if crop.collection not in options.without], vocabulary, outlines)
    if options.folder is None:
        learnt += artefact_cells(ARTEFACTS, plan.seed, vocabulary)
    else:
        learnt += simulated_artefact_cells(SIMULATED_ARTEFACTS, plan.seed, vocabulary)
    teacher = None if options.teacher is None else read_teacher(options.teacher, vocabulary.classes).to(plan.device)
    watched = collected(options, "val")
    fit(task(plan, vocabulary, learnt, watched, options.start_from, teacher, keep_first=options.keep_first), plan)


if __name__ == "__main__":
    main()
