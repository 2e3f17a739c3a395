"""How far laboratories lie apart in how a classifier names their cells: the levels of the hierarchical model."""

# Written out, the annotation np.random.Generator would load numpy's random numbers where none are drawn: 2.5 MB.
from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

CONCENTRATIONS = np.exp(np.linspace(np.log(2.0), np.log(400.0), 24))
"""How alike laboratories can be: cells that the others' mean row is worth to one more. All alike likely at first."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the hierarchy: rows of answers of every class in every laboratory, and what they have in common.

    Each row of each laboratory lies around the mean row of its class with a concentration of its own, and these
    concentrations have a distribution that is learnt: most rows agree closely and some not at all, so a bench whose
    cells contradict the others is believed more than them.
    """

    bench: Floats
    """Shape (K, answers): cells of the bench."""
    mean: Floats
    """Shape (concentrations, K, answers): cells that the other laboratories' rows are worth, with what is believed
    before any."""
    likely: Floats
    """Shape (concentrations,): how often rows have each of CONCENTRATIONS."""
    of_bench: Floats
    """Shape (K, concentrations): probability of each for the bench's rows."""

    @classmethod
    def of(cls, bench: Floats, others: Floats, belief: Floats) -> Level:
        """Learn how far laboratories lie apart.

        Args:
            bench: cells of the bench, shape (K, answers).
            others: those of the other laboratories, shape (laboratories, K, answers).
            belief: before any laboratory, in cells, shape (K, answers).
        """
        everything = np.concatenate([others, bench[None]])
        fits = []
        for row in range(len(belief)):
            filled = [number for number in range(len(everything)) if everything[number, row].sum() > 0]
            for number in filled if len(filled) > 1 else ():
                rest = _worth(np.delete(everything[:, row], number, axis=0), CONCENTRATIONS[len(CONCENTRATIONS) // 2])
                fits.append(_log_likelihood(everything[number, row], rest + belief[row]))
        likely = _mixture(np.array(fits)) if fits else np.full(len(CONCENTRATIONS), 1 / len(CONCENTRATIONS))
        mean = np.array([[_worth(others[:, row], one) for row in range(len(belief))] for one in CONCENTRATIONS])
        mean += belief
        middle = mean[len(CONCENTRATIONS) // 2]
        fit = np.array([_log_likelihood(bench[row], middle[row]) for row in range(len(belief))])
        of_bench = likely * np.exp(fit - fit.max(axis=1, keepdims=True))
        return cls(bench, mean, likely, of_bench / of_bench.sum(axis=1, keepdims=True))

    def draw(self, chains: int, rng: np.random.Generator) -> Floats:
        """Rows that the bench may have, shape (chains, K, answers): given a mean row and all of the bench's cells."""
        drawn = np.zeros((chains, *self.bench.shape))
        for row, likely in enumerate(self.of_bench):
            chosen = rng.permuted(np.repeat(np.arange(len(likely)), rng.multinomial(chains, likely)))
            mean = rng.standard_gamma(self.mean[chosen, row]) + 1e-9
            mean /= mean.sum(axis=1, keepdims=True)
            drawn[:, row] = rng.standard_gamma(CONCENTRATIONS[chosen, None] * mean + self.bench[row]) + 1e-12
        return np.asarray(drawn / drawn.sum(axis=2, keepdims=True))

    @property
    def between(self) -> float:
        """Share of the variance of an answer that lies between laboratories, 0-1."""
        return float((self.likely / (1 + CONCENTRATIONS)).sum())


def _worth(rows: Floats, concentration: float) -> Floats:
    """Cells that laboratories' rows are worth to another laboratory, added: m are worth m / (1 + (m - 1) / (1 + s)).

    The design effect of Kish, Survey Sampling, 1965.
    """
    size = rows.sum(axis=1, keepdims=True)
    return np.asarray((rows / (1 + np.maximum(size - 1, 0) / (1 + concentration))).sum(axis=0))


def _log_likelihood(counts: Floats, around: Floats) -> list[float]:
    """Of one row for each of CONCENTRATIONS: Dirichlet-multinomial around a mean (Mosimann, Biometrika 49, 1962)."""
    mean, cells = around / around.sum(), float(counts.sum())
    seen = [(float(share), float(count)) for share, count in zip(mean, counts, strict=True) if count]
    return [
        lgamma(one)
        - lgamma(one + cells)
        + sum(lgamma(one * share + count) - lgamma(one * share) for share, count in seen)
        for one in CONCENTRATIONS.tolist()
    ]


def _mixture(fits: Floats) -> Floats:
    """How often rows have each concentration, by expectation maximisation; one row's worth is spread over all."""
    each = np.exp(fits - fits.max(axis=1, keepdims=True))
    weight = np.full(fits.shape[1], 1 / fits.shape[1])
    for _ in range(50):
        shared = each * weight
        weight = (shared / shared.sum(axis=1, keepdims=True)).sum(axis=0) + 1 / fits.shape[1]
        weight /= weight.sum()
    return weight
