import numpy as np
import pytest

from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.stage_micrometer import Ruling, RulingSettings

SMALL = {"width": 320, "height": 240, "um_per_px": 0.25, "focus_drift_um": 0.0}


def seen(slide, ruling=None, **microscope):
    settings = SimulatedCameraSettings(
        slide=slide,
        ruling=ruling or RulingSettings(angle_deg=0),
        microscope=MicroscopeSettings(**(SMALL | microscope)),
    )
    return settings.open().capture().pixels.astype(float)


def test_lines_lie_where_they_were_ruled():
    across = np.linspace(0, 40, 4001)
    density = Ruling(RulingSettings(spacing_um=10, line_um=2, angle_deg=0, offset_um=3)).density(across, 0 * across)
    dark = across[density > 0.8]
    assert np.unique(np.round((dark - 3) / 10)).tolist() == [0, 1, 2, 3]
    assert np.abs((dark - 3 + 5) % 10 - 5).max() == pytest.approx(1.0, abs=0.02)


def test_a_turned_ruling_is_the_same_across_its_lines():
    straight, turned = (Ruling(RulingSettings(angle_deg=angle)) for angle in (0, 35))
    along = np.linspace(-20, 20, 501)
    angle = np.deg2rad(35)
    np.testing.assert_allclose(
        turned.density(along * np.cos(angle), along * np.sin(angle)), straight.density(along, 0 * along), atol=1e-5
    )


def test_the_camera_shows_upright_lines_as_many_as_there_are():
    row = seen("ruling")[:, :, 1].mean(axis=0)
    dark = row < 0.6 * row.max()
    assert np.count_nonzero(np.diff(dark.astype(int)) == 1) == 8  # 80 µm


def test_lines_run_on_to_the_rim_of_a_blurred_picture():
    # Two pictures of one place, one 40 pixels larger all around, must agree in the middle.
    quiet = {"full_well": 1e6, "read_noise": 0.0, "vignetting": 0.0, "lamp_gradient": 0.0, "dust_spots": 0}
    turned = RulingSettings(angle_deg=27)
    small = seen("ruling", turned, focus_um=3.0, **quiet)
    large = seen("ruling", turned, focus_um=3.0, **(quiet | {"width": 400, "height": 320}))
    assert np.abs(small - large[40:-40, 40:-40]).max() <= 2


def test_a_blank_slide_shows_no_cells_and_no_lamp_shows_the_black_level():
    blank = seen("blank", vignetting=0.0, lamp_gradient=0.0, dust_spots=0)
    assert blank.std(axis=(0, 1)).max() < 6
    dark = seen("dark", black_level=9.0)
    assert dark.mean() == pytest.approx(9, abs=0.2)


def test_colour_shading_takes_red_on_one_side_and_blue_on_the_other():
    blank = seen("blank", colour_shading=0.2, vignetting=0.0, lamp_gradient=0.0, dust_spots=0)
    left, right = blank[:, :16].mean(axis=(0, 1)), blank[:, -16:].mean(axis=(0, 1))
    assert right[0] / left[0] == pytest.approx(0.8, abs=0.02)
    assert right[1] / left[1] == pytest.approx(1.0, abs=0.01)
    assert left[2] / right[2] == pytest.approx(0.8, abs=0.02)


def test_a_smear_is_what_is_seen_unless_another_slide_is_asked_for():
    assert SimulatedCameraSettings().slide == "smear"
