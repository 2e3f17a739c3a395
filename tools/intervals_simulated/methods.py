"""Ways to an interval: from the counts alone, as the device does it on a verified bench, and EMQ and PACC of QuaPy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervals_simulated.samples import Floats, Sample
from leukoscope.inference.bundle import ClassifierFacts
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.intervals import clopper_pearson
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction

BOOTSTRAPS = 60


@dataclass(frozen=True, slots=True)
class Estimated:
    """A share and its interval, each 0-1."""

    value: float
    low: float
    high: float


Estimates = Mapping[str, Estimated]


def counted(sample: Sample, facts: ClassifierFacts) -> Estimates:
    """The exact binomial interval of the counts, which knows nothing of wrong names (naive Clopper-Pearson)."""
    named = sample.named
    total = sum(named.get(one.key, 0) for one in facts.classes if one.in_differential)
    found = {}
    for name, keys in sample.parts.items():
        count = sum(named.get(key, 0) for key in keys)
        found[name] = Estimated(count / total if total else 0.0, *clopper_pearson(count, total))
    return found


def corrected(sample: Sample, facts: ClassifierFacts) -> Estimates:
    """What the device reports once the bench is verified."""
    answers = (*(one.key for one in facts.classes), UNSURE)
    bench = NamingRecord.of(sample.checked.matrices(answers), facts)
    correction = Correction(NamingRecord.of(sample.others, facts), bench)
    unsure = [
        dict(zip(answers, row, strict=False))
        for row, answer in zip(sample.probabilities.tolist(), sample.answers, strict=True)
        if answer == UNSURE
    ]
    mix = correction.correct(sample.named, unsure=unsure)
    white = [one.key for one in facts.classes if one.in_differential]
    return {
        name: Estimated(*mix.share(keys, [key for key in white if key not in keys]))
        for name, keys in sample.parts.items()
        if mix.knows(keys)
    }


def emq(sample: Sample, facts: ClassifierFacts) -> Estimates:
    """Expectation maximisation on the posteriors (Saerens et al. 2002) of QuaPy, percentiles of a bootstrap."""
    quapy = _quapy()
    parts, shares, checked, _ = _by_part(sample, facts)
    rng = np.random.default_rng(len(sample.answers))
    before = np.clip(checked.mean(axis=0), 1e-3, None)
    before /= before.sum()

    def estimate(rows: Floats, _: NDArray[np.intp]) -> Floats:
        return np.asarray(quapy.EMQ.EM(before, np.clip(rows, 1e-6, None), epsilon=1e-4)[0])

    return _bootstrapped(sample, parts, shares, estimate, rng)


def pacc(sample: Sample, facts: ClassifierFacts) -> Estimates:
    """Probabilistic adjusted counting (Bella et al. 2010) of QuaPy, calibrated on the bench's checked cells."""
    quapy = _quapy()
    parts, shares, checked, labels = _by_part(sample, facts)
    rng = np.random.default_rng(len(sample.answers))

    def estimate(rows: Floats, chosen: NDArray[np.intp]) -> Floats:
        rates = quapy.PACC.getPteCondEstim(np.arange(len(parts)), labels[chosen], checked[chosen])
        return np.asarray(quapy.ACC.solve_adjustment(rates, rows.mean(axis=0), "inversion", "minimize"))

    return _bootstrapped(sample, parts, shares, estimate, rng)


def _quapy() -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from quapy.method import aggregative
        except ImportError:
            raise SystemExit(
                "EMQ and PACC need QuaPy: pip install 'leukoscope[quantification]', or leave them out with --method"
            ) from None
    return aggregative


def _by_part(sample: Sample, facts: ClassifierFacts) -> tuple[list[str], Floats, Floats, NDArray[np.intp]]:
    """The parts and what is left of the classes; shares of sample and checked cells by part; the checked labels."""
    classes = [one.key for one in facts.classes]
    parts = [*sample.parts, "other"]
    into = np.zeros((len(classes), len(parts)))
    for number, key in enumerate(classes):
        owner = next((part for part, keys in sample.parts.items() if key in keys), "other")
        into[number, parts.index(owner)] = 1.0
    of_label = {label: part for part, keys in sample.parts.items() for label in (part, *keys)}
    labels = np.array([parts.index(of_label.get(label, "other")) for label in sample.checked.labels], dtype=np.intp)
    return parts, sample.probabilities @ into, sample.checked.probabilities @ into, labels


def _bootstrapped(
    sample: Sample,
    parts: list[str],
    shares: Floats,
    estimate: Callable[[Floats, NDArray[np.intp]], Floats],
    rng: np.random.Generator,
) -> Estimates:
    cells, checked = len(shares), len(sample.checked.labels)
    plain = estimate(shares, np.arange(checked))
    drawn = np.array(
        [
            estimate(shares[rng.integers(cells, size=cells)], rng.integers(checked, size=checked))
            for _ in range(BOOTSTRAPS)
        ]
    )
    # What is no part of the differential is left out of its whole.
    plain, drawn = plain[:-1] / max(plain[:-1].sum(), 1e-9), drawn[:, :-1]
    drawn = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-9)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return {
        part: Estimated(float(plain[number]), float(low[number]), float(high[number]))
        for number, part in enumerate(parts[:-1])
    }


METHODS: Mapping[str, Callable[[Sample, ClassifierFacts], Estimates]] = {
    "counts": counted,
    "EMQ": emq,
    "PACC": pacc,
    "verified": corrected,
}
"""By the name that the tables use; "verified" is what the device prints."""
