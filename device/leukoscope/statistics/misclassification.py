"""The mix of cells behind the names they were given on a verified bench: shares with the error of naming in them."""

# Written out, the annotation np.random.Generator would load numpy's random numbers where none are drawn: 2.5 MB.
from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from leukoscope.statistics.laboratories import NamingRecord

METHOD = (
    "Median and 95 % interval of the mix of classes that can stand behind the names, given the cells checked on this "
    "bench, with other laboratories' confusion matrices as the prior (Bayesian, hierarchical Dirichlet); a class of "
    "which fewer than 5 cells were checked keeps its share as counted"
)
CHAINS = 128
"""Confusion matrices drawn; each is one the bench's could be."""
SETTLING = 8
"""Steps of a chain that are thrown away."""
KEPT = 12
"""Steps of a chain that are kept."""
JEFFREYS = 0.5
"""Weight of a class before counting, in cells."""
HALF_KNOWN = 2
"""Checked cells of a class with half that weight: a class that looks like its neighbours must not take theirs."""
LEAST_BEFORE = 0.05
"""The least weight, for a class without checked cells."""
FEWEST_CHECKED = 5
"""Checked cells of a class on the bench below which its share is not corrected: how well it is named is not known."""
LEVEL = 0.95
LOWER_TAILS = np.linspace(0.01, 0.04, 16)
"""Probability that may be left out below the interval; the rest of 5 % is left out above."""
RIGHT_BEFORE, CELLS_BEFORE = 0.75, 2.0
"""What is believed of a class's row before any cell was checked: three of four right, worth two cells."""
CONCENTRATIONS = np.exp(np.linspace(np.log(2.0), np.log(400.0), 24))
"""How alike laboratories can be: cells that the others' mean row is worth to one more. All alike likely at first."""
BELIEVED = 0.9
"""How far an unsure cell's own probabilities are believed; the rest says nothing."""
LEAST_VALIDATED = 0.005
"""Part of the validation that each class is taken to have at least, so that no probability counts beyond measure."""

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


