import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leukoscope.analysis.peaks import Boxes, find_boxes, overlap, touching_pairs, unpack_mask

# Coarse values, as a quantised network gives, with plateaus and equal scores.
GRIDS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: st.tuples(
        arrays(np.float32, (*size, 3), elements=st.sampled_from([-9.0, -2.0, -0.5, 0.5, 1.5, 3.0])),
        arrays(np.float32, (*size, 4), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    )
)
THRESHOLDS = (0.4, 0.3, 0.7)


def plainly(heat: np.ndarray, box: np.ndarray) -> list[tuple[int, float, np.ndarray]]:
    """Kind, score and sides of each cell, best first, one peak after the other."""
    peaks = []
    share = 1 / (1 + np.exp(-heat))
    # A platelet that is likelier than a white cell has both shares.
    both = np.minimum(share[..., 1] + share[..., 2], 1 - 2e-6)
    share[..., 2] = np.where(share[..., 2] >= share[..., 1], both, share[..., 2])
    for row, col, kind in np.ndindex(*heat.shape):
        around = share[max(0, row - 1) : row + 2, max(0, col - 1) : col + 2, kind]
        if share[row, col, kind] >= around.max() and share[row, col, kind] >= THRESHOLDS[kind]:
            x, y = 4 * col + 2, 4 * row + 2
            left, top, right, bottom = 16 * box[row, col]
            sides = np.array([x - left, y - top, x + right, y + bottom], np.float32)
            peaks.append((kind, float(share[row, col, kind]), sides))
    kept: list[tuple[int, float, np.ndarray]] = []
    for peak in sorted(peaks, key=lambda one: -one[1]):
        limits = [(0.6 if one[0] == peak[0] else 0.7, one[2]) for one in kept]
        if all(overlap(sides[None], peak[2][None])[0, 0] <= limit for limit, sides in limits):
            kept.append(peak)
    return kept


@settings(deadline=None)
@given(GRIDS)
def test_boxes_are_the_peaks_that_no_better_one_repeats(grids: tuple[np.ndarray, np.ndarray]) -> None:
    found = find_boxes(*grids, thresholds=THRESHOLDS)
    expected = plainly(*grids)
    assert found.kind.tolist() == [kind for kind, _, _ in expected]
    assert found.score == pytest.approx([score for _, score, _ in expected], rel=1e-5)
    for sides, (_, _, wanted) in zip(found.corners(), expected, strict=True):
        assert sides == pytest.approx(wanted)


def test_grids_in_either_order_of_memory_give_the_same() -> None:
    rng = np.random.default_rng(3)
    heat, box = rng.normal(0, 2, (20, 30, 3)).astype(np.float32), rng.uniform(0, 1, (20, 30, 4)).astype(np.float32)
    turned = [np.ascontiguousarray(one.transpose(2, 0, 1)).transpose(1, 2, 0) for one in (heat, box)]
    one, other = find_boxes(heat, box, thresholds=THRESHOLDS), find_boxes(turned[0], turned[1], thresholds=THRESHOLDS)
    assert all(np.array_equal(np.asarray(first), np.asarray(second)) for first, second in zip(one, other, strict=True))


def test_a_threshold_no_score_can_reach_finds_nothing() -> None:
    heat, box = np.full((4, 4, 3), 8.0, np.float32), np.ones((4, 4, 4), np.float32)
    assert len(find_boxes(heat, box, thresholds=(1.0, 1.0, 1.0)).kind) == 0
    assert isinstance(find_boxes(heat, box, thresholds=(0.0, 0.0, 0.0)), Boxes)


def test_each_mask_value_lands_on_its_plane_row_and_column() -> None:
    packed = np.random.default_rng(1).normal(size=(5, 7, 12)).astype(np.float32)
    planes = unpack_mask(packed)
    assert planes.shape == (10, 14, 3)
    for plane, down, across in np.ndindex(3, 2, 2):
        assert np.array_equal(planes[down::2, across::2, plane], packed[..., plane * 4 + down * 2 + across])


@settings(deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(0, 8), st.just(4)), elements=st.integers(0, 12)))
def test_boxes_meet_where_they_share_area(sides: np.ndarray) -> None:
    sides = np.concatenate([np.minimum(sides[:, :2], sides[:, 2:]), np.maximum(sides[:, :2], sides[:, 2:]) + 1], axis=1)
    one, other = touching_pairs(sides)
    planes = np.zeros((len(sides), 14, 14), np.uint8)
    for plane, (left, top, right, bottom) in zip(planes, sides.tolist(), strict=True):
        cv2.rectangle(plane, (left, top), (right - 1, bottom - 1), 1, cv2.FILLED)
    shared = [(a, b) for a in range(len(sides)) for b in range(a + 1, len(sides)) if (planes[a] & planes[b]).any()]
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == shared


def test_what_may_be_a_platelet_or_a_white_cell_is_found_as_the_likelier() -> None:
    box = np.ones((5, 5, 4), np.float32)

    def found_with(white: float, platelet: float) -> list[int]:
        heat = np.full((5, 5, 3), -9.0, np.float32)
        heat[2, 2, 1:] = [np.log(share / (1 - share)) for share in (white, platelet)]
        before = heat.copy()
        kinds = find_boxes(heat, box, thresholds=(0.3, 0.35, 0.5)).kind.tolist()
        assert np.array_equal(heat, before)
        return kinds

    assert found_with(0.15, 0.42) == [2]
    assert found_with(0.03, 0.42) == []
    assert found_with(0.30, 0.25) == []
    assert found_with(0.60, 0.30) == [1]


def test_a_network_that_is_sure_beyond_float32_is_read_without_a_warning() -> None:
    heat = np.full((5, 5, 3), -200.0, np.float32)
    heat[2, 2, 2] = 3.0
    found = find_boxes(heat, np.full((5, 5, 4), 0.5, np.float32), thresholds=THRESHOLDS)
    assert found.kind.tolist() == [2]
    assert found.score.tolist() == pytest.approx([1 / (1 + np.exp(-3))], abs=1e-5)
