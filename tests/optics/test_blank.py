from typing import Any

import numpy as np
import pytest

from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.errors import CalibrationError
from leukoscope.optics.blank import dark_of, light_of, unevenness
from leukoscope.optics.flatfield import FlatField, gain_of
from leukoscope.optics.whitebalance import off_white, white_gains
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.frame import Pixels

SHADED = {"vignetting": 0.3, "colour_shading": 0.1, "width": 320, "height": 240, "um_per_px": 0.25}


def camera(slide: str = "blank", red_cells: float = 20.0, **microscope: float) -> SimulatedCamera:
    settings = SimulatedCameraSettings.model_validate({"slide": slide})
    smear = SmearSettings().model_copy(update={"red_cells_per_1000_um2": red_cells})
    scope = MicroscopeSettings.model_validate(SHADED | microscope)
    return settings.model_copy(update={"smear": smear, "microscope": scope}).open()


def fields(count: int, slide: str = "blank", **settings: Any) -> list[Pixels]:
    one = camera(slide, **settings)
    return [one.capture().pixels for _ in range(count)]


@pytest.mark.parametrize(
    "microscope",
    [
        {"dust_spots": 0},
        {"dust_spots": 8, "lamp_gradient": 0.1},
        {"full_well": 1500.0},
        {"width": 640, "height": 480, "um_per_px": 0.127},
    ],
)
def test_after_a_vignette_of_a_third_with_coloured_shading_the_background_is_even_within_a_percent(
    microscope: dict[str, Any],
) -> None:
    pictures = fields(9, **microscope)
    flat = FlatField(gain_of(light_of(pictures[:6]).light))
    assert unevenness(pictures[6:]) > 0.25
    assert unevenness([flat.apply(one) for one in pictures[6:]]) <= 0.01


def test_the_rim_is_as_even_as_the_middle() -> None:
    quiet: dict[str, Any] = {"dust_spots": 0, "full_well": 1e6, "read_noise": 0.0}
    pictures = fields(4, **quiet)
    even = FlatField(gain_of(light_of(pictures[:3]).light)).apply(pictures[3]).astype(float)
    rim = np.concatenate([even[:2].reshape(-1, 3), even[-2:].reshape(-1, 3), even[:, :2].reshape(-1, 3)])
    assert np.abs(rim / even.mean(axis=(0, 1)) - 1).max() < 0.01


def test_a_black_level_is_taken_away_before_the_light_is_evened() -> None:
    black: dict[str, Any] = {"black_level": 20.0, "dust_spots": 0}
    dark = dark_of(fields(5, "dark", **black))
    assert dark.mean() == pytest.approx(20, abs=0.1)
    pictures = fields(9, **black)
    flat = FlatField(gain_of(light_of(pictures[:6]).light, dark), dark)
    assert unevenness([flat.apply(one) for one in pictures[6:]]) <= 0.01
    # What lets half the light through is half as bright as the glass, which it is not without the dark level.
    half = np.rint((pictures[8].astype(float) - 20) / 2 + 20).astype(np.uint8)
    without = FlatField(gain_of(light_of(pictures[:6]).light))
    right, wrong = (one.apply(half).astype(float) / one.apply(pictures[8]) for one in (flat, without))
    assert np.abs(right - 0.5).max() < 0.01
    assert wrong.min() > 0.53


def test_a_light_dark_picture_is_refused() -> None:
    with pytest.raises(CalibrationError, match="switch the lamp off"):
        dark_of(fields(3))


def test_stray_cells_are_left_out_and_leave_no_ghost() -> None:
    stray = light_of(fields(8, "smear", red_cells=0.3, dust_spots=0)).light
    clean = light_of(fields(8, dust_spots=0)).light
    assert np.abs(stray / clean - 1).max() < 0.01


def test_fields_full_of_cells_are_counted_as_refused() -> None:
    found = light_of([*fields(4), *fields(3, "smear")])
    assert (found.used, found.refused) == (4, 3)


def test_a_smear_is_no_blank_field_and_the_technician_is_told_where_to_go() -> None:
    with pytest.raises(CalibrationError, match=r"found 0 among 5 pictures.*move to an empty place"):
        light_of(fields(5, "smear"))


def test_a_cell_that_never_moves_is_noticed() -> None:
    pictures = [one.copy() for one in fields(5)]
    for one in pictures:
        one[100:125, 150:175] //= 2
    with pytest.raises(CalibrationError, match="move the slide between"):
        light_of(pictures)


def test_a_clipped_background_is_refused() -> None:
    with pytest.raises(CalibrationError, match="clipped: turn the lamp down"):
        light_of(fields(4, exposure=1.3))


def test_a_dim_background_is_refused() -> None:
    with pytest.raises(CalibrationError, match="turn the lamp up"):
        light_of(fields(4, exposure=0.2))


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(CalibrationError, match="320x240 and 640x480"):
        light_of([*fields(2), *fields(2, width=640, height=480)])


def test_the_background_becomes_neutral() -> None:
    pictures = fields(9)
    gain = gain_of(light_of(pictures[:6]).light)
    before = FlatField(gain)
    gains = white_gains(light_of([before.apply(one) for one in pictures[:6]]).light)
    after = FlatField(gain, white=gains)
    left = light_of([after.apply(one) for one in pictures[6:]]).light
    assert off_white(light_of(pictures[6:]).light) > 8
    assert off_white(left) <= 2.0
    assert gains[1] == 1.0


def test_a_lamp_of_one_colour_cannot_be_balanced() -> None:
    red = np.full((48, 64, 3), (200.0, 60.0, 40.0), np.float32)
    with pytest.raises(CalibrationError, match="set the camera's colour gains"):
        white_gains(red)
