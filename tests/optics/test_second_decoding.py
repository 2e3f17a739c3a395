"""A picture that was decoded twice shows it in the grey levels that do not occur."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.optics.second_decoding import decoded_twice
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.frame import Pixels
from tests.drawings import micrograph_of


@pytest.fixture(scope="module")
def field() -> Pixels:
    return SimulatedCameraSettings(smear=SmearSettings(seed=1)).open().capture().pixels


def to_the_power(exponent: float, *, rounded: bool = True) -> Callable[[Pixels], Pixels]:
    levels = 255 * (np.arange(256) / 255) ** exponent + (0.5 if rounded else 0.0)
    return lambda pixels: levels.astype(np.uint8)[pixels]


def srgb(pixels: Pixels) -> Pixels:
    encoded = pixels / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.rint(255 * linear).astype(np.uint8)


@pytest.mark.parametrize("decode", [to_the_power(2.2), to_the_power(2.2, rounded=False), srgb])
def test_a_field_that_was_decoded_twice_is_no_stain(decode: Callable[[Pixels], Pixels], field: Pixels) -> None:
    spoilt = decode(field)
    assert decoded_twice(spoilt)
    seen = QualityGate(QualityLimits()).assess(micrograph_of(spoilt, 0.127), stain=True)
    assert seen.flaws[0] is Flaw.FOREIGN_COLOURS


def test_a_camera_without_colours_is_not_judged_by_its_levels(field: Pixels) -> None:
    colourless = QualityGate(QualityLimits(stained=False))
    assert Flaw.FOREIGN_COLOURS not in colourless.assess(micrograph_of(srgb(field), 0.127), stain=True).flaws


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels,
        to_the_power(1.6),
        to_the_power(1.8),
        to_the_power(1 / 2.2),
        lambda pixels: np.clip(2 * (pixels.astype(np.int16) - 100), 0, 255).astype(np.uint8),
        lambda pixels: pixels // 8 * 8,
    ],
    ids=["as it is", "1.6 of the stain", "1.8 of the stain", "encoded twice", "stretched", "32 levels"],
)
def test_other_gaps_between_levels_are_no_decoding(change: Callable[[Pixels], Pixels], field: Pixels) -> None:
    assert not decoded_twice(change(field))


def test_what_was_stored_as_jpeg_afterwards_has_no_gaps_to_judge_by(field: Pixels) -> None:
    _, packed = cv2.imencode(".jpg", srgb(field), [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert not decoded_twice(np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8))


def test_a_few_levels_are_no_proof() -> None:
    assert not decoded_twice(np.full((200, 300, 3), 255, np.uint8))
