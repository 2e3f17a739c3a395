"""How far laboratories, and specimens of one, lie apart in how a classifier names their cells: a hierarchical model."""

# Written out, the annotation np.random.Generator would load numpy's random numbers where none are drawn: 2.5 MB.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

CONCENTRATIONS = np.exp(np.linspace(np.log(2.0), np.log(400.0), 24))
"""How alike laboratories can be: cells that the others' mean row is worth to one more. All alike likely at first."""

LEAST_ALIKE = 8.0
"""The least of CONCENTRATIONS that specimens of one laboratory have: with less, a class may have the name of another in
all of a specimen, and the interval holds almost every share."""
SPECIMENS_ALIKE = np.where(CONCENTRATIONS >= LEAST_ALIKE * 0.99, 1.0, 0.0)
SPECIMENS_ALIKE /= SPECIMENS_ALIKE.sum()
"""How often specimens of one laboratory have each of CONCENTRATIONS, before those of the bench.

It rests on no laboratory; `tools/specimen_spread.py` prints how far real specimens lie apart.
"""
STEPS = 4
"""Of Gibbs sampling, from the bench's cells counted in full."""
OTHERS_WORTH = 2.0
"""Cells that other laboratories' mean row is worth where one specimen of a bench is held against its others."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the hierarchy: rows of answers of every class in every laboratory, and what they have in common.

    Each row of each laboratory lies around the mean row of its class with a concentration of its own, and these
    concentrations have a distribution that is learnt: most rows agree closely and some not at all, so a bench whose
    cells contradict the others is believed more than them. Each row of each specimen lies around its laboratory's in
    the same way; how closely is learnt from the bench's own specimens.
    """

    bench: Floats
    """Shape (specimens, K, answers): cells of the bench."""
    mean: Floats
    """Shape (concentrations, K, answers): cells that the other laboratories' rows are worth, the prior
    included."""
    likely: Floats
    """Shape (concentrations,): how often rows have each of CONCENTRATIONS."""
    of_bench: Floats
    """Shape (K, concentrations): probability of each for the bench's rows."""
    of_specimens: Floats
    """Shape (K, concentrations): probability of each for how closely specimens lie around the bench's rows."""

    @classmethod
    def of(cls, specimens: Floats, others: Floats, prior: Floats) -> Level:
        """Learn how far laboratories, and the specimens of the bench, lie apart.

        Args:
            specimens: cells of the bench, shape (specimens, K, answers).
            others: those of the other laboratories, shape (laboratories, K, answers).
            prior: of the rows, in cells, shape (K, answers).
        """
        bench = specimens.sum(axis=0)
        fits = fits_of(np.concatenate([others, bench[None]]), prior)
        likely = mixture_of(fits) if fits else np.full(len(CONCENTRATIONS), 1 / len(CONCENTRATIONS))
        mean = np.array([[_worth(others[:, row], one) for row in range(len(prior))] for one in CONCENTRATIONS])
        mean += prior
        middle = mean[len(CONCENTRATIONS) // 2]
        fit = np.array([_log_likelihood(bench[row], middle[row]) for row in range(len(prior))])
        of_bench = likely * np.exp(fit - fit.max(axis=1, keepdims=True))
        of_bench /= of_bench.sum(axis=1, keepdims=True)
        return cls(specimens, mean, likely, of_bench, _of_specimens(specimens, middle))

    def draw(self, chains: int, rng: np.random.Generator) -> Floats:
        """Rows that a specimen of the bench may have, shape (chains, K, answers).

        The bench's row given how its specimens' cells were named is drawn by the tables of the Chinese restaurant
        process (Antoniak, Ann Stat 2, 1974; Teh et al., JASA 101, 2006, section 5): of n cells of a specimen with the
        same answer as many count as are not explained by the specimen.
        """
        drawn = np.zeros((chains, *self.bench.shape[1:]))
        for row in range(self.bench.shape[1]):
            before = self._around_others(row, chains, rng)
            alike = CONCENTRATIONS[_drawn_of(self.of_specimens[row], chains, rng)][:, None]
            cells = self.bench[:, row]
            of_bench, places = _dirichlet(before + cells.sum(axis=0), rng), _places(cells)
            for _ in range(STEPS if places else 0):
                of_bench = _dirichlet(before + _tables(places, alike * of_bench, rng), rng)
            drawn[:, row] = _dirichlet(alike * of_bench, rng)
        return drawn

    def _around_others(self, row: int, chains: int, rng: np.random.Generator) -> Floats:
        """Cells that the other laboratories are worth to the bench, shape (chains, answers)."""
        chosen = _drawn_of(self.of_bench[row], chains, rng)
        return CONCENTRATIONS[chosen, None] * _dirichlet(self.mean[chosen, row], rng)

    @property
    def between(self) -> float:
        """Share of the variance of an answer that lies between laboratories, 0-1."""
        return share_between(self.likely)


def share_between(likely: Floats) -> float:
    """Share of the variance of an answer that lies between rows with these concentrations, 0-1."""
    return float((likely / (1 + CONCENTRATIONS)).sum())


def fits_of(everything: Floats, prior: Floats) -> list[list[float]]:
    """Of each row the logarithm of its likelihood around the others', for each of CONCENTRATIONS.

    Args:
        everything: cells, shape (laboratories or specimens, K, answers).
        prior: of the rows, in cells, shape (K, answers).
    """
    fits = []
    for row in range(len(prior)):
        filled = [number for number in range(len(everything)) if everything[number, row].sum() > 0]
        for number in filled if len(filled) > 1 else ():
            rest = _worth(np.delete(everything[:, row], number, axis=0), CONCENTRATIONS[len(CONCENTRATIONS) // 2])
            fits.append(_log_likelihood(everything[number, row], rest + prior[row]))
    return fits


def _drawn_of(likely: Floats, chains: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Numbers of concentrations, shape (chains,)."""
    return rng.permuted(np.repeat(np.arange(len(likely)), rng.multinomial(chains, likely)))


def _dirichlet(weight: Floats, rng: np.random.Generator) -> Floats:
    """One row of each of these, shape as given."""
    drawn = rng.standard_gamma(weight) + 1e-12
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def _places(cells: Floats) -> list[tuple[int, Floats, Floats]]:
    """Of each answer, which number its cells have in their specimen, and which part of a cell each is.

    Args:
        cells: shape (specimens, answers); cells with a coarse label are shared out, so there are parts of cells.
    """
    places = []
    for answer in np.flatnonzero(cells.sum(axis=0)):
        of_specimens = [(count, np.arange(np.ceil(count))) for count in cells[:, answer] if count]
        parts = [np.minimum(1.0, count - number) for count, number in of_specimens]
        places.append((int(answer), np.concatenate([number for _, number in of_specimens]), np.concatenate(parts)))
    return places


def _tables(places: Sequence[tuple[int, Floats, Floats]], around: Floats, rng: np.random.Generator) -> Floats:
    """Cells that tell of the bench: the first of an answer in a specimen does, the i-th with probability a / (a + i).

    Args:
        places: numbers of the cells in their specimens, from 0.
        around: a, shape (chains, answers).
        rng: of the draws.
    """
    tables = np.zeros_like(around)
    for answer, number, part in places:
        a = around[:, answer, None]
        tables[:, answer] = (part * (rng.random((len(a), len(number))) * (a + number) < a)).sum(axis=1)
    return tables


def _of_specimens(specimens: Floats, middle: Floats) -> Floats:
    """Probability of each concentration of specimens around the bench's row, by row."""
    found = np.tile(SPECIMENS_ALIKE, (len(middle), 1))
    for row, around in enumerate(middle):
        cells = specimens[:, row]
        cells = cells[cells.sum(axis=1) > 1]
        if len(cells) < 2:
            continue
        fit = np.zeros(len(CONCENTRATIONS))
        prior = OTHERS_WORTH * around / around.sum()
        for number, one in enumerate(cells):
            fit += _log_likelihood(one, np.delete(cells, number, axis=0).sum(axis=0) + prior)
        found[row] = SPECIMENS_ALIKE * np.exp(fit - fit.max())
    return np.asarray(found / found.sum(axis=1, keepdims=True))


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


def mixture_of(fits: Sequence[Sequence[float]]) -> Floats:
    """How often rows have each concentration, by expectation maximisation; one row's worth is spread over all."""
    logarithms = np.array(fits)
    each = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    weight = np.full(each.shape[1], 1 / each.shape[1])
    for _ in range(50):
        shared = each * weight
        weight = (shared / shared.sum(axis=1, keepdims=True)).sum(axis=0) + 1 / each.shape[1]
        weight /= weight.sum()
    return weight
