import cv2
import numpy as np
import pytest

from leukoscope.optics.flatfield import FlatField, gain_from_blank
from leukoscope.optics.quality import QualityGate, QualityLimits, focus_series
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.specimen.field import Flaw, Quality
from leukoscope.specimen.frame import Pixels
from tests.drawings import discs, micrograph_of

CENTRES = [(row, col) for row in range(30, 240, 50) for col in range(30, 320, 50)]
GATE = QualityGate(QualityLimits())


def soft(pixels: Pixels, sigma_um: float, um_per_px: float = 0.2) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_um / um_per_px), dtype=np.uint8)


def assess(pixels: Pixels, um_per_px: float = 0.2) -> Quality:
    return GATE.assess(micrograph_of(pixels, um_per_px))


def test_a_good_field_has_no_flaw() -> None:
    assert assess(soft(discs(CENTRES), 0.15)).flaws == ()


def test_a_blurred_field_is_refused_and_says_so() -> None:
    assert assess(soft(discs(CENTRES), 1.2)).flaws == (Flaw.OUT_OF_FOCUS,)


def test_sharpness_falls_with_every_step_of_blur() -> None:
    values = [assess(soft(discs(CENTRES), sigma)).sharpness for sigma in (0.1, 0.3, 0.5, 0.8, 1.2, 2.0)]
    assert values == sorted(values, reverse=True)


def test_sharpness_does_not_depend_on_stain_or_on_how_many_cells_there_are() -> None:
    strong = assess(soft(discs(CENTRES, shade=60), 0.3)).sharpness
    pale = assess(soft(discs(CENTRES, shade=160), 0.3)).sharpness
    sparse = assess(soft(discs(CENTRES[:6]), 0.3)).sharpness
    assert pale == pytest.approx(strong, rel=0.1)
    assert sparse == pytest.approx(strong, rel=0.1)


def test_an_empty_field_is_empty_and_not_out_of_focus() -> None:
    assert assess(discs([])).flaws == (Flaw.EMPTY,)


def test_a_dark_field_is_underexposed() -> None:
    dark = (soft(discs(CENTRES), 0.15) * 0.2).astype(np.uint8)
    assert Flaw.UNDEREXPOSED in assess(dark).flaws


def test_a_burnt_out_field_is_overexposed() -> None:
    bright = np.clip(soft(discs(CENTRES[:12]), 0.15).astype(int) + 60, 0, 255).astype(np.uint8)
    assert Flaw.OVEREXPOSED in assess(bright).flaws


def test_a_field_full_of_cells_is_crowded() -> None:
    close = [(row, col) for row in range(0, 240, 29) for col in range(0, 320, 29)]
    assert Flaw.CROWDED in assess(soft(discs(close), 0.15)).flaws


def test_the_same_field_is_judged_alike_at_another_scale() -> None:
    fine = cv2.resize(soft(discs(CENTRES), 0.3), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    coarse = assess(soft(discs(CENTRES), 0.3))
    other = assess(np.asarray(fine, np.uint8), 0.2 / 3)
    assert other.sharpness == pytest.approx(coarse.sharpness, rel=0.1)
    assert other.coverage == pytest.approx(coarse.coverage, rel=0.02)


def test_a_pale_blurred_field_is_no_sharper_than_a_strong_one() -> None:
    # Whole grey levels would be too coarse for such edges, and their steps would pass for sharpness.
    pale, strong = (soft(discs(CENTRES, shade=shade), 1.4) for shade in (190, 60))
    assert assess(pale).sharpness == pytest.approx(assess(strong).sharpness, abs=0.02)
    assert Flaw.OUT_OF_FOCUS in assess(pale).flaws


def test_a_large_field_is_judged_as_its_parts_are() -> None:
    part = soft(discs(CENTRES), 0.4)
    whole = np.tile(part, (3, 2, 1))
    assert assess(whole).sharpness == pytest.approx(assess(part).sharpness, abs=0.02)


def test_the_sharpness_of_a_lonely_cell_does_not_depend_on_where_it_lies() -> None:
    for sigma_um, flaws in ((0.2, ()), (1.2, (Flaw.OUT_OF_FOCUS,))):
        seen = [assess(soft(discs([(row, 40)], size=(500, 80)), sigma_um)) for row in range(40, 460, 23)]
        assert {one.flaws for one in seen} == {flaws}
        assert np.ptp([one.sharpness for one in seen]) < 0.03


@pytest.mark.parametrize("full_well", [12_000, 2500])
@pytest.mark.parametrize("um_per_px", [0.07, 0.127, 0.2])
def test_the_noise_that_is_left_far_out_of_focus_is_not_taken_for_edges(um_per_px: float, full_well: float) -> None:
    scope = MicroscopeSettings(width=480, height=360, um_per_px=um_per_px, full_well=full_well, focus_drift_um=0)
    microscope = SimulatedMicroscope(Smear(SmearSettings(seed=3)), Stage(lambda: 0.0), scope)
    # Dust on the sensor is sharp however the focus stands; the flat field takes it away.
    flat = FlatField(gain_from_blank([microscope.render_blank() for _ in range(3)]))
    sharpness = []
    for focus_um in (0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0):
        microscope.refocus(focus_um)
        sharpness.append(assess(flat.apply(microscope.look()[0]), um_per_px).sharpness)
    limit = QualityLimits().min_sharpness
    assert sharpness[0] > 2 * limit
    assert max(sharpness[1:]) < 0.9 * limit


def test_a_noisy_picture_of_nothing_has_no_edges() -> None:
    noise = np.random.default_rng(1).normal(200, 6, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    assert assess(noise).sharpness < 0.1


def test_a_series_of_blurs_falls_and_is_what_blurring_the_camera_would_give() -> None:
    field = micrograph_of(soft(discs(CENTRES), 0.15), 0.2)
    series = focus_series(field, (0.2, 0.4, 0.6))
    assert list(series) == sorted(series, reverse=True)
    blurred = GATE.assess(micrograph_of(soft(field.pixels, 0.4), 0.2)).sharpness
    assert series[1] == pytest.approx(blurred, abs=0.01)
