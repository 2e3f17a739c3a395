"""Trains the segmenting network on boxes and masks; stops, fully annealed, when its minutes are spent."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import judge_segmenter
from augment import Laboratory, Strength
from batches import as_batch
from judge_segmenter import CANDIDATE_THRESHOLDS, Case, Grids
from scenes import Picture, Scene, Tile, cut_tile, training_scenes
from schedule import Averaged, Clock, Log, save, weight_groups
from segmenter_loss import losses, targets
from segmenter_net import SegmenterNet
from tables import KINDS

SHARES = {"deepbionet": 0.44, "txl": 0.44, "krd_wbc": 0.045, "seg_wbc": 0.035, "bccd": 0.04}
SIDE_PX = 256
PLATELET = 2


class Tiles:
    """An endless supply of augmented tiles, collections mixed by share, platelets' fields twice as often."""

    def __init__(self, scenes: dict[str, list[Scene]], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._scenes = scenes
        self._names = [name for name in SHARES if scenes[name]]
        share = np.array([SHARES[name] for name in self._names])
        self._share = share / share.sum()
        self._odds = {name: _odds(scenes[name]) for name in self._names}
        self._laboratory = Laboratory(self._rng, Strength(blur_px=1.2, noise=9.0))

    def draw(self, count: int) -> list[Tile]:
        """`count` fresh tiles."""
        return [self._one() for _ in range(count)]

    def _one(self) -> Tile:
        name = self._names[self._rng.choice(len(self._names), p=self._share)]
        scene = self._scenes[name][self._rng.choice(len(self._scenes[name]), p=self._odds[name])]
        tile = cut_tile(scene, self._rng, SIDE_PX)
        picture = self._laboratory.restain(tile.picture)
        return Tile(picture, tile.boxes, tile.kinds, tile.truth, tile.known, tile.all_kinds)


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


def train(
    run: Path, budget_min: float, batch: int, peak: float, judge_every_min: float, seed: int, start: Path | None
) -> None:
    """One training run; writes `last.pt` and `log.jsonl` into `run`."""
    run.mkdir(parents=True, exist_ok=True)
    log = Log(run)
    torch.manual_seed(seed)
    began = time.monotonic()
    scenes = training_scenes()
    cases = judge_segmenter.validation_cases(40)
    log.write(
        event="loaded",
        seconds=time.monotonic() - began,
        **{name: len(found) for name, found in scenes.items()},
    )

    tiles = Tiles(scenes, seed)
    net = SegmenterNet()
    if start is not None:
        net.load_state_dict(torch.load(start, weights_only=True)["weights"])
    net = net.train().to(memory_format=torch.channels_last)
    averaged = Averaged(net, decay=0.9985)
    optimiser = torch.optim.AdamW(weight_groups(net, 0.02), lr=peak)
    clock = Clock(budget_min)
    judged_at, told_at, step = 0.0, 0.0, 0
    running: dict[str, float] = {}
    while True:
        drawn = tiles.draw(batch)
        target = targets(drawn)
        with torch.autocast("cpu", torch.bfloat16):
            raw = net.raw(as_batch([tile.picture for tile in drawn]))
        parts = losses(raw, target)
        loss = parts["heat"] + 2.0 * parts["box"] + 1.0 * parts["mask"]
        for group in optimiser.param_groups:
            group["lr"] = clock.learning_rate(peak)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimiser.step()
        averaged.update(net)
        step += 1
        for name, value in ((name, float(part.detach())) for name, part in parts.items()):
            running[name] = 0.98 * running.get(name, value) + 0.02 * value

        done = clock.spent >= 1.0
        if clock.minutes - told_at >= 0.5:
            told_at = clock.minutes
            log.write(event="step", step=step, minutes=told_at, lr=clock.learning_rate(peak), **running)
        if done or clock.minutes - judged_at >= judge_every_min:
            scores, thresholds = evaluate(averaged.net, cases)
            log.write(event="judged", step=step, minutes=clock.minutes, thresholds=list(thresholds), **scores)
            checkpoint = {"kind": "segmenter", "weights": averaged.net.state_dict(), "thresholds": thresholds}
            save(
                run / "last.pt",
                {**checkpoint, "scores": scores, "step": step, "minutes": clock.minutes, "done": done},
            )
            judged_at = clock.minutes
        if done:
            return


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--budget-min", type=float, default=65.0, help="minutes of training")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--judge-every-min", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start-from", type=Path, help="checkpoint whose weights to start from")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(0)
    train(
        options.run,
        options.budget_min,
        options.batch,
        options.lr,
        options.judge_every_min,
        options.seed,
        options.start_from,
    )


if __name__ == "__main__":
    main()
