import cv2
import numpy as np
import pytest

from evaluation.looks import LOOKS, Look

UM_PER_PX = 0.1
BY_NAME = {look.name: look.change for look in LOOKS}


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A purple disc with a hard edge on bright glass."""
    drawn = np.full((90, 120, 3), 230, dtype=np.uint8)
    cv2.circle(drawn, (60, 45), 25, (140, 90, 170), -1)
    return drawn


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_a_look_changes_the_picture_or_what_is_said_of_its_scale_and_never_its_size(look: Look) -> None:
    given = picture()
    pixels, um_per_px = look.change(given, UM_PER_PX)
    assert pixels.shape == given.shape
    assert pixels.dtype == np.uint8
    assert (given == picture()).all()
    unchanged = um_per_px == UM_PER_PX and (pixels == given).all()
    assert unchanged == (look is LOOKS[0])


def test_a_scale_is_said_wrong_and_the_pixels_stay() -> None:
    for name, factor in (("scale said 10 % too large", 1.1), ("scale said 20 % too small", 1 / 1.2)):
        pixels, um_per_px = BY_NAME[name](picture(), UM_PER_PX)
        assert (pixels == picture()).all()
        assert um_per_px == pytest.approx(UM_PER_PX * factor)


def test_a_dye_darkens_what_is_dyed_and_spares_the_glass() -> None:
    strong, _ = BY_NAME["strong stain, 1.6 of the density"](picture(), UM_PER_PX)
    given = picture().astype(float)
    disc, glass = (45, 60), (5, 5)
    density = -np.log(strong[disc] / 255.0) / -np.log(given[disc] / 255.0)
    assert density == pytest.approx(1.6, rel=0.02)
    assert (given[glass] - strong[glass] < given[disc] - strong[disc]).all()


def test_turned_colours_keep_grey_grey_and_turn_back() -> None:
    there, _ = BY_NAME["colours turned by 25°"](picture(), UM_PER_PX)
    assert (there[5, 5] == picture()[5, 5]).all()
    back, _ = BY_NAME["colours turned by -25°"](there, UM_PER_PX)
    assert np.abs(back.astype(int) - picture()).max() <= 1


def test_blur_and_sharpening_act_at_edges_alone() -> None:
    given = picture().astype(int)
    for name, sign in (("blurred by 0.4 µm", -1), ("sharpened, as phones do", 1)):
        pixels, _ = BY_NAME[name](picture(), UM_PER_PX)
        assert (pixels[45, 60] == given[45, 60]).all()
        contrast = int(pixels[45, 88, 1]) - int(pixels[45, 82, 1])
        assert np.sign(contrast - (given[45, 88, 1] - given[45, 82, 1])) == sign
