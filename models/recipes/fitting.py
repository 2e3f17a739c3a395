"""What every training shares: a resumable loop with a time budget, averaged weights, a log and a progress line."""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)

STATE_FILE, CHECKPOINT_FILE, LOG_FILE = "state.pt", "last.pt", "log.jsonl"
WARM_UP = 0.04
TELL_EVERY_MIN = 0.5
SAVE_EVERY_MIN = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to learn."""

    run: Path
    """Folder for checkpoints and the log. An unfinished run in it is continued."""
    budget_min: float
    peak: float
    """Largest learning rate."""
    batch: int
    judge_every_min: float
    seed: int
    decay: float
    """Of the weights, per step and unit of learning rate."""
    average: float
    """How much of the averaged weights stays at each step."""
    clip: float
    """Largest norm of a step's gradient."""
    device: str
    """Where to compute, in torch's words."""


@dataclass(frozen=True, slots=True)
class Task(Generic[Net]):
    """What to learn."""

    net: Net
    loss: Callable[[Net], dict[str, Tensor]]
    """The parts of one fresh batch's loss; they are summed."""
    judge: Callable[[Net, bool], dict[str, Any]]
    """Facts for the checkpoint, from averaged weights; the flag tells whether the run is done. `scores` is logged."""


def steps_taken(run: Path) -> int:
    """How many steps an unfinished run in this folder has made; seed with it, or a continued run repeats itself."""
    path = run / STATE_FILE
    return int(torch.load(path, map_location="cpu", weights_only=True)["step"]) if path.exists() else 0


def learning_rate(peak: float, spent: float) -> float:
    """Linear warm-up to `peak`, then half a cosine down to zero; `spent` is the share of the budget, 0 to 1."""
    if spent < WARM_UP:
        return peak * max(0.02, spent / WARM_UP)
    return peak * 0.5 * (1.0 + math.cos(math.pi * (spent - WARM_UP) / (1.0 - WARM_UP)))


class Averaged(Generic[Net]):
    """An exponential moving average of a network's weights and of its batch-norm statistics."""

    def __init__(self, net: Net, decay: float, updates: int = 0) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.updates = updates
        self._decay = decay

    def update(self, net: Net) -> None:
        """Moves the average towards `net`; early on closely, or it would remember the random start."""
        self.updates += 1
        decay = min(self._decay, (1 + self.updates) / (10 + self.updates))
        theirs = net.state_dict()
        with torch.no_grad():
            for name, mine in self.net.state_dict().items():
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs[name], 1.0 - decay)
                else:
                    mine.copy_(theirs[name])


def fit(task: Task[Net], plan: Plan) -> None:
    """Learns until the minutes of the budget are spent, fully annealed; a run that was stopped goes on.

    The learning rate follows the minutes, so a slow machine anneals too. Writes `last.pt` (averaged weights and
    what `judge` said), `log.jsonl`, and `state.pt`, from which the same command continues.
    """
    plan.run.mkdir(parents=True, exist_ok=True)
    net = task.net.to(plan.device).train().to(memory_format=torch.channels_last)
    averaged = Averaged(net, plan.average)
    optimiser = torch.optim.AdamW(weight_groups(net, plan.decay), lr=plan.peak)
    step, before_min = _continued(plan, net, averaged, optimiser)
    if before_min >= plan.budget_min:
        print(f"{plan.run} has had its {before_min:.0f} minutes: give it more, or remove it to start again", flush=True)
        return
    log = _Log(plan)
    start = time.monotonic()
    told_at = saved_at = judged_at = before_min
    running: dict[str, float] = {}
    while True:
        minutes = before_min + (time.monotonic() - start) / 60.0
        spent = min(1.0, minutes / plan.budget_min)
        rate = learning_rate(plan.peak, spent)
        for name, value in _take_step(task, net, optimiser, rate, plan.clip).items():
            running[name] = 0.98 * running.get(name, value) + 0.02 * value
        averaged.update(net)
        step += 1

        done = spent >= 1.0
        if minutes - told_at >= TELL_EVERY_MIN:
            told_at = minutes
            log.tell(step, minutes, rate, running)
        if done or minutes - judged_at >= plan.judge_every_min:
            judged_at = minutes
            facts = task.judge(averaged.net, done)
            log.judged(step, minutes, facts["scores"])
            progress = {"step": step, "minutes": minutes, "done": done}
            save(plan.run / CHECKPOINT_FILE, {"weights": averaged.net.state_dict()} | facts | progress)
        if done or minutes - saved_at >= SAVE_EVERY_MIN:
            saved_at = minutes
            state = {
                "net": net.state_dict(),
                "averaged": averaged.net.state_dict(),
                "optimiser": optimiser.state_dict(),
            }
            save(plan.run / STATE_FILE, state | {"step": step, "minutes": minutes})
        if done:
            return


