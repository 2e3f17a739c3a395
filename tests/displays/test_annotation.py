"""Annotated fields explain themselves."""

import numpy as np
import pytest
from PIL import Image

from leukoscope.displays.annotation_key import HEIGHT, scale_bar, with_key


@pytest.mark.parametrize(
    ("um_per_px", "width", "length_um"), [(0.1, 1000, 20), (0.254, 960, 20), (0.05, 700, 5), (1.0, 2000, 100)]
)
def test_the_scale_bar_is_the_longest_round_one_within_a_fifth(um_per_px: float, width: int, length_um: int) -> None:
    assert scale_bar(um_per_px, width) == (length_um, round(length_um / um_per_px))


def test_the_strip_covers_nothing_and_holds_a_bar_of_the_length_it_says() -> None:
    picture = Image.new("RGB", (960, 400), (240, 230, 220))
    keyed = with_key(picture, 0.1, [("red cell", (200, 40, 40), 2), ("unsure", (230, 130, 0), 2)])
    assert keyed.crop((0, 0, 960, 400)).tobytes() == picture.tobytes()
    assert keyed.size == (960, 400 + HEIGHT)
    strip = np.asarray(keyed)[400:]
    for colour in [(200, 40, 40), (230, 130, 0)]:
        assert (strip == colour).all(axis=2).any()
    black = (strip[HEIGHT // 2 + 6] == 0).all(axis=1)
    assert black.sum() == scale_bar(0.1, 960)[0] / 0.1 == 100


def test_words_that_do_not_fit_beside_the_bar_are_left_out() -> None:
    many = [(f"a rather long word {number}", (number, 0, 99), 2) for number in range(1, 9)]
    keyed = np.asarray(with_key(Image.new("RGB", (300, 50)), 0.1, many))[50:]
    assert (keyed == (1, 0, 99)).all(axis=2).any()
    assert not (keyed == (8, 0, 99)).all(axis=2).any()
