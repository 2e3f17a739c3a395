"""Trains the classifying network on labelled crops; stops, fully annealed, when its minutes are spent."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

import judge_classifier
from augment import Laboratory, Strength
from batches import as_batch
from cells import ARTEFACT, Cell, artefact_cells, centred, jostled, labelled_cells, with_cutout
from classifier_net import CLASSES, UM_PER_PX, ClassifierNet
from schedule import Averaged, Clock, Log, save, weight_groups

LABEL_SMOOTHING = 0.05
BALANCE = 0.5
"""Each label of each laboratory is drawn as often as its number of crops to this power: 0 is all alike."""
ARTEFACTS = 1500
DEFOCUSED_SHARE = 0.025
LARGEST_BLUR_UM = 0.35
DEFOCUS_UM = (1.3, 2.6)


class Inputs:
    """An endless supply of augmented cells with the classes their labels allow."""

    def __init__(self, cells: Sequence[Cell], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._cells = cells
        counts = Counter((cell.collection, cell.label) for cell in cells)
        odds = np.array([counts[cell.collection, cell.label] ** (BALANCE - 1.0) for cell in cells])
        self._odds = np.cumsum(odds / odds.sum())
        self._laboratory = Laboratory(self._rng, Strength(blur_px=LARGEST_BLUR_UM / UM_PER_PX, noise=9.0))

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Pictures (count, 3, 112, 112) in [0, 1] and allowed classes (count, classes) as 0 and 1."""
        pictures = []
        allowed = np.zeros((count, len(CLASSES)), dtype=np.float32)
        for row in range(count):
            index = int(np.searchsorted(self._odds, self._rng.random()))
            cell = self._cells[min(index, len(self._cells) - 1)]
            classes = cell.classes
            picture = jostled(cell.picture, self._rng)
            if self._rng.random() < DEFOCUSED_SHARE:
                picture = Laboratory.defocus(picture, float(self._rng.uniform(*DEFOCUS_UM)) / UM_PER_PX)
                classes = (ARTEFACT,)
            picture = self._laboratory.restain(picture)
            if self._rng.random() < 0.2:
                picture = with_cutout(picture, self._rng)
            pictures.append(picture)
            allowed[row, list(classes)] = 1.0
        return as_batch(pictures), torch.from_numpy(allowed)


def loss_of(logits: Tensor, allowed: Tensor) -> Tensor:
    """Minus the log of the summed probability of the allowed classes; labels of one class are smoothed."""
    log_probability = functional.log_softmax(logits, dim=1)
    marginal = -torch.logsumexp(log_probability + torch.log(allowed), dim=1)
    single = (allowed.sum(dim=1) == 1).float()
    smooth = LABEL_SMOOTHING * single
    return ((1 - smooth) * marginal - smooth * log_probability.mean(dim=1)).mean()


def logits_of(net: ClassifierNet, cells: Sequence[Cell], *, fast: bool = False) -> NDArray[np.float32]:
    """Logits (cells, classes); `fast` computes in bfloat16, good enough to watch a training."""
    parts = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
        for start in range(0, len(cells), 64):
            parts.append(net(as_batch([centred(cell.picture) for cell in cells[start : start + 64]])).float().numpy())
    return np.concatenate(parts)


def train(
    run: Path,
    budget_min: float,
    batch: int,
    peak: float,
    judge_every_min: float,
    seed: int,
    start_from: Path | None = None,
) -> None:
    """One training run; writes `last.pt`, `last.val.npz` and `log.jsonl` into `run`."""
    run.mkdir(parents=True, exist_ok=True)
    log = Log(run)
    torch.manual_seed(seed)
    began = time.monotonic()
    cells = labelled_cells("train")
    nothing = artefact_cells(ARTEFACTS, seed)
    judged = labelled_cells("val")
    log.write(
        event="loaded",
        seconds=time.monotonic() - began,
        cells=len(cells),
        artefacts=len(nothing),
        val=len(judged),
    )

    inputs = Inputs([*cells, *nothing], seed)
    net = ClassifierNet().train().to(memory_format=torch.channels_last)
    if start_from is not None:
        net.load_state_dict(torch.load(start_from, map_location="cpu", weights_only=True)["weights"])
    averaged = Averaged(net, decay=0.999)
    optimiser = torch.optim.AdamW(weight_groups(net, 0.05), lr=peak)
    clock = Clock(budget_min)
    judged_at, told_at, step, running = 0.0, 0.0, 0, 3.0
    while True:
        pictures, allowed = inputs.draw(batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(pictures)
        loss = loss_of(logits.float(), allowed)
        for group in optimiser.param_groups:
            group["lr"] = clock.learning_rate(peak)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        averaged.update(net)
        step += 1
        running = 0.98 * running + 0.02 * float(loss.detach())

        done = clock.spent >= 1.0
        if clock.minutes - told_at >= 0.5:
            told_at = clock.minutes
            log.write(event="step", step=step, minutes=told_at, lr=clock.learning_rate(peak), loss=running)
        if done or clock.minutes - judged_at >= judge_every_min:
            found = logits_of(averaged.net, judged, fast=not done)
            scores = judge_classifier.figures(judged, found)
            temperature = judge_classifier.fitted_temperature(judged, found)
            log.write(event="judged", step=step, minutes=clock.minutes, temperature=temperature, **scores)
            checkpoint = {
                "kind": "classifier",
                "weights": averaged.net.state_dict(),
                "classes": CLASSES,
                "scores": scores,
            }
            progress = {"temperature": temperature, "step": step, "minutes": clock.minutes, "done": done}
            save(run / "last.pt", checkpoint | progress)
            np.savez_compressed(
                run / "last.val.npz",
                logits=found,
                label=np.array([cell.label for cell in judged]),
                collection=np.array([cell.collection for cell in judged]),
                group=np.array([cell.group for cell in judged]),
                classes=np.array(CLASSES),
            )
            judged_at = clock.minutes
        if done:
            return


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--budget-min", type=float, default=65.0, help="minutes of training")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--judge-every-min", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start-from", type=Path, help="checkpoint whose weights to start from")
    parser.add_argument("--threads", type=int, default=1)
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
