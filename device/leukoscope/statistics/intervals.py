"""How far a share of counted cells can be trusted."""

from functools import lru_cache

from leukoscope.statistics.beta import beta_cdf, beta_quantile

TAIL = 0.025
"""Probability that each end of a 95 % interval leaves out."""


@lru_cache(maxsize=4096)
def clopper_pearson(count: int, total: int) -> tuple[float, float]:
    """Exact binomial 95 % interval of a share (Clopper & Pearson, Biometrika 26, 1934).

    Args:
        count: cells of the class, 0 to `total`.
        total: cells in the denominator; with 0 nothing is known and the interval is (0, 1).

    Returns:
        Lower and upper end, 0-1.

    Raises:
        ValueError: `count` is not between 0 and `total`.
    """
    if not 0 <= count <= total:
        raise ValueError(f"expected a count from 0 to {total}, found {count}")
    low = 0.0 if count == 0 else beta_quantile(TAIL, count, total - count + 1)
    high = 1.0 if count == total else beta_quantile(1 - TAIL, count + 1, total - count)
    return low, high


def binomial_upper_tail(count: int, total: int, share: float) -> float:
    """Probability that at least `count` of `total` cells are of a class that has this share, exact.

    P(X >= k) = I_p(k, n - k + 1), the regularised incomplete beta (DLMF 8.17.5, https://dlmf.nist.gov/8.17.E5).

    Args:
        count: k; from 0 cells on the probability is 1, and of more than `total` it is 0.
        total: n, cells in all.
        share: p, the probability of the class for each cell, 0-1.
    """
    if count <= 0:
        return 1.0
    return beta_cdf(share, count, total - count + 1) if count <= total else 0.0


def count_more(count: int, total: int, width: float) -> int:
    """Further cells to count until the interval of this share is no wider than `width`.

    Assumes that the share seen so far stays: an estimate for the screen, not a promise.

    Args:
        count: cells of the class so far.
        total: cells in the denominator so far, at least 1.
        width: wanted distance between the interval's ends, between 0 and 1.

    Returns:
        0 when the interval is already narrow enough.

    Raises:
        ValueError: `width` is not between 0 and 1.
    """
    if not 0 < width <= 1:
        raise ValueError(f"expected a width between 0 and 1, found {width}")
    share = count / total

    def narrow_enough(cells: int) -> bool:
        low, high = clopper_pearson(round(share * cells), cells)
        return high - low <= width

    if narrow_enough(total):
        return 0
    enough = total
    while not narrow_enough(enough):
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if narrow_enough(middle):
            enough = middle
        else:
            too_few = middle
    return enough - total
