import cv2
import numpy as np
import pytest

from leukoscope.errors import CalibrationError
from leukoscope.optics.micrometer import Spacing, measure_ruling
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.simulation.stage_micrometer import Ruling, RulingSettings
from leukoscope.specimen.frame import Pixels

UM_PER_PX = 0.16
NOISY = {"full_well": 600.0, "read_noise": 20.0}


def ruling(angle: float, spacing_um: float = 10.0, **microscope: float) -> Pixels:
    settings = {"width": 480, "height": 360, "um_per_px": UM_PER_PX, "seed": 7} | microscope
    stage = Stage(lambda: 0.0, 33.3, 21.7)
    scope = SimulatedMicroscope(Smear(SmearSettings()), stage, MicroscopeSettings.model_validate(settings))
    return scope.render_ruling(Ruling(RulingSettings(angle_deg=angle, spacing_um=spacing_um, offset_um=1.37)))


def off_percent(found: Spacing, spacing_um: float = 10.0, um_per_px: float = UM_PER_PX) -> float:
    return abs(found.px * um_per_px / spacing_um - 1) * 100


@pytest.mark.parametrize("angle", [0.0, 0.7, 12.0, 45.0, 68.0, 90.0, -27.0])
def test_the_spacing_is_right_to_a_tenth_of_a_percent_at_any_angle(angle: float) -> None:
    found = measure_ruling(ruling(angle))
    assert off_percent(found) < 0.05
    assert (found.angle_deg - angle + 90) % 180 - 90 == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("microscope", [{"focus_um": 1.0}, {"focus_um": 2.0}, NOISY, {"focus_um": 1.5, **NOISY}])
def test_blur_and_noise_leave_the_spacing_right(microscope: dict[str, float]) -> None:
    assert off_percent(measure_ruling(ruling(22.0, **microscope))) < 0.1


def test_a_shaded_dusty_light_leaves_the_spacing_right() -> None:
    found = measure_ruling(ruling(-8.0, vignetting=0.3, lamp_gradient=0.2, dust_spots=12))
    assert off_percent(found) < 0.1


def test_the_stated_error_holds_what_is_wrong_and_grows_with_noise() -> None:
    clear, noisy = measure_ruling(ruling(5.0)), measure_ruling(ruling(5.0, **NOISY))
    for found in (clear, noisy):
        # The interval is one of 95 %; three of its widths hold every case.
        assert abs(found.px * UM_PER_PX - 10) < 3 * found.error_px * UM_PER_PX
        assert found.error_px / found.px < 0.002
    assert noisy.error_px > clear.error_px


def test_other_rulings_are_measured_too() -> None:
    assert off_percent(measure_ruling(ruling(9.0, spacing_um=5.0)), 5.0) < 0.1


def test_a_picture_stretched_by_one_percent_is_found_to_be() -> None:
    straight = ruling(0.0)
    wide = cv2.resize(straight, None, fx=1.01, fy=1.01, interpolation=cv2.INTER_CUBIC)
    ratio = measure_ruling(np.asarray(wide, np.uint8)).px / measure_ruling(straight).px
    # Sides are whole pixels: 485 of 484.8.
    assert ratio == pytest.approx(1.01, abs=0.001)


def test_a_smear_is_no_ruling() -> None:
    stage = Stage(lambda: 0.0, 100.0, 100.0)
    settings = MicroscopeSettings(width=480, height=360, um_per_px=UM_PER_PX)
    pixels, _ = SimulatedMicroscope(Smear(SmearSettings()), stage, settings).look()
    with pytest.raises(CalibrationError, match="edges in every direction"):
        measure_ruling(pixels)


def test_too_few_lines_are_refused_with_what_to_do() -> None:
    with pytest.raises(CalibrationError, match=r"lines|repeats"):
        measure_ruling(ruling(0.0, spacing_um=40.0))


def test_uneven_lines_are_refused() -> None:
    picture = np.full((240, 320, 3), 220, np.uint8)
    for col in (20, 55, 75, 140, 160, 230, 290):
        picture[:, col : col + 6] = 60
    with pytest.raises(CalibrationError, match="lines"):
        measure_ruling(picture)


def test_an_empty_picture_is_refused() -> None:
    noise = np.random.default_rng(1).normal(200, 3, (240, 320, 3))
    with pytest.raises(CalibrationError):
        measure_ruling(np.clip(noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(("spacing_px", "angle"), [(3.4, 0.0), (4.0, 3.0), (5.3, 0.0)])
def test_lines_too_fine_for_the_pixels_are_refused_and_never_taken_for_coarser_ones(
    spacing_px: float, angle: float
) -> None:
    y, x = np.mgrid[:300, :400]
    across = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))
    light = 200 - 120 * (0.5 + 0.5 * np.cos(2 * np.pi * across / spacing_px)) ** 2
    grain = np.random.default_rng(1).normal(0, 3, light.shape)
    pixels = np.repeat((light + grain).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    with pytest.raises(CalibrationError, match="expected lines at least 6 pixels apart"):
        measure_ruling(pixels)
