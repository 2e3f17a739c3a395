"""Control limits, and the rules by which a value is out of them.

Rules 1-3s and 2-2s of Westgard, Barry, Hunt and Groth, "A multi-rule Shewhart chart for quality control in clinical
chemistry", Clinical Chemistry 27 (1981) 493-501.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev

BASELINE_RUNS = 20
"""Runs that limits are made from, the least that is usually asked for."""
FEW_RUNS = 1.18
"""What twenty runs tell of a standard deviation is uncertain: limits are widened by this much, so that three of them
hold what three of the true one would (Student's t of 19 degrees of freedom, and the error of the mean)."""


class Rule(StrEnum):
    """How a value is out of its limits."""

    ONE_3S = "1-3s"
    """It lies more than three standard deviations from the mean: something happened."""
    TWO_2S = "2-2s"
    """It and the one before lie more than two on the same side: something drifts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a value was when all was well."""

    mean: float
    s: float
    """Standard deviation with its allowance for few runs, above 0."""

    @classmethod
    def of(cls, values: Sequence[float], least_s: float) -> "Limits":
        """The limits of the baseline's values.

        Args:
            values: of the baseline's runs.
            least_s: the standard deviation of values that vary less.
        """
        return cls(fmean(values), max(FEW_RUNS * stdev(values), least_s))

    def broken_by(self, values: Sequence[float]) -> Rule | None:
        """The rule that the last of these values breaks; 1-3s goes first."""
        off = [(value - self.mean) / self.s for value in values[-2:]]
        if abs(off[-1]) > 3:
            return Rule.ONE_3S
        if len(off) == 2 and (min(off) > 2 or max(off) < -2):
            return Rule.TWO_2S
        return None
