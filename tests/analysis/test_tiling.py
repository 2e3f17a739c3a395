import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from leukoscope.analysis.tiling import run_tiled, spans, tile_side
from leukoscope.inference.network import Outputs


class BlockMean:
    """A network whose answer at each point is the mean of its own 4x4 pixels, wrong near tile edges."""

    engine: str = "drawn"

    def __init__(self, spoilt: int) -> None:
        self.spoilt = spoilt

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        rows, cols = picture.shape[0] // 4, picture.shape[1] // 4
        means = picture.reshape(rows, 4, cols, 4, 3).mean(axis=(1, 3)).astype(np.float32)
        if self.spoilt:
            means[: self.spoilt] = means[-self.spoilt :] = -1
            means[:, : self.spoilt] = means[:, -self.spoilt :] = -1
        return {"mean": means}


@given(st.integers(1, 400), st.integers(10, 60), st.integers(0, 4))
def test_spans_cover_every_step_exactly_once(length: int, tile: int, margin: int) -> None:
    covered = [step for span in spans(length, tile, margin) for step in range(span.keep_from, span.keep_to)]
    assert covered == list(range(length))


@given(st.integers(61, 400), st.integers(10, 60), st.integers(0, 4))
def test_inner_edges_keep_their_distance(length: int, tile: int, margin: int) -> None:
    for span in spans(length, tile, margin):
        assert span.start == 0 or span.keep_from - span.start >= margin
        assert span.start + tile >= length or span.start + tile - span.keep_to >= margin


def test_a_margin_of_half_a_tile_is_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        list(spans(100, 10, 5))


@pytest.mark.parametrize("size", [(64, 64), (40, 52), (200, 164), (64, 300)])
def test_tiles_join_without_a_seam(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    whole = run_tiled(BlockMean(0), picture, tile=(64, 64), stride=4, margin_px=8)["mean"]
    expected = picture.reshape(size[0] // 4, 4, size[1] // 4, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(whole, expected, atol=1e-3)


def test_what_is_wrong_near_inner_edges_is_not_used() -> None:
    picture = np.full((200, 164, 3), 50, dtype=np.uint8)
    whole = run_tiled(BlockMean(2), picture, tile=(64, 64), stride=4, margin_px=8)["mean"]
    assert (whole[2:-2, 2:-2] == 50).all()


def test_a_tile_beyond_the_picture_is_filled_with_its_median_colour() -> None:
    picture = np.full((40, 52, 3), (200, 150, 90), dtype=np.uint8)
    picture[:8, :8] = 0
    seen = []

    class Seeing(BlockMean):
        def run(self, picture: NDArray[np.uint8]) -> Outputs:
            seen.append(picture)
            return super().run(picture)

    run_tiled(Seeing(0), picture, tile=(64, 64), stride=4, margin_px=8)
    (tile,) = seen
    assert tile.shape == (64, 64, 3)
    np.testing.assert_array_equal(tile[:40, :52], picture)
    assert (tile[40:] == (200, 150, 90)).all()
    assert (tile[:, 52:] == (200, 150, 90)).all()


@given(st.integers(1, 3000), st.sampled_from([4, 16, 32]), st.integers(0, 60), st.integers(160, 1100))
def test_a_chosen_tile_covers_the_picture_with_no_more_tiles_than_the_largest_would(
    length: int, multiple: int, margin: int, most: int
) -> None:
    side = tile_side(length, multiple, margin, most)
    assert side % multiple == 0
    assert side <= most
    largest = most - most % multiple
    assert len(list(spans(length, side, margin))) == len(list(spans(length, largest, margin)))
    assert len(list(spans(length, side, margin))) > 1 or length <= side < length + multiple


def test_a_margin_of_half_the_largest_tile_is_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        tile_side(300, 16, 40, 90)
