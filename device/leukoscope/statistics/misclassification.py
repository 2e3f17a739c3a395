"""The mix of cells behind the names they were given: shares that hold the error of counting and of naming."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukoscope.statistics.confusion import ConfusionRows

METHOD = (
    "Median and 95 % interval of the mix of classes that can stand behind the names, given the bundle's validation "
    "(Bayesian, Dirichlet priors; rows of the confusion matrix from the validation alone)"
)
CHAINS = 128
"""Confusion matrices drawn; each is one the validation could have come from."""
SETTLING = 8
"""Steps of a chain that are thrown away."""
KEPT = 12
"""Steps of a chain that are kept."""
JEFFREYS = 0.5
"""Weight of a class before counting, in cells."""
HALF_KNOWN = 2
"""Validated cells of a class with half that weight: what nobody can tell from its neighbours must not take theirs."""
LEAST_BEFORE = 0.05
"""The least weight, for a class nobody validated."""
LEVEL = 0.95
LOWER_TAILS = np.linspace(0.01, 0.04, 16)
"""Probability that may be left out below the interval; the rest of 5 % is left out above."""
ROW_CELLS = 1.0
"""Weight of what is believed of a row before validation, in cells: half right, half anything."""
UNVALIDATED_CELLS = 4.0
"""The same for a class nobody validated: three of four right, and little trust in that."""
UNVALIDATED_RIGHT = 0.75


class Correction:
    """Knows how a classifier mistakes its classes, and what can stand behind its answers.

    Each named cell is of some true class: a mix pi and a confusion matrix A give it the name j with probability
    sum_k pi_k A_kj. Draws of A come from the validation (Dirichlet rows), draws of pi given A and the names by data
    augmentation (Tanner & Wong, JASA 82, 1987; for imperfect tests Joseph, Gyorkos & Coupal, Am J Epidemiol 141,
    1995): every name is shared out to true classes, then pi is drawn given these. The sample is not allowed to teach
    A (a cut: Plummer, Stat Comput 25, 2015): one smear without a checked cell says nothing about the network.

    Of two classes that the network cannot tell apart, a mix says little: both then have wide intervals.

    Inverting the matrix instead, with a bootstrap (Rogan & Gladen, Am J Epidemiol 107, 1978), held the truth less
    often in simulation: tools/interval_coverage.py prints both.
    """

    def __init__(self, rows: ConfusionRows) -> None:
        self._rows = rows
        cells = np.array(rows.cells)
        self._belief = rows.worth + _belief_before(rows)
        self._before = np.maximum(LEAST_BEFORE, JEFFREYS * cells / (cells + HALF_KNOWN))
        self._place = {key: number for number, key in enumerate(rows.classes)}

    @property
    def rows(self) -> ConfusionRows:
        """The validation it rests on."""
        return self._rows

    def validated_cells(self, keys: Collection[str]) -> int:
        """Cells of these classes whose naming was checked."""
        return sum(self._rows.cells[self._place[key]] for key in keys)

    def correct(self, named: Mapping[str, int], known: Mapping[str, int] | None = None) -> "Mix":
        """What can stand behind these names; the same names give the same answer, to the last digit.

        Args:
            named: cells by answer, `unsure` included; answers that are no classes of the bundle are left out.
            known: further cells by true class, which a person has named; they have no error of naming, and they tell
                about the mix as any cell does.
        """
        counts = np.array([named.get(key, 0) for key in self._rows.named], dtype=np.int64)
        fixed = np.array([(known or {}).get(key, 0) for key in self._rows.classes], dtype=np.int64)
        seed = int.from_bytes(hashlib.sha256(counts.tobytes() + (fixed.tobytes() if known else b"")).digest()[:8])
        rng = np.random.default_rng(seed)
        given = np.flatnonzero(counts)
        counts = counts[given]
        likelihood = self._draw_rows(given, rng)
        mix = _settle(likelihood, counts, self._before + fixed)
        drawn = []
        for step in range(SETTLING + KEPT):
            shares = (mix[:, :, None] * likelihood).transpose(0, 2, 1)
            cells = rng.multinomial(counts, shares / shares.sum(axis=2, keepdims=True)).sum(axis=1) + fixed
            mix = rng.standard_gamma(cells + self._before)
            mix /= mix.sum(axis=1, keepdims=True)
            if step >= SETTLING:
                drawn.append(cells)
        return Mix(self._place, np.concatenate(drawn), seed)

    def _draw_rows(self, given: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
        """Probability of each answer that was given, by true class; shape (CHAINS, K, given)."""
        rows = self._rows
        parts = rng.standard_gamma(np.broadcast_to(self._belief, (CHAINS, *self._belief.shape)))
        own = rows.group[:, None] == np.append(rows.group, -1)[None, :]
        # Cells known to be named inside their group, nobody knows as what, add to all its answers alike.
        inside = (parts * own).sum(axis=2)
        more = 1 + rng.gamma(np.broadcast_to(rows.inside, inside.shape)) / inside
        parts = np.where(own, parts * more[:, :, None], parts)
        likelihood: NDArray[np.float64] = parts[:, :, given] / parts.sum(axis=2, keepdims=True)
        # A gamma of a tiny shape can be 0 to the last bit, and an answer that nothing can give has no cause.
        return np.maximum(likelihood, 1e-12)


@dataclass(frozen=True, slots=True)
class Mix:
    """Draws of how many of the counted cells are of each class."""

    place: Mapping[str, int]
    cells: NDArray[np.int64]
    """Shape (draws, K)."""
    seed: int

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


def _belief_before(rows: ConfusionRows) -> NDArray[np.float64]:
    """What is believed of each row before validation, in cells; shape (K, K + 1)."""
    classes, answers = rows.worth.shape
    unknown = ~np.array(rows.cells, dtype=bool)
    right = np.where(unknown, UNVALIDATED_RIGHT, 0.5)
    cells = np.where(unknown, UNVALIDATED_CELLS, ROW_CELLS)
    belief = np.repeat(((1 - right) / answers)[:, None], answers, axis=1)
    belief[np.arange(classes), np.arange(classes)] += right
    return belief * cells[:, None]


def _settle(
    likelihood: NDArray[np.float64], counts: NDArray[np.int64], before: NDArray[np.float64], steps: int = 25
) -> NDArray[np.float64]:
    """A likely mix for each matrix to start a chain from, by expectation maximisation; shape (chains, K)."""
    classes = likelihood.shape[1]
    mix = np.full(likelihood.shape[:2], 1 / classes)
    for _ in range(steps):
        named = np.einsum("ck,ckj->cj", mix, likelihood)
        mix = mix * np.einsum("ckj,cj->ck", likelihood, counts / named) + before
        mix /= mix.sum(axis=1, keepdims=True)
    return mix