class Correction:
    """Knows how a classifier mistakes its classes on one bench, and what can stand behind its answers.

    Each named cell is of some true class: a mix pi and a confusion matrix A give it the name j with probability
    sum_k pi_k A_kj. Each row of A is Dirichlet around the mean row of all laboratories with a concentration whose
    distribution is learnt from how far these lie apart (a hierarchical model: Gelman et al., Bayesian Data Analysis,
    2013, chapter 5); the bench's own checked cells count in full. Draws of pi given A and the names are by data
    augmentation (Tanner & Wong, JASA 82, 1987; for imperfect tests Joseph, Gyorkos & Coupal, Am J Epidemiol 141,
    1995): every name is shared out to true classes, then pi is drawn given these. The sample is not allowed to teach
    A (a cut: Plummer, Stat Comput 25, 2015). An unsure cell is of class k with probability proportional to
    pi_k p(k) / v(k), with its own probabilities p and the mix v of the validation, for which they hold, and with
    A_k,unsure over what the other laboratories have on average: its own looks count, and how often this bench is
    unsure of the class.

    `tools/interval_coverage.py` prints how often the intervals hold the truth, beside other methods.
    """

    def __init__(self, others: NamingRecord, bench: NamingRecord) -> None:
        """Take the records.

        Args:
            others: of the laboratories of the bundle's validation.
            bench: of this bench; one laboratory, the same classes.
        """
        self.others, self.bench = others, bench
        classes = len(others.classes)
        own = others.group[:, None] == others.group[None, :]
        self._own = own
        outside = np.append(~own, np.ones((classes, 1), dtype=bool), axis=1)
        first = np.where(outside, 1.0, 0.0)
        first *= (1 - RIGHT_BEFORE) / np.maximum(first.sum(axis=1, keepdims=True), 1)
        first[np.arange(classes), np.arange(classes)] = RIGHT_BEFORE
        second = np.where(own, 1.0, 0.0)
        second *= (1 - RIGHT_BEFORE) / second.sum(axis=1, keepdims=True)
        second[np.arange(classes), np.arange(classes)] += RIGHT_BEFORE
        self._across = Level.of(bench.answers.sum(axis=0), others.answers, CELLS_BEFORE * first)
        self._within = Level.of(bench.inside.sum(axis=0), others.inside, CELLS_BEFORE * second)
        cells = np.array(others.cells) + np.array(bench.cells)
        self._before = np.maximum(LEAST_BEFORE, JEFFREYS * cells / (cells + HALF_KNOWN))
        validated = others.answers.sum(axis=(0, 2))
        validated = validated + LEAST_VALIDATED * max(validated.sum(), 1.0)
        middle = self._across.mean[len(CONCENTRATIONS) // 2]
        self._validated = validated / validated.sum()
        self._unsure_elsewhere = middle[:, -1] / middle.sum(axis=1)
        self._place = {key: number for number, key in enumerate(others.classes)}
        self._checked: dict[str, float] = dict(
            zip(others.classes, bench.answers.sum(axis=(0, 2)).tolist(), strict=True)
        )

    @property
    def between(self) -> float:
        """Share of the variance of an answer that lies between laboratories, 0-1."""
        return self._across.between

    def checked_cells(self, keys: Collection[str]) -> int:
        """Cells of these classes whose naming was checked on this bench."""
        return round(sum(self._checked[key] for key in keys))

    def correct(
        self,
        named: Mapping[str, int],
        known: Mapping[str, int] | None = None,
        unsure: Sequence[Mapping[str, float]] = (),
    ) -> Mix:
        """What can stand behind these names; the same names give the same answer, to the last digit.

        Args:
            named: cells by answer, `unsure` included; answers that are no classes of the bundle are left out.
            known: further cells by true class, which a person has named; they have no error of naming, and they tell
                about the mix as any cell does.
            unsure: probability per class of those of the unsure cells of which it is known.
        """
        counts = np.array([named.get(key, 0) for key in self.others.named], dtype=np.int64)
        fixed = np.array([(known or {}).get(key, 0) for key in self.others.classes], dtype=np.int64)
        own = self._own_looks(unsure[: int(counts[-1])])
        seed = int.from_bytes(
            hashlib.sha256(
                counts.tobytes() + (fixed.tobytes() if known else b"") + np.sort(own.sum(axis=1)).tobytes()
            ).digest()[:8]
        )
        rng = np.random.default_rng(seed)
        counts[-1] -= len(own)
        rows = self._draw_rows(rng)
        looks = own[None, :, :] * (rows[:, :, -1] / self._unsure_elsewhere)[:, None, :]
        given = np.flatnonzero(counts)
        counts, likelihood = counts[given], rows[:, :, given]
        mix = np.full(rows.shape[:2], 1 / rows.shape[1])
        for _ in range(_STEPS):
            shares = mix[:, :, None] * likelihood
            expected = (shares / shares.sum(axis=1, keepdims=True) * counts).sum(axis=2)
            mix = expected + _shared(looks, mix).sum(axis=1) + fixed + self._before
            mix /= mix.sum(axis=1, keepdims=True)
        drawn = []
        for step in range(SETTLING + KEPT):
            shares = (mix[:, :, None] * likelihood).transpose(0, 2, 1)
            cells = rng.multinomial(counts, shares / shares.sum(axis=2, keepdims=True)).sum(axis=1) + fixed
            if len(own):
                cells = cells + rng.multinomial(1, _shared(looks, mix)).sum(axis=1)
            mix = rng.standard_gamma(cells + self._before)
            mix /= mix.sum(axis=1, keepdims=True)
            if step >= SETTLING:
                drawn.append(cells)
        return Mix(self._place, np.concatenate(drawn), seed, self._checked)

    def _own_looks(self, unsure: Sequence[Mapping[str, float]]) -> Floats:
        """How much likelier than any cell of the validation each unsure cell is of each class; shape (cells, K)."""
        shares = np.array([[one.get(key, 0.0) for key in self.others.classes] for one in unsure], dtype=np.float64)
        shares = shares.reshape(len(unsure), len(self.others.classes))
        return np.asarray(BELIEVED * shares / self._validated + (1 - BELIEVED))

    def _draw_rows(self, rng: np.random.Generator) -> Floats:
        """Probability of each answer by true class; shape (CHAINS, K, K + 1)."""
        across, within = self._across.draw(CHAINS, rng), self._within.draw(CHAINS, rng)
        right = np.diagonal(across, axis1=1, axis2=2)
        rows = across.copy()
        rows[:, :, :-1] = np.where(self._own[None], right[:, :, None] * within, across[:, :, :-1])
        # A gamma of a tiny shape can be 0 to the last bit, and an answer that nothing can give has no cause.
        return np.maximum(rows, 1e-12)


_STEPS = 25
"""Of expectation maximisation, to a likely mix for each chain to start from."""


def _shared(looks: Floats, mix: Floats) -> Floats:
    """Probability of each class for each unsure cell; shape (chains, cells, K)."""
    shares = looks * mix[:, None, :]
    return np.asarray(shares / shares.sum(axis=2, keepdims=True))


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


@dataclass(frozen=True, slots=True)
class Mix:
    """Draws of how many of the counted cells are of each class."""

    place: Mapping[str, int]
    cells: NDArray[np.int64]
    """Shape (draws, K)."""
    seed: int
    checked: Mapping[str, float]
    """Cells of each class whose naming was checked on the bench."""

    def knows(self, keys: Collection[str]) -> bool:
        """Enough cells of these classes were checked to say how they are named.

        Other laboratories do not say how this one names a class: an interval that rests on them alone holds the truth
        too rarely.
        """
        return sum(self.checked[key] for key in keys) >= FEWEST_CHECKED

    def share(self, over: Collection[str], under: Collection[str]) -> tuple[float, float, float]:
        """Share of `over` among `over` and `under`: median, and ends of the 95 % interval, each 0-1.

        Given how many cells were of `over`, its share has the prior Beta(1/2, 1/2) whatever the number of classes
        (one at a time: Berger, Bernardo & Sun, Bayesian Analysis 10, 2015). The interval is the shortest on the scale
        arcsin sqrt(share), where the error of counting is the same everywhere, with 1 % left out at either side at
        least: equal tails hold rare classes too often, the shortest of all not often enough. It is one of good
        average coverage, not of guaranteed coverage as the exact binomial one, so for a class never seen it can be
        the narrower of both.

        Args:
            over: class keys.
            under: other class keys; with none the share is 1.
        """
        if not under:
            return 1.0, 1.0, 1.0
        x = self.cells[:, [self.place[key] for key in over]].sum(axis=1)
        y = self.cells[:, [self.place[key] for key in under]].sum(axis=1)
        drawn = np.sort(np.random.default_rng(self.seed).beta(JEFFREYS + x, JEFFREYS + y))
        low, high = np.quantile(drawn, LOWER_TAILS), np.quantile(drawn, LOWER_TAILS + LEVEL)
        shortest = np.argmin(np.arcsin(np.sqrt(high)) - np.arcsin(np.sqrt(low)))
        return float(np.median(drawn)), float(low[shortest]), float(high[shortest])
