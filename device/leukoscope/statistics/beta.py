"""The beta distribution's quantiles, of which exact binomial intervals are made; a statistics library takes 28 MB."""

import math

_TERMS, _STEPS = 10_000, 200
_EXACT = 1e-14
_NEAR = 1e-8
"""A step of Newton's that is this small ends within its square of the goal."""
_TINY = 1e-300


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The value, 0 to 1, below which a beta-distributed number lies with this probability: inverse of `beta_cdf`.

    Newton's steps on the distribution function, halving the interval where one would leave it.

    Args:
        probability: 0 to 1.
        a: first shape parameter, above 0.
        b: second shape parameter, above 0.
    """
    low, high = 0.0, 1.0
    value = a / (a + b)
    for _ in range(_STEPS):
        beyond = beta_cdf(value, a, b) - probability
        low, high = (low, value) if beyond > 0 else (value, high)
        density = math.exp(_log_power(value, a, b)) / (value * (1 - value))
        better = value - beyond / density if density > 0 else low
        if not low < better < high:
            better = (low + high) / 2
        if abs(better - value) <= _NEAR * min(value, 1 - value):
            return better
        value = better
    return value


def beta_cdf(value: float, a: float, b: float) -> float:
    """Probability that a beta-distributed number lies below `value`, 0 to 1: the regularised incomplete beta.

    The continued fraction of DLMF 8.17.22 (https://dlmf.nist.gov/8.17.E22), which converges fast below the mean;
    above it the mirror image is computed.
    """
    if not 0 < value < 1:
        return 0.0 if value <= 0 else 1.0
    power = math.exp(_log_power(value, a, b))
    if value > (a + 1) / (a + b + 2):
        return 1 - power / (b * _fraction(1 - value, b, a))
    return power / (a * _fraction(value, a, b))


def _log_power(value: float, a: float, b: float) -> float:
    """Logarithm of value^a (1 - value)^b / B(a, b)."""
    return math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(value) + b * math.log1p(-value)


def _fraction(value: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)), from the front (Lentz 1976, as modified by Thompson and Barnett 1986)."""
    whole, front, back = 1.0, 1.0, 0.0
    for term in range(1, _TERMS):
        half, odd = divmod(term, 2)
        if odd:
            step = -(a + half) * (a + b + half) * value / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            step = half * (b - half) * value / ((a + 2 * half - 1) * (a + 2 * half))
        back = 1 / (1 + step * back or _TINY)
        front = 1 + step / front or _TINY
        whole *= front * back
        if abs(front * back - 1) < _EXACT:
            break
    return whole
