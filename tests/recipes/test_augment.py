import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import camera_texture
from augment import Laboratory, Strength

SIDE = 128
PLAIN = Strength(blur_px=0.0, noise=0.0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def cell() -> NDArray[np.uint8]:
    """A dark disc on pale glass, and a red cell in a corner."""
    picture = np.full((SIDE, SIDE, 3), (240, 228, 220), dtype=np.uint8)
    cv2.circle(picture, (SIDE // 2, SIDE // 2), 30, (90, 60, 130), cv2.FILLED)
    cv2.circle(picture, (8, 8), 14, (220, 160, 160), cv2.FILLED)
    return picture


def flat() -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), 150, dtype=np.uint8)


def deviates() -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(1 << 18).astype(np.float32)


def test_the_same_generator_makes_the_same_looks() -> None:
    strong = Strength(blur_px=2.0, noise=8.0, coloured_lamp=0.5, faded=0.5, texture=0.5, wiped=0.5)
    one, other = (Laboratory(np.random.default_rng(3), strong) for _ in range(2))
    for _ in range(20):
        np.testing.assert_array_equal(one.restain(cell()), other.restain(cell()))


def test_what_is_wiped_is_the_surroundings_and_never_the_cell(rng: np.random.Generator) -> None:
    laboratory = Laboratory(rng, PLAIN)
    for _ in range(10):
        wiped = laboratory._wipe_around(cell())
        np.testing.assert_array_equal(wiped[34:94, 34:94], cell()[34:94, 34:94])
        assert np.ptp(wiped[:12, :12].reshape(-1, 3), axis=0).max() == 0


def test_a_lamp_takes_light_away_and_keeps_the_order_of_grey_levels(rng: np.random.Generator) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    laboratory = Laboratory(rng, PLAIN)
    for _ in range(20):
        lit = laboratory._colour_lamp(ramp).astype(int)
        assert (np.diff(lit, axis=1) >= 0).all()
        assert (lit[0, 255] <= 255).all()


def test_only_grain_and_compression_show_on_an_even_picture(rng: np.random.Generator) -> None:
    for one in (camera_texture.few_pixels(flat(), rng), camera_texture.with_halos(flat(), rng)):
        np.testing.assert_array_equal(one, flat())
    np.testing.assert_array_equal(camera_texture.denoised(flat()), flat())


def test_grain_is_as_strong_as_stated(rng: np.random.Generator) -> None:
    low, high = camera_texture.GRAIN_LEVELS
    spreads = [float(camera_texture.grained(flat(), deviates(), rng).std()) for _ in range(60)]
    assert low * 0.8 < min(spreads)
    assert max(spreads) < high * 1.2
    assert max(spreads) > 0.7 * high


def test_halos_surround_what_is_dark(rng: np.random.Generator) -> None:
    grey = np.minimum(cell(), 200)
    assert camera_texture.sharpened(grey, 2.0, 1.5).max() > grey.max()
