import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.optics.registration import COLS, Thumbnail
from leukoscope.specimen.frame import Pixels
from tests.drawings import discs

_RNG = np.random.default_rng(3)
_SLIDE = discs([(float(r), float(c)) for r, c in _RNG.uniform(0, 1200, (700, 2))], size=(1200, 1200))
WIDTH, HEIGHT = 320, 240


def view(row: int, col: int, noise_seed: int = 0) -> Pixels:
    """What a camera of 320x240 pixels sees of a slide of discs."""
    seen = _SLIDE[row : row + HEIGHT, col : col + WIDTH].astype(int)
    noise = np.random.default_rng(noise_seed).normal(0, 3, seen.shape)
    return np.clip(seen + noise, 0, 255).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(-200, 200), st.integers(-270, 270))
def test_any_shift_that_leaves_a_seventh_in_view_is_measured_within_half_a_small_pixel(down: int, right: int) -> None:
    if (HEIGHT - abs(down)) * (WIDTH - abs(right)) < 0.15 * HEIGHT * WIDTH:
        return
    shift = Thumbnail.of(view(400, 400, 1)).shift_to(Thumbnail.of(view(400 - down, 400 - right, 2)))
    assert shift.believed
    assert shift.down * WIDTH == pytest.approx(down, abs=0.5 * WIDTH / COLS)
    assert shift.right * WIDTH == pytest.approx(right, abs=0.5 * WIDTH / COLS)


def test_a_place_is_known_again_through_blur() -> None:
    import cv2

    blurred = np.asarray(cv2.GaussianBlur(view(430, 460, 2), (0, 0), 6), dtype=np.uint8)
    shift = Thumbnail.of(view(400, 400, 1)).shift_to(Thumbnail.of(blurred))
    assert shift.believed
    assert (shift.down * WIDTH, shift.right * WIDTH) == pytest.approx((-30, -60), abs=3)


@pytest.mark.parametrize("seed", range(20))
def test_two_unrelated_places_are_not_taken_for_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = [(float(r), float(c)) for r, c in rng.uniform(0, HEIGHT, (30, 2)) * [1, WIDTH / HEIGHT]]
    other = discs(centres, size=(HEIGHT, WIDTH))
    assert not Thumbnail.of(view(100, 100)).shift_to(Thumbnail.of(other)).believed


def test_the_lamps_gradient_and_dust_do_not_hold_a_moving_picture_in_place() -> None:
    lamp = np.linspace(0.6, 1.0, WIDTH)[None, :, None] * np.linspace(0.8, 1.0, HEIGHT)[:, None, None]
    lamp[100:108, 200:208] *= 0.8
    pictures = [(view(400, col, col) * lamp).astype(np.uint8) for col in (400, 450)]
    shift = Thumbnail.of(pictures[0]).shift_to(Thumbnail.of(pictures[1]))
    assert shift.right * WIDTH == pytest.approx(-50, abs=2)


def test_pictures_of_different_form_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="expected a picture of 128x96, found 128x128"):
        Thumbnail.of(view(0, 0)).shift_to(Thumbnail.of(_SLIDE[:300, :300]))


def test_empty_glass_has_no_contrast_and_cells_have() -> None:
    empty = np.full((HEIGHT, WIDTH, 3), 230, dtype=np.uint8)
    assert Thumbnail.of(empty).contrast < 0.1
    assert Thumbnail.of(view(100, 100)).contrast > 5
