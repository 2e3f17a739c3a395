"""Rows of the ten stages of maturation: patches of 96 pixels, oversampled by re-centring as the original set was.

The original set's cells were cut out again with slightly other centres until all stages had as many. Where that is done
before the split into training and validation, both hold the same cells: one row does so on purpose, as a warning.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import cv2
import numpy as np

from evaluation.naming import STAGES_10
from methods.bench import Bench
from methods.cells import SIDE_PX, UM_PER_PX, Cells
from methods.clock import Stopwatch
from methods.device import network_kb
from methods.jobs import Figures, Job
from methods.kinds import Pictures, Words
from methods.loading import load, sources
from methods.naming_scores import group_score

KIND = "marrow"
PATCH_PX = 96
MOVED_PX = 4
"""How far the centre of a patch moves at most."""
AMOUNTS = ("train_cells", "val_cells", "deep_s", "marrow_per_class")
Namer = Callable[[Pictures], Words]
Fit = Callable[[Pictures, Words, Bench], Namer]


def jobs() -> Iterator[Job]:
    """The shipped network, three ways to learn, each with and without oversampling, and two that leak."""
    shared = ("marrow_rows.py", "cells.py", "naming_scores.py")
    yield Job(KIND, "shipped", sources(*shared), _measure_shipped, AMOUNTS[1:2], networks=True)
    ways: Sequence[tuple[str, str, Fit]] = (
        ("hog", "features/hog.py", partial(_by_features, "hog")),
        ("local_binary_patterns", "features/local_binary_patterns.py", partial(_by_features, "local_binary_patterns")),
        ("our_plan", "deep/our_plan.py", partial(_by_network, "our_plan")),
    )
    for name, file, fit in ways:
        files = sources(file, "learning.py", *shared)
        for oversampled in (False, True):
            how = "re-centred" if oversampled else "as they are"
            yield Job(KIND, f"{name}, {how}", files, partial(_measure, name, fit, oversampled), AMOUNTS)
    for name, file, fit in ways[:2]:
        yield Job(KIND, f"{name}, split too late", sources(file, *shared), partial(_measure_leaky, name, fit), AMOUNTS)


def patches(pictures: Pictures, rng: np.random.Generator | None = None) -> Pictures:
    """The middle 96 pixels, moved by chance where a generator is given, enlarged to the size that methods take."""
    cut = []
    for picture in pictures:
        down, right = rng.integers(-MOVED_PX, MOVED_PX + 1, 2) if rng is not None else (0, 0)
        top, left = (SIDE_PX - PATCH_PX) // 2 + down, (SIDE_PX - PATCH_PX) // 2 + right
        part = picture[top : top + PATCH_PX, left : left + PATCH_PX]
        cut.append(cv2.resize(part, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR))
    return np.stack(cut)


def recentred(cells: Cells, per_class: int) -> tuple[Pictures, Words]:
    """As many patches of every stage, cut out around slightly other centres."""
    rng = np.random.default_rng(0)
    drawn = np.concatenate(
        [rng.choice(np.flatnonzero(cells.labels == name), per_class) for name in np.unique(cells.labels)]
    )
    return patches(cells.pictures[drawn], rng), cells.labels[drawn]


def _by_features(name: str, pictures: Pictures, labels: Words, bench: Bench) -> Namer:
    from methods.naming_rows import fitted

    measure = load("features", name).make(pictures, bench.networks)
    model = fitted(load("classifiers", "support_vectors"), measure(pictures), labels)
    return lambda some: model.predict(measure(some))


def _by_network(name: str, pictures: Pictures, labels: Words, bench: Bench) -> Namer:
    namer: Namer = load("deep", name).fit(pictures, labels, bench.amounts.deep_s).name
    return namer


TITLES = {"hog": "HoG, SVM", "local_binary_patterns": "local binary patterns, SVM", "our_plan": "our CNN's plan, 64 px"}


def _measure(name: str, fit: Fit, oversampled: bool, bench: Bench) -> Figures:
    cells, judged = bench.marrow_train, bench.marrow_val
    pictures, labels = (
        recentred(cells, bench.amounts.marrow_per_class) if oversampled else (patches(cells.pictures), cells.labels)
    )
    how = "oversampled by re-centring" if oversampled else "cells as they are"
    return {"title": f"{TITLES[name]}, {how}", **_judged(fit, pictures, labels, judged, bench)}


def _measure_leaky(name: str, fit: Fit, bench: Bench) -> Figures:
    """Patches of the same cell on both sides of the split."""
    every = bench.marrow_train
    pictures, labels = recentred(every, bench.amounts.marrow_per_class)
    to_learn = np.random.default_rng(1).random(len(labels)) < 0.8
    judged = Cells(pictures[~to_learn], labels[~to_learn], labels[~to_learn])
    title = f"{TITLES[name]}, oversampled before the split (the same cells on both sides)"
    return {"title": title, **_judged(fit, pictures[to_learn], labels[to_learn], judged, bench, cut=False)}


def _judged(fit: Fit, pictures: Pictures, labels: Words, judged: Cells, bench: Bench, *, cut: bool = True) -> Figures:
    fitting, naming = Stopwatch(), Stopwatch()
    with fitting.running():
        namer = fit(pictures, labels, bench)
    seen = patches(judged.pictures) if cut else judged.pictures
    with naming.running(len(judged)):
        answers = namer(seen)
    return {
        **_figures(judged, answers),
        "ms": naming.each_ms,
        "fit minutes": fitting.minutes,
        "cells": len(labels),
    }


def _measure_shipped(bench: Bench) -> Figures:
    network, watch, judged = bench.networks.marrow, Stopwatch(), bench.marrow_val
    with watch.running(len(judged)):
        answers = [network.best(network.name_crop(one, UM_PER_PX))[0] for one in judged.pictures]
    return {
        "title": "leukoscope's marrow network (int8)",
        **_figures(judged, np.array(answers)),
        "ms": watch.each_ms,
        "kb": network_kb("marrow"),
    }


def _figures(judged: Cells, answers: Words) -> dict[str, float | None]:
    found = group_score(judged, answers, STAGES_10)
    score, balanced = found if found else (None, None)
    return {
        "ten": score.accuracy if score else None,
        "ten balanced": balanced,
        "ten F1": score.macro_f1 if score else None,
        "ten judged": len(judged),
    }
