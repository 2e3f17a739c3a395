"""Nothing round passes for blood: colours that no stain gives, and the edge of an eyepiece, are refused by name."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.optics.plausibility import implausible
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.field import Flaw, Quality
from leukoscope.specimen.frame import Pixels
from tests.drawings import discs, micrograph_of

UM_PER_PX = 0.127


@pytest.fixture(scope="module")
def fields() -> list[Pixels]:
    found = []
    for seed in (1, 2, 3):
        camera = SimulatedCameraSettings(smear=SmearSettings(seed=seed, white_per_1000_rbc=60)).open()
        found.append(camera.capture().pixels)
    return found


def judged(pixels: Pixels, **limits: bool) -> Quality:
    gate = QualityGate(QualityLimits(**limits))
    micrograph = micrograph_of(pixels, UM_PER_PX)
    return gate.assess(micrograph, stain=True)


def grey(pixels: Pixels) -> Pixels:
    return np.repeat(pixels[..., 1:2], 3, axis=2)


def in_an_eyepiece(pixels: Pixels) -> Pixels:
    rows, cols = pixels.shape[:2]
    disc = cv2.circle(np.zeros((rows, cols), np.uint8), (cols // 2, rows // 2), int(0.48 * rows), 1, cv2.FILLED)
    return np.where(disc[..., None] > 0, pixels, np.uint8(0))


def test_a_stained_field_is_plausible(fields: list[Pixels]) -> None:
    for pixels in fields:
        assert judged(pixels).flaws == ()


def green_and_blue(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., (0, 2, 1)])


def red_and_green(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., (1, 0, 2)])


@pytest.mark.parametrize("spoil", [red_and_green, green_and_blue, grey])
def test_colours_that_no_stain_gives_are_refused(spoil: Callable[[Pixels], Pixels], fields: list[Pixels]) -> None:
    for pixels in fields:
        assert judged(spoil(pixels)).flaws == (Flaw.FOREIGN_COLOURS,)


def test_a_negative_is_called_so_and_not_only_crowded(fields: list[Pixels]) -> None:
    # The first field's darkest cells are not dark enough: its negative stays "crowded".
    for pixels in fields[1:]:
        assert judged(np.asarray(255 - pixels, dtype=np.uint8)).flaws[0] is Flaw.FOREIGN_COLOURS


@pytest.mark.parametrize("lamp", [(0.7, 0.85, 1.0), (1.0, 0.88, 0.65), (0.75, 1.0, 0.75)])
def test_no_lamp_makes_a_smear_implausible(lamp: tuple[float, float, float], fields: list[Pixels]) -> None:
    for pixels in fields:
        assert implausible(np.asarray(np.rint(pixels * np.array(lamp)), dtype=np.uint8)) is None


def test_round_things_without_colour_are_no_blood() -> None:
    bubbles = discs([(row, col) for row in range(30, 220, 45) for col in range(30, 300, 45)])
    assert implausible(bubbles) is Flaw.FOREIGN_COLOURS


def test_a_camera_without_colours_may_be_allowed(fields: list[Pixels]) -> None:
    assert judged(grey(fields[0]), stained=False).flaws == ()


def test_a_black_surround_is_called_so_and_not_crowded(fields: list[Pixels]) -> None:
    assert judged(in_an_eyepiece(fields[0])).flaws == (Flaw.BLACK_SURROUND,)
    assert judged(in_an_eyepiece(fields[0]), stained=False).flaws == (Flaw.BLACK_SURROUND,)


def test_one_black_corner_is_a_cell_or_a_hair(fields: list[Pixels]) -> None:
    pixels = fields[0].copy()
    pixels[:40, :40] = 5
    assert Flaw.BLACK_SURROUND not in judged(pixels).flaws


def test_an_empty_field_has_no_colours_to_judge_by() -> None:
    assert judged(discs([])).flaws == (Flaw.EMPTY,)
