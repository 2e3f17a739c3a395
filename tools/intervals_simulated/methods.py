"""Ways to an interval: from the counts alone, by the plain inversion of the matrix, and as the device does it."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from intervals_simulated.world import Floats, Sample
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.statistics.confusion import ConfusionRows, merge_confusion
from leukoscope.statistics.intervals import clopper_pearson
from leukoscope.statistics.misclassification import Correction

BOOTSTRAPS = 200

Interval = tuple[float, float]
Intervals = Mapping[str, Interval]


def counted(sample: Sample, parts: Mapping[str, list[str]], facts: ClassifierFacts) -> Intervals:
    """The exact binomial interval of the counts, which knows nothing of wrong names."""
    total = sum(sample.named[one.key] for one in facts.classes if one.in_differential)
    return {name: clopper_pearson(sum(sample.named[key] for key in keys), total) for name, keys in parts.items()}


def corrected(sample: Sample, parts: Mapping[str, list[str]], facts: ClassifierFacts) -> Intervals:
    """What the device reports."""
    mix = Correction(merge_confusion(sample.validation, facts)).correct(sample.named)
    white = [one.key for one in facts.classes if one.in_differential]
    return {name: mix.share(keys, [key for key in white if key not in keys])[1:] for name, keys in parts.items()}


def inverted(sample: Sample, parts: Mapping[str, list[str]], facts: ClassifierFacts) -> Intervals:
    """The plain alternative: the matrix inverted (by non-negative least squares), percentiles of a bootstrap of both.

    Rogan & Gladen, Am J Epidemiol 107, 1978; Buonaccorsi, Measurement Error, 2010, chapter 3.
    """
    rows = merge_confusion(sample.validation, facts)
    counts = np.array([sample.named[key] for key in rows.named])
    rng = np.random.default_rng(counts)
    drawn = np.array([_invert(rows, counts, rng) for _ in range(BOOTSTRAPS)])
    place = {key: number for number, key in enumerate(rows.classes)}
    white = drawn[:, [place[one.key] for one in facts.classes if one.in_differential]].sum(axis=1)
    ends = {}
    for name, keys in parts.items():
        share = drawn[:, [place[key] for key in keys]].sum(axis=1) / white
        low, high = np.quantile(share, [0.025, 0.975])
        ends[name] = float(low), float(high)
    return ends


def _invert(rows: ConfusionRows, counts: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    size = len(rows.classes)
    matrix = np.eye(size, size + 1)
    for number, worth in enumerate(rows.worth):
        if cells := round(worth.sum()):
            matrix[number] = rng.multinomial(cells, worth / worth.sum()) / cells
    mix, _ = nnls(matrix.T, rng.multinomial(counts.sum(), counts / counts.sum()) / counts.sum())
    return np.asarray(mix)


METHODS: Mapping[str, Callable[[Sample, Mapping[str, list[str]], ClassifierFacts], Intervals]] = {
    "counts alone": counted,
    "inverted": inverted,
    "corrected": corrected,
}
