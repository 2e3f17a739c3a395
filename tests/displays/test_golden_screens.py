"""Every screen at every designed size, against a picture that a person looked at.

LEUKOSCOPE_UPDATE_GOLDEN=1 pytest tests/displays/test_golden_screens.py writes the pictures anew; look at
them before you keep them.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from leukoscope.displays.screens import draw
from tests.displays.exhibits import EXHIBITS

GOLDEN = Path(__file__).parent / "golden"
SIZES = {"128x64": ((128, 64), True), "240x240": ((240, 240), False), "320x240": ((320, 240), False)}


def how_far(picture: Image.Image, golden: Image.Image) -> float:
    """Largest difference of brightness in any 4x4 block, 0-255.

    Two versions of FreeType shade the edges of a letter differently, which evens out over a block; an
    element that moved, vanished or changed its colour does not.
    """
    blocks = [np.asarray(each.convert("RGB").reduce(4), np.float64) for each in (picture, golden)]
    return float(np.abs(blocks[0] - blocks[1]).max())


NEAR_ENOUGH = 40.0


@pytest.mark.parametrize("size_name", SIZES)
@pytest.mark.parametrize("name", EXHIBITS)
def test_a_screen_looks_as_it_did_when_a_person_looked_at_it(name: str, size_name: str) -> None:
    size, monochrome = SIZES[size_name]
    path = GOLDEN / f"{name}-{size_name}.png"
    picture = draw(EXHIBITS[name], size, monochrome)
    assert (picture.size, picture.mode) == (size, "1" if monochrome else "RGB")
    if os.environ.get("LEUKOSCOPE_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        picture.save(path, optimize=True)
        pytest.skip("written anew; look at it")
    golden = Image.open(path)
    if monochrome:
        # No outline font takes part: every dot counts.
        assert ImageChops.difference(picture.convert("L"), golden.convert("L")).getbbox() is None
    else:
        assert how_far(picture, golden) <= NEAR_ENOUGH


@pytest.mark.parametrize("name", ["counting", "looking_focus", "fault"])
def test_the_comparison_notices_what_moved_by_two_pixels(name: str) -> None:
    picture = draw(EXHIBITS[name], (240, 240), False)
    shifted = picture.copy()
    element = picture.crop((10, 40, 120, 150))
    shifted.paste(element, (12, 40))
    assert how_far(shifted, picture) > NEAR_ENOUGH


def test_no_golden_picture_is_left_over_from_a_screen_that_is_gone() -> None:
    expected = {f"{name}-{size}.png" for name in EXHIBITS for size in SIZES}
    assert {path.name for path in GOLDEN.glob("*.png")} == expected
