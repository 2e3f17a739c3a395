import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukoscope.analysis.runs import Runs

LABELS = 4
PLANES = arrays(np.uint16, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, LABELS))


def pieces_and_holes(flags: np.ndarray) -> tuple[int, int]:
    padded = np.pad(flags.astype(np.uint8), 1)
    inside, _ = cv2.connectedComponents(padded, connectivity=4)
    outside, _ = cv2.connectedComponents(1 - padded, connectivity=8)
    return inside - 1, outside - 2


@settings(deadline=None)
@given(PLANES)
def test_areas_are_counted_and_what_is_called_plain_is_one_piece_without_holes(labels: np.ndarray) -> None:
    runs = Runs.of(labels, LABELS)
    for label in range(1, LABELS + 1):
        flags = labels == label
        assert runs.area_px[label] == flags.sum()
        if runs.plain[label]:
            assert pieces_and_holes(flags) == (1, 0)


def test_a_disc_is_plain_and_a_ring_and_two_pieces_are_not() -> None:
    row, col = np.mgrid[:40, :120] + 0.5
    labels = np.zeros((40, 120), dtype=np.uint16)
    labels[np.hypot(row - 20, col - 20) < 15] = 1
    labels[np.abs(np.hypot(row - 20, col - 60) - 12) < 3] = 2
    labels[np.hypot(row - 8, col - 100) < 5] = labels[np.hypot(row - 30, col - 100) < 5] = 3
    assert Runs.of(labels, 3).plain.tolist() == [False, True, False, False]


def test_the_hull_of_a_plain_label_is_that_of_its_pixels() -> None:
    row, col = np.mgrid[:40, :50] + 0.5
    labels = (np.hypot(row - 20, col - 30) < 15).astype(np.uint16) * np.uint16(2)
    labels[:, 38:] = 0
    points = np.argwhere(labels == 2)[:, ::-1].astype(np.int32)
    ends = Runs.of(labels, 2).ends_of(2)
    assert set(map(tuple, ends)) <= set(map(tuple, points))
    assert cv2.contourArea(cv2.convexHull(ends)) == cv2.contourArea(cv2.convexHull(points))


def test_a_label_that_goes_on_in_the_next_row_is_not_plain() -> None:
    labels = np.array([[0, 0, 1], [1, 0, 0]], dtype=np.uint16)
    assert not Runs.of(labels, 1).plain[1]
