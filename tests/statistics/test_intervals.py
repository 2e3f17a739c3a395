import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukoscope.statistics.intervals import clopper_pearson, count_more


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # Rümke's table, as haematology textbooks print it, in percent.
    [
        (0, 100, 0.0, 3.6),
        (2, 100, 0.2, 7.0),
        (5, 100, 1.6, 11.3),
        (20, 100, 12.7, 29.2),
        (0, 200, 0.0, 1.8),
        (40, 200, 14.7, 26.2),
        (0, 400, 0.0, 0.9),
        (100, 100, 96.4, 100.0),
    ],
)
def test_the_interval_is_the_one_in_ruemkes_table(count: int, total: int, low: float, high: float) -> None:
    found = clopper_pearson(count, total)
    assert [round(100 * end, 1) for end in found] == [low, high]


def test_nothing_counted_means_nothing_known() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_more_cells_of_a_class_than_cells_is_an_error() -> None:
    with pytest.raises(ValueError, match="from 0 to 10, found 11"):
        clopper_pearson(11, 10)


@given(st.integers(1, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_share_lies_in_its_interval(pair: tuple[int, int]) -> None:
    count, total = pair
    low, high = clopper_pearson(count, total)
    assert 0 <= low <= count / total <= high <= 1


@given(
    st.integers(10, 300).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))),
    st.sampled_from([0.03, 0.1, 0.2]),
)
def test_counting_so_many_more_reaches_the_width_and_one_fewer_does_not(pair: tuple[int, int], width: float) -> None:
    count, total = pair
    more = count_more(count, total, width)

    def reached(cells: int) -> float:
        low, high = clopper_pearson(round(count / total * cells), cells)
        return high - low

    assert reached(total + more) <= width
    if more:
        assert reached(total) > width
