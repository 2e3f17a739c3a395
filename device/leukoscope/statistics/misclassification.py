"""The mix of cells behind the names they were given on a verified bench: shares with the error of naming in them."""

# Written out, the annotation np.random.Generator would load numpy's random numbers where none are drawn: 2.5 MB.
from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.laboratory_levels import CONCENTRATIONS, Floats, Level

CHAINS = 128
"""Confusion matrices drawn; each is one the bench's could be."""
EM_STEPS = 25
"""Of expectation maximisation, to a likely mix for each chain to start from."""
BURN_IN = 8
"""First steps of each chain, which are thrown away."""
KEPT_STEPS = 12
"""Steps of each chain that are kept."""
JEFFREYS = 0.5
"""Weight of a class in the prior of the mix, in cells (Jeffreys' prior of a binomial share)."""
HALF_KNOWN = 2
"""Checked cells of a class with half that weight: a class that looks like its neighbours must not take theirs."""
LEAST_PRIOR = 0.05
"""The least weight in that prior, for a class without checked cells."""
FEWEST_CHECKED = 5
"""Checked cells of a class on the bench below which its share is not corrected: how well it is named is not known."""
LEVEL = 0.95
LOWER_TAILS = np.linspace(0.01, 0.04, 16)
"""Probability that may be left out below the interval; the rest of 5 % is left out above."""
PRIOR_RIGHT, PRIOR_CELLS = 0.75, 2.0
"""Prior of a class's row of the confusion matrix: three of four named right, worth two cells."""
BELIEVED = 0.95
"""How far an unsure cell's own probabilities are believed; the rest says nothing."""
LEAST_VALIDATED = 0.05
"""Part of the validation that each class is taken to have at least, so that no probability counts beyond measure."""


class Correction:
    """Knows how a classifier mistakes its classes on one bench, and what can stand behind its answers.

    Each named cell is of some true class: a mix pi and a confusion matrix A give it the name j with probability
    sum_k pi_k A_kj. Each row of A is Dirichlet around the mean row of all laboratories with a concentration whose
    distribution is learnt from how far these lie apart (a hierarchical model: Gelman et al., Bayesian Data Analysis,
    2013, chapter 5); the rows of each specimen are Dirichlet around the bench's, with a concentration learnt from the
    bench's specimens, and the sample is one specimen more. The bench's own checked cells count in full, as far as they
    are not explained by the specimen they are of. Draws of pi given A and the names are by data
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
            bench: of this bench, the same classes; its specimens in place of laboratories.
        """
        self.others, self.bench = others, bench
        classes = len(others.classes)
        own = others.group[:, None] == others.group[None, :]
        self._own = own
        outside = np.append(~own, np.ones((classes, 1), dtype=bool), axis=1)
        first = np.where(outside, 1.0, 0.0)
        first *= (1 - PRIOR_RIGHT) / np.maximum(first.sum(axis=1, keepdims=True), 1)
        first[np.arange(classes), np.arange(classes)] = PRIOR_RIGHT
        second = np.where(own, 1.0, 0.0)
        second *= (1 - PRIOR_RIGHT) / second.sum(axis=1, keepdims=True)
        second[np.arange(classes), np.arange(classes)] += PRIOR_RIGHT
        self.prior = PRIOR_CELLS * first
        """Of a class's row of answers, in cells, shape (K, K + 1)."""
        self._across = Level.of(bench.answers, others.answers, self.prior)
        self._within = Level.of(bench.inside, others.inside, PRIOR_CELLS * second)
        cells = np.array(others.cells) + np.array(bench.cells)
        self._before = np.maximum(LEAST_PRIOR, JEFFREYS * cells / (cells + HALF_KNOWN))
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
        for _ in range(EM_STEPS):
            shares = mix[:, :, None] * likelihood
            expected = (shares / shares.sum(axis=1, keepdims=True) * counts).sum(axis=2)
            mix = expected + _shared(looks, mix).sum(axis=1) + fixed + self._before
            mix /= mix.sum(axis=1, keepdims=True)
        drawn = []
        for step in range(BURN_IN + KEPT_STEPS):
            shares = (mix[:, :, None] * likelihood).transpose(0, 2, 1)
            cells = rng.multinomial(counts, shares / shares.sum(axis=2, keepdims=True)).sum(axis=1) + fixed
            if len(own):
                cells = cells + rng.multinomial(1, _shared(looks, mix)).sum(axis=1)
            mix = rng.standard_gamma(cells + self._before)
            mix /= mix.sum(axis=1, keepdims=True)
            if step >= BURN_IN:
                drawn.append(cells)
        return Mix(self._place, np.concatenate(drawn), seed, self._checked)

    def _own_looks(self, unsure: Sequence[Mapping[str, float]]) -> Floats:
        """How much likelier than any cell of the validation each unsure cell is of each class; shape (cells, K).

        Ordered by their numbers, so that the draws are the same in whatever order the cells were counted.
        """
        shares = np.array([[one.get(key, 0.0) for key in self.others.classes] for one in unsure], dtype=np.float64)
        shares = shares.reshape(len(unsure), len(self.others.classes))
        return np.asarray(BELIEVED * shares[np.lexsort(shares.T)] / self._validated + (1 - BELIEVED))

    def _draw_rows(self, rng: np.random.Generator) -> Floats:
        """Probability of each answer by true class; shape (CHAINS, K, K + 1)."""
        across, within = self._across.draw(CHAINS, rng), self._within.draw(CHAINS, rng)
        right = np.diagonal(across, axis1=1, axis2=2)
        rows = across.copy()
        rows[:, :, :-1] = np.where(self._own[None], right[:, :, None] * within, across[:, :, :-1])
        # A gamma of a tiny shape can be 0 to the last bit, and an answer that nothing can give has no cause.
        return np.maximum(rows, 1e-12)


def _shared(looks: Floats, mix: Floats) -> Floats:
    """Probability of each class for each unsure cell; shape (chains, cells, K)."""
    shares = looks * mix[:, None, :]
    return np.asarray(shares / shares.sum(axis=2, keepdims=True))


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
