"""Trains the segmenting network on boxes and masks; stops, fully annealed, when its minutes are spent.

`--without` leaves a collection out, to be judged on it; `--start-from` goes on from the weights of another run.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import judge_segmenter
from augment import Laboratory, Strength
from batches import as_batch
from fitting import Plan, Task, arguments, fit, half_precision, plan_of, steps_taken
from judge_segmenter import CANDIDATE_THRESHOLDS, Case, Grids
from scenes import PLATELET, Picture, Scene, training_scenes
from segmenter_grid import UM_PER_PX
from segmenter_loss import losses, targets
from segmenter_net import SegmenterNet
from starting_weights import fill
from tables import KINDS
from tiles import Tile, cut_tile

SHARES = {
    "deepbionet": 0.40,
    "txl": 0.24,
    "aslan": 0.08,
    "thesis": 0.07,
    "taleqani": 0.09,
    "krd_wbc": 0.05,
    "seg_wbc": 0.03,
    "sigtuple": 0.01,
    "bccd": 0.01,
    "simulated": 0.02,
}
"""How often each collection is drawn from; those whose every cell is boxed teach most."""
SIDE_PX = 208
LARGEST_BLUR_UM = 0.35
LOSS_WEIGHTS = {"heat": 1.0, "box": 2.0, "mask": 1.0}
WATCHED_PER_COLLECTION = 40
"""Validation pictures that are looked at while training."""


class Tiles:
    """An endless supply of augmented tiles, collections mixed by share, platelets' fields twice as often."""

    def __init__(self, scenes: dict[str, list[Scene]], seed: tuple[int, int]) -> None:
        self._rng = np.random.default_rng(seed)
        self._scenes = scenes
        self._names = [name for name in SHARES if scenes[name]]
        share = np.array([SHARES[name] for name in self._names])
        self._share = share / share.sum()
        self._odds = {name: _odds(scenes[name]) for name in self._names}
        self._laboratory = Laboratory(self._rng, Strength(blur_px=LARGEST_BLUR_UM / UM_PER_PX, noise=9.0))

    def draw(self, count: int) -> list[Tile]:
        """`count` fresh tiles."""
        return [self._one() for _ in range(count)]

    def _one(self) -> Tile:
        name = self._names[self._rng.choice(len(self._names), p=self._share)]
        scene = self._scenes[name][self._rng.choice(len(self._scenes[name]), p=self._odds[name])]
        tile = cut_tile(scene, self._rng, SIDE_PX)
        picture = self._laboratory.restain(tile.picture)
        return Tile(picture, tile.boxes, tile.kinds, tile.truth, tile.known, tile.complete)


def _odds(scenes: list[Scene]) -> NDArray[np.float64]:
    odds = np.array([2.0 if (scene.kinds == PLATELET).any() else 1.0 for scene in scenes])
    return np.asarray(odds / odds.sum())


def runner(net: SegmenterNet) -> judge_segmenter.Runner:
    """The network as a function of one picture, channels-last grids out."""

    def run(picture: Picture) -> Grids:
        with torch.inference_mode():
            heat, box, mask = (grid[0].permute(1, 2, 0).numpy() for grid in net(as_batch([picture])))
        return heat, box, mask

    return run


def evaluate(net: SegmenterNet, cases: list[Case]) -> tuple[dict[str, float], tuple[float, ...]]:
    """F1 by kind at the best thresholds, and these thresholds."""
    found = judge_segmenter.found_in(cases, runner(net), [CANDIDATE_THRESHOLDS[0]] * len(KINDS))
    thresholds = judge_segmenter.best_thresholds(cases, found)
    return judge_segmenter.f1_by_kind(cases, found, thresholds), thresholds


def task(plan: Plan, without: str | None, start: Path | None) -> Task[SegmenterNet]:
    """Boxes and masks of the training pictures to learn, validation pictures to be judged on."""
    scenes = training_scenes()
    if without is not None:
        scenes[without] = []
    tiles = Tiles(scenes, (plan.seed, steps_taken(plan.run)))
    cases = judge_segmenter.validation_cases(WATCHED_PER_COLLECTION)

    def loss(net: SegmenterNet) -> dict[str, Tensor]:
        drawn = tiles.draw(plan.batch)
        with half_precision(plan.device):
            raw = net.raw(as_batch([tile.picture for tile in drawn]).to(plan.device))
        parts = losses(raw, targets(drawn).to(plan.device))
        return {name: LOSS_WEIGHTS[name] * part for name, part in parts.items()}

    def judge(net: SegmenterNet, _: bool) -> dict[str, Any]:
        scores, thresholds = evaluate(copy.deepcopy(net).cpu(), cases)
        return {"kind": "segmenter", "thresholds": thresholds, "scores": scores}

    net = SegmenterNet()
    if start is not None:
        fill(net, start)
        print(f"starts from {start}", flush=True)
    return Task(net, loss, judge)


def main() -> None:
    """Reads the command line."""
    parser = arguments(__doc__, batch=8, peak=2e-3)
    parser.add_argument("--without", choices=sorted(SHARES), help="leave out this collection, to be judged on it")
    parser.add_argument("--start-from", type=Path, help="a checkpoint, or weights kept in half precision (.npz)")
    options = parser.parse_args()
    plan = plan_of(options, decay=0.02, average=0.9985, clip=10.0)
    fit(task(plan, options.without, options.start_from), plan)


if __name__ == "__main__":
    main()
