"""A place of a real smear is known again, and another one is not mistaken for it."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.tables import data_folder, read_fields, spread
from leukoscope.cameras.pictures import read_picture
from leukoscope.optics.registration import Thumbnail
from leukoscope.specimen.frame import Pixels

DATA = data_folder()
pytestmark = pytest.mark.skipif(DATA is None, reason="the labelled pictures are not here: set LEUKOSCOPE_DATA")


@pytest.fixture(scope="module", params=["txl", "deepbionet"])
def fields(request: pytest.FixtureRequest) -> list[tuple[Pixels, float]]:
    assert DATA is not None
    chosen = spread(read_fields(Path(DATA), request.param, "val"), 20)
    return [(read_picture(field.path), field.um_per_px) for field in chosen]


def window(picture: Pixels, row: int, col: int, seed: int) -> Pixels:
    """A quarter of a picture from (row, col), as another exposure would show it."""
    rows, cols = picture.shape[0] // 2, picture.shape[1] // 2
    seen = picture[row : row + rows, col : col + cols] * 0.95
    return np.clip(seen + np.random.default_rng(seed).normal(0, 4, seen.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shared", [0.8, 0.3])
def test_a_real_field_is_placed_within_a_fifth_of_a_micrometre(
    fields: list[tuple[Pixels, float]], shared: float
) -> None:
    for number, (picture, um_per_px) in enumerate(fields):
        cols = picture.shape[1] // 2
        moved = round((1 - shared) * cols)
        shift = Thumbnail.of(window(picture, 0, 0, 1)).shift_to(Thumbnail.of(window(picture, 0, moved, 2)))
        assert shift.believed, number
        off_um = np.hypot(shift.down * cols, shift.right * cols + moved) * um_per_px
        assert off_um < 0.2, number


def test_hardly_any_two_real_fields_are_taken_for_one_place(fields: list[tuple[Pixels, float]]) -> None:
    size = fields[0][0].shape
    thumbnails = [Thumbnail.of(window(picture, 0, 0, 1)) for picture, _ in fields if picture.shape == size]
    pairs = [(one, other) for index, one in enumerate(thumbnails) for other in thumbnails[:index]]
    mistaken = sum(one.shift_to(other).believed for one, other in pairs)
    # The cells of both have the last word; this is the first.
    assert mistaken <= 0.02 * len(pairs) or not pairs