def _continued(
    plan: Plan, net: nn.Module, averaged: Averaged[Any], optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """Steps and minutes of an unfinished run, whose state is taken over; none where there is no such run."""
    path = plan.run / STATE_FILE
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, map_location=plan.device, weights_only=True)
    net.load_state_dict(state["net"])
    averaged.net.load_state_dict(state["averaged"])
    averaged.updates = state["step"]
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"]), float(state["minutes"])


def _take_step(
    task: Task[Net], net: Net, optimiser: torch.optim.Optimizer, rate: float, clip: float
) -> dict[str, float]:
    """One step down the gradient of a fresh batch; the parts of its loss."""
    parts = task.loss(net)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    sum(parts.values(), torch.zeros((), device=next(net.parameters()).device)).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
    optimiser.step()
    return {name: float(part.detach()) for name, part in parts.items()}


class _Log:
    """A progress line on the terminal, and a JSON object per line in the run's folder."""

    def __init__(self, plan: Plan) -> None:
        self._path = plan.run / LOG_FILE
        self._budget_min = plan.budget_min

    def tell(self, step: int, minutes: float, rate: float, losses: dict[str, float]) -> None:
        self._write(event="step", step=step, minutes=minutes, lr=rate, **losses)
        shown = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
        print(f"{minutes:6.1f} of {self._budget_min:g} min  step {step}  {shown}", flush=True)

    def judged(self, step: int, minutes: float, scores: dict[str, float]) -> None:
        self._write(event="judged", step=step, minutes=minutes, **scores)
        print("  on val: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()), flush=True)

    def _write(self, **facts: object) -> None:
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in facts.items()})
        with self._path.open("a") as log:
            log.write(line + "\n")


def half_precision(device: str) -> torch.autocast:
    """Computes in bfloat16 where that is faster; a processor that only imitates it takes seven times as long."""
    flags = Path("/proc/cpuinfo").read_text("utf-8") if Path("/proc/cpuinfo").exists() else ""
    able = device != "cpu" or "avx512_bf16" in flags or "amx_bf16" in flags
    return torch.autocast(device, torch.bfloat16, enabled=able)


def weight_groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Parameters for an optimiser: weight decay for kernels, none for biases and normalisation."""
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def save(path: Path, content: dict[str, object]) -> None:
    """Writes a checkpoint whole or not at all, so that an export may read it while training goes on."""
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)


def arguments(description: str | None, *, batch: int, peak: float) -> argparse.ArgumentParser:
    """The command line every training understands."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--run", type=Path, required=True, help="folder for checkpoints and the log; continued if begun"
    )
    parser.add_argument("--budget-min", type=float, default=100.0, help="minutes of training")
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--lr", type=float, default=peak, help="peak learning rate")
    parser.add_argument("--judge-every-min", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda where there is one")
    return parser


def plan_of(options: argparse.Namespace, *, decay: float, average: float, clip: float) -> Plan:
    """The plan a command line asks for; also seeds and threads, which are the process's own."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(0)
    return Plan(
        run=options.run,
        budget_min=options.budget_min,
        peak=options.lr,
        batch=options.batch,
        judge_every_min=options.judge_every_min,
        seed=options.seed,
        decay=decay,
        average=average,
        clip=clip,
        device=options.device,
    )
