"""Rows of every classifier over every feature set."""

import pickle
from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from methods import classifiers, features
from methods.bench import Bench
from methods.cells import Cells
from methods.clock import Stopwatch
from methods.jobs import Figures, Job
from methods.kinds import ClassifierKind, FeatureSet, Matrix, Names, Pictures, Words
from methods.loading import load, sources
from methods.naming_scores import figures_of, left_out_figures

KIND = "naming"
SHARED = ("naming_rows.py", "naming_scores.py", "cells.py")
COMPONENTS = 64
"""More features than this are brought down to so many principal components."""


class Measured:
    """The features of the bench's cells, each set measured once."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.method: FeatureSet = load("features", name)
        self.learning, self.watch = Stopwatch(), Stopwatch()
        with self.learning.running():
            self.of = self.method.make(bench.unlabelled.pictures, bench.networks)
        with self.watch.running(len(bench.train) + len(bench.val)):
            self.rows = {"train": self.of(bench.train.pictures), "val": self.of(bench.val.pictures)}
        self._place = {
            id_of(picture): (split, index)
            for split, cells in (("train", bench.train), ("val", bench.val))
            for index, picture in enumerate(cells.pictures)
        }

    def rows_of(self, pictures: Pictures) -> Matrix:
        """Features of some of the bench's cells."""
        places = [self._place[id_of(picture)] for picture in pictures]
        return np.stack([self.rows[split][index] for split, index in places])


def id_of(picture: np.typing.NDArray[np.uint8]) -> bytes:
    """What tells one picture from another."""
    return picture.tobytes()


@cache
def measured(bench: Bench, name: str) -> Measured:
    """One feature set at a time is enough: rows come feature set by feature set."""
    return Measured(bench, name)


def jobs() -> Iterator[Job]:
    """Every pair."""
    for feature in features.NAMES:
        for classifier in classifiers.NAMES:
            grid = ("features/dense_sift.py",) if feature.startswith("sift") else ()
            files = sources(f"features/{feature}.py", f"classifiers/{classifier}.py", *grid, *SHARED)
            networks = feature == "measured"
            measure = partial(_measure, feature, classifier)
            yield Job(KIND, f"{feature} + {classifier}", files, measure, ("train_cells", "val_cells"), networks)


def fitted(kind: ClassifierKind, rows: Matrix, labels: Words) -> Names:
    """Features made alike in spread, brought down to few, and named."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    steps = [StandardScaler()]
    if rows.shape[1] > COMPONENTS:
        steps.append(PCA(min(COMPONENTS, len(rows)), random_state=0))
    model = make_pipeline(*steps, StandardScaler(), kind.make())
    names: Names = model.fit(rows, labels)
    return names


def _measure(feature: str, classifier: str, bench: Bench) -> Figures:
    kind: ClassifierKind = load("classifiers", classifier)
    known = measured(bench, feature)
    fitting, naming = Stopwatch(), Stopwatch()
    with fitting.running():
        model = fitted(kind, known.rows["train"], bench.train.labels)
    with naming.running(len(bench.val)):
        answers = model.predict(known.rows["val"])

    def fit(cells: Cells) -> partial[Words]:
        one = fitted(kind, known.rows_of(cells.pictures), cells.labels)
        return partial(_named, one, known)

    return {
        "title": f"{known.method.name}, {kind.name}",
        "paper": "; ".join(part for part in (known.method.paper, kind.paper) if part),
        **figures_of(bench.val, answers),
        **left_out_figures(bench, fit),
        "ms": known.watch.each_ms + naming.each_ms,
        "kb": len(pickle.dumps(model)) / 1000,
        "fit minutes": known.learning.minutes + fitting.minutes + known.watch.each_ms * len(bench.train) / 60_000,
        "cells": len(bench.train),
    }


def _named(model: Names, known: Measured, cells: Cells) -> Words:
    return model.predict(known.rows_of(cells.pictures))
