import numpy as np
import pytest

from leukoscope.counting.rectangles import uncovered_share

WINDOW = np.array([0.0, 0.0, 100.0, 200.0])


@pytest.mark.parametrize(
    ("covers", "share"),
    [
        ([], 1.0),
        ([(0, 0, 100, 200)], 0.0),
        ([(-50, -50, 50, 250)], 0.5),
        ([(0, 0, 100, 100), (0, 50, 100, 150)], 0.25),
        # Beside the window, above it, and only touching it.
        ([(0, 300, 100, 400), (0, 0, 100, 100)], 0.5),
        ([(-90, 20, -10, 60), (0, 0, 100, 100)], 0.5),
        ([(0, 200, 100, 300), (0, 0, 50, 200)], 0.5),
    ],
)
def test_the_share_of_a_window_that_no_rectangle_covers_is_exact(
    covers: list[tuple[float, float, float, float]], share: float
) -> None:
    assert uncovered_share(WINDOW, [np.array(cover, dtype=np.float64) for cover in covers]) == share
