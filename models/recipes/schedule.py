"""What both trainings share: a learning rate driven by the clock, averaged weights, a log of JSON lines."""

from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)


class Clock:
    """Minutes spent of a budget; the learning rate follows it, so a slow machine still anneals to zero."""

    def __init__(self, budget_min: float) -> None:
        self._start = time.monotonic()
        self._budget_min = budget_min

    @property
    def minutes(self) -> float:
        """Minutes since the start."""
        return (time.monotonic() - self._start) / 60.0

    @property
    def spent(self) -> float:
        """Share of the budget spent, 0 to 1."""
        return min(1.0, self.minutes / self._budget_min)

    def learning_rate(self, peak: float, warm_up: float = 0.04) -> float:
        """Linear warm-up to `peak`, then half a cosine down to zero at the end of the budget."""
        if self.spent < warm_up:
            return peak * max(0.02, self.spent / warm_up)
        return peak * 0.5 * (1.0 + math.cos(math.pi * (self.spent - warm_up) / (1.0 - warm_up)))


class Averaged(Generic[Net]):
    """An exponential moving average of a network's weights and of its batch-norm statistics."""

    def __init__(self, net: Net, decay: float) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self._decay = decay
        self._updates = 0

    def update(self, net: Net) -> None:
        """Moves the average towards `net`; early on closely, or it would remember the random start."""
        self._updates += 1
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        theirs = net.state_dict()
        with torch.no_grad():
            for name, mine in self.net.state_dict().items():
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs[name], 1.0 - decay)
                else:
                    mine.copy_(theirs[name])


class Log:
    """Appends one JSON object per line to `log.jsonl` of a run and prints it."""

    def __init__(self, run: Path) -> None:
        self._path = run / "log.jsonl"

    def write(self, **facts: object) -> None:
        """One event."""
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in facts.items()})
        print(line, flush=True)
        with self._path.open("a") as log:
            log.write(line + "\n")


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
