"""How many normal cells a classifier points at by mistake, and whether a sample has more of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from leukoscope.statistics.intervals import binomial_upper_tail


@dataclass(frozen=True, slots=True)
class FalseShare:
    """Share of normal white cells that the classifier points at by mistake."""

    share: float
    """0 to 1."""
    cells: float | None = None
    """How many normal cells it was seen in; None where it is the most that is expected anywhere."""

    def chance(self, count: int, total: int, normal: float = 0.0) -> float:
        """Probability that at least `count` of `total` cells are pointed at by mistake.

        Binomial where the share is given; where it was seen in so many cells, beta-binomial: what these cells leave
        open of the share is in it (Gelman et al., Bayesian Data Analysis, 2.5).

        Args:
            count: cells that were pointed at.
            total: cells in all.
            normal: share of cells that are rightly pointed at in a normal sample.
        """
        share = self.expected(normal)
        if self.cells is None or not 0 < share < 1:
            return binomial_upper_tail(count, total, share)
        return beta_binomial_upper_tail(count, total, share * self.cells, (1 - share) * self.cells)

    def expected(self, normal: float = 0.0) -> float:
        """Share of the cells of a normal sample that are pointed at."""
        return min(1.0, normal + (1 - normal) * self.share)

    def seen_again(self, false: int, cells: int, worth: float) -> FalseShare:
        """With what a bench has seen: `false` of its `cells` normal ones; this share counts as `worth` cells."""
        return FalseShare((worth * self.share + false) / (worth + cells), worth + cells)


def together(shares: Iterable[FalseShare]) -> FalseShare:
    """Of several classes that are pointed at: the sum, known as well as the least known of them."""
    found = list(shares)
    known = [one.cells for one in found if one.cells is not None]
    return FalseShare(min(1.0, sum(one.share for one in found)), min(known, default=None))


def beta_binomial_upper_tail(count: int, total: int, a: float, b: float) -> float:
    """Probability that at least `count` of `total` cells are of a class whose share is beta-distributed, exact.

    Args:
        count: from 0 cells on the probability is 1, and of more than `total` it is 0.
        total: cells in all.
        a: first shape parameter of the share, above 0.
        b: second shape parameter, above 0.
    """
    if count <= 0:
        return 1.0
    log = math.lgamma
    beside = log(a + b) - log(a) - log(b) + log(total + 1) - log(total + a + b)
    return min(
        1.0,
        math.fsum(
            math.exp(beside - log(k + 1) - log(total - k + 1) + log(k + a) + log(total - k + b))
            for k in range(count, total + 1)
        ),
    )
