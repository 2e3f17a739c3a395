import pytest

from leukoscope.specimen.sample import Basis, Certainty
from leukoscope.statistics.certainty import certainty_above, certainty_below, certainty_of_reaching
from leukoscope.statistics.estimates import Estimate

CERTAIN, LIKELY, OPEN = Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_BE_EXCLUDED


@pytest.mark.parametrize(
    ("limit", "above", "below", "reaching"),
    [
        (0.09, CERTAIN, None, CERTAIN),
        # Exactly at the lower end, the value and the upper end of the interval.
        (0.10, LIKELY, None, CERTAIN),
        (0.20, OPEN, OPEN, LIKELY),
        (0.30, None, LIKELY, OPEN),
        (0.31, None, CERTAIN, None),
    ],
)
def test_a_limit_is_reached_where_it_is_met_exactly_and_neither_passed_nor_missed(
    limit: float, above: Certainty | None, below: Certainty | None, reaching: Certainty | None
) -> None:
    estimate = Estimate(value=0.20, low=0.10, high=0.30, basis=Basis.COUNTS)
    assert certainty_above(estimate, limit) is above
    assert certainty_below(estimate, limit) is below
    assert certainty_of_reaching(estimate, limit) is reaching
