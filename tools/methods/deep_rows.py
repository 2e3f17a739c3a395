"""Rows of the networks, all of which learn in the same time, and the classifier that ships."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from methods.bench import Bench
from methods.cells import UM_PER_PX, Cells
from methods.clock import Stopwatch
from methods.deep import NAMES
from methods.device import network_kb
from methods.jobs import Figures, Job
from methods.kinds import DeepMethod, Pictures, Words
from methods.loading import load, sources
from methods.naming_scores import figures_of, left_out_figures

KIND = "deep"
LEFT_OUT_SHARE = 1 / 3
"""Of the time, for learning without a laboratory."""
SHARED = ("deep_rows.py", "naming_scores.py", "cells.py")
AMOUNTS = ("train_cells", "val_cells", "deep_s")


def jobs() -> Iterator[Job]:
    """The shipped classifier, then one row per file."""
    yield Job(KIND, "shipped", sources(*SHARED), _measure_shipped, AMOUNTS[1:2], networks=True)
    for name in NAMES:
        files = sources(f"deep/{name}.py", "learning.py", *SHARED)
        yield Job(KIND, name, files, partial(_measure, name), AMOUNTS)


def _measure(name: str, bench: Bench) -> Figures:
    method: DeepMethod = load("deep", name)
    seconds = bench.amounts.deep_s
    fitting, naming = Stopwatch(), Stopwatch()
    with fitting.running():
        learnt = method.fit(bench.train.pictures, bench.train.labels, seconds)
    with naming.running(len(bench.val)):
        answers = learnt.name(bench.val.pictures)

    def fit(cells: Cells) -> partial[Words]:
        return partial(_named, method.fit(cells.pictures, cells.labels, seconds * LEFT_OUT_SHARE).name)

    return {
        "title": method.name,
        "paper": method.paper,
        **figures_of(bench.val, answers),
        **left_out_figures(bench, fit),
        "ms": naming.each_ms,
        "kb": learnt.kb,
        "fit minutes": fitting.minutes,
        "cells": len(bench.train),
    }


def _named(name: Callable[[Pictures], Words], cells: Cells) -> Words:
    return name(cells.pictures)


def _measure_shipped(bench: Bench) -> Figures:
    """It has learnt from all of these laboratories, so nothing is said about another one."""
    classifier, watch = bench.networks.classifier, Stopwatch()
    classifier.name_crop(bench.val.pictures[0], UM_PER_PX)
    with watch.running(len(bench.val)):
        answers = [classifier.best(classifier.name_crop(one, UM_PER_PX))[0] for one in bench.val.pictures]
    return {
        "title": "leukoscope's classifier (int8)",
        "paper": "models/classifier/CARD.md",
        **figures_of(bench.val, np.array(answers)),
        "ms": watch.each_ms,
        "kb": network_kb("classifier"),
    }
