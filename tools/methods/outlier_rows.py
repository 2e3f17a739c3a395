"""Rows of what finds cells of unknown classes in a laboratory that was left out.

The network learns the five classes of normal blood from the other laboratories. In the one left out these five are
known; blasts, smudges, erythroblasts, platelets and young granulocytes, which no cell it learnt from showed, are not.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from evaluation.naming import RAABIN_5, area_under_roc, group_of, sensitivity_at
from methods.bench import Bench
from methods.clock import Stopwatch
from methods.jobs import Figures, Job
from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod
from methods.loading import load, sources
from methods.outliers import NAMES

KIND = "outliers"
FOLDS = ("deepapl", "pbc")
"""The laboratories that show unknown classes."""
KEPT = 0.95
"""Share of known cells that must not be called strange: the same cost for every row."""


def jobs() -> Iterator[Job]:
    """One row per file."""
    for name in NAMES:
        files = sources(f"outliers/{name}.py", "outlier_rows.py", "knowing.py", "learning.py", "cells.py")
        yield Job(KIND, name, files, partial(_measure, name), ("train_cells", "val_cells", "deep_s"))


@cache
def knowing(bench: Bench, fold: str) -> Knowing:
    """The network of our classifier's plan without a laboratory; every row asks the same one."""
    import torch

    from classifier_net import ClassifierNet
    from methods.learning import SEED, answers, learn_names, prepared

    torch.manual_seed(SEED)
    groups = np.array([group_of(label, RAABIN_5) or "" for label in bench.train.labels.tolist()])
    wanted = (groups != "") & (bench.train.laboratories != fold)
    pictures, labels = bench.train.pictures[wanted], groups[wanted]
    net, _ = learn_names(ClassifierNet(len(set(labels))), prepared(pictures, 64), labels, bench.amounts.deep_s)
    return Knowing(
        pictures,
        labels,
        logits=lambda some: answers(net, some, 64),
        pooled=lambda some: answers(net.pooled, some, 64),
        seconds=bench.amounts.deep_s,
    )


def _measure(name: str, bench: Bench) -> Figures:
    method: OutlierMethod = load("outliers", name)
    figures: dict[str, float | str | None] = {"title": method.name, "paper": method.paper}
    fitting, watch = Stopwatch(), Stopwatch()
    for fold in FOLDS:
        known = knowing(bench, fold)
        with fitting.running():
            strange: Callable[[Pictures], np.typing.NDArray[np.float32]] = method.make(known)
        judged = bench.val.where(bench.val.laboratories == fold)
        unknown = np.array([group_of(label, RAABIN_5) is None for label in judged.labels.tolist()])
        with watch.running(len(judged)):
            scores = strange(judged.pictures).astype(np.float64)
        both = unknown.any() and not unknown.all()
        figures[f"auroc {fold}"] = area_under_roc(scores, unknown) if both else None
        figures[f"caught {fold}"] = sensitivity_at(KEPT, scores, unknown) if both else None
    for what in ("auroc", "caught"):
        values = [value for fold in FOLDS if isinstance(value := figures[f"{what} {fold}"], float)]
        figures[what] = float(np.mean(values)) if values else None
    return figures | {"ms": watch.each_ms, "fit minutes": fitting.minutes}
