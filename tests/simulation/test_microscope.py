import cv2
import numpy as np
import pytest

from leukoscope.simulation.microscope import _KEPT_PATCHES, MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.specimen.cell import CellKind

QUIET = {
    "vignetting": 0.0,
    "lamp_gradient": 0.0,
    "dust_spots": 0,
    "focus_drift_um": 0.0,
    "full_well": 1e6,
    "read_noise": 0.0,
}


def microscope(smear=None, place=(100.0, 100.0), **settings):
    stage = Stage(lambda: 0.0, *place)
    defaults = {"width": 320, "height": 240}
    return SimulatedMicroscope(
        Smear(SmearSettings(**(smear or {}))), stage, MicroscopeSettings(**(defaults | settings))
    )


def sharpness(pixels):
    return float(cv2.Sobel(pixels[..., 1].astype(np.float32), cv2.CV_32F, 1, 0, ksize=5).var())


def test_a_look_is_rgb_of_the_size_asked_for():
    pixels, truth = microscope(width=200, height=120).look()
    assert pixels.shape == (120, 200, 3)
    assert pixels.dtype == np.uint8
    assert truth


def test_two_microscopes_of_one_seed_see_the_same():
    one, other = microscope(), microscope()
    assert np.array_equal(one.look()[0], other.look()[0])


def test_two_looks_at_one_place_differ_by_noise_alone():
    scope = microscope()
    first, second = (scope.look()[0].astype(float) for _ in range(2))
    assert 0 < np.abs(first - second).mean() < 4


def test_a_step_of_the_stage_shifts_the_picture_without_a_seam():
    scope = microscope(um_per_px=0.125, **QUIET)
    before = scope.look()[0].astype(int)
    scope.stage.move_by(10.0, 5.0)
    after = scope.look()[0].astype(int)
    kept, moved = before[48:-8, 88:-8], after[8:-48, 8:-88]
    assert np.abs(kept - moved).max() <= 2


def test_every_cell_of_the_truth_is_darker_than_the_glass():
    scope = microscope(**QUIET)
    pixels, truth = scope.look()
    glass = scope.render_blank()
    for cell in truth:
        if cell.outline.sum() < 30:
            continue
        window = np.s_[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end]
        darker = glass[window].astype(int)[..., 1] - pixels[window].astype(int)[..., 1]
        assert darker[cell.outline].mean() > 12, cell.cell.id


def test_what_is_outside_every_outline_is_glass():
    scope = microscope(**QUIET)
    pixels, truth = scope.look()
    cells = np.zeros(pixels.shape[:2], np.uint8)
    for cell in truth:
        cells[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end] |= cell.outline
    free = cv2.dilate(cells, np.ones((11, 11), np.uint8)) == 0
    assert free.mean() > 0.1
    assert np.abs(pixels.astype(int)[free] - scope.render_blank().astype(int)[free]).max() <= 3


def test_the_nucleus_is_the_darkest_part_of_a_white_cell():
    smear = {"seed": 6, "white_per_1000_rbc": 120, "red_cells_per_1000_um2": 6, "platelets_per_rbc": 0}
    pixels, truth = microscope(smear, width=640, height=480, **QUIET).look()
    white = [cell for cell in truth if cell.kind is CellKind.WBC and not cell.touches_border]
    assert len(white) >= 2
    for cell in white:
        window = pixels[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end, 1].astype(float)
        around = cell.outline & ~cell.nucleus
        assert window[cell.nucleus].mean() < window[around].mean() - 40


def test_boxes_are_tight_and_border_cells_are_marked():
    _, truth = microscope().look()
    for cell in truth:
        box = cell.box
        assert cell.outline.shape == (box.height, box.width) == cell.nucleus.shape
        assert cell.outline[0].any() and cell.outline[-1].any()
        assert cell.outline[:, 0].any() and cell.outline[:, -1].any()
        at_edge = box.row == 0 or box.col == 0 or box.row_end == 240 or box.col_end == 320
        assert cell.touches_border == at_edge
    assert {cell.touches_border for cell in truth} == {True, False}


def test_overlapping_red_cells_let_less_light_through():
    smear = {"seed": 4, "red_cells_per_1000_um2": 18, "white_per_1000_rbc": 0, "platelets_per_rbc": 0}
    pixels, truth = microscope(smear, width=640, height=480, **QUIET).look()
    count = np.zeros(pixels.shape[:2], int)
    for cell in truth:
        count[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end] += cell.outline
    green = pixels[..., 1].astype(float)
    assert green[count == 2].mean() < green[count == 1].mean() - 15


def test_light_is_absorbed_and_never_made():
    scope = microscope(**QUIET)
    assert (scope.look()[0].astype(int) <= scope.render_blank().astype(int) + 2).all()


def test_more_defocus_is_less_sharp():
    values = [sharpness(microscope(focus_um=focus, **QUIET).look()[0]) for focus in (0, 0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.2 * values[0]


def test_the_focus_drifts_over_the_slide():
    scope = microscope(focus_drift_um=1.0)
    heights = []
    for x in range(0, 3000, 150):
        scope.stage.move_to(x, 0)
        heights.append(scope.defocus_um)
    assert np.std(heights) > 0.2
    assert np.abs(np.diff(heights)).max() < 3


def test_a_blank_field_shows_the_lamp_and_no_cells():
    blank = microscope(vignetting=0.3, width=320, height=240).render_blank().astype(float)
    assert blank[100:140, 140:180].mean() > 1.1 * blank[:20, :20].mean()
    flat = microscope(**QUIET).render_blank()
    assert np.ptp(flat[..., 0]) <= 2


def test_exposure_brightens_until_the_sensor_is_full():
    dark, bright = (microscope(exposure=e, **QUIET).render_blank() for e in (0.5, 4.0))
    assert np.median(dark[..., 0]) == pytest.approx(120, abs=2)
    assert (bright == 255).all()


def test_fewer_photons_are_noisier():
    noisy, clean = (microscope(**(QUIET | {"full_well": well})).render_blank() for well in (500.0, 50_000.0))
    assert noisy.astype(float).std(axis=(0, 1)).min() > 4 * clean.astype(float).std(axis=(0, 1)).max()


def test_a_moving_stage_smears_along_its_way():
    class Sliding:
        def at(self, seconds):
            return 2000.0 * seconds, 0.0

    still = microscope(**QUIET)
    moving = SimulatedMicroscope(still.smear, Stage(lambda: 0.0, 100, 100, Sliding()), still.settings)
    sharp, smeared = still.look()[0].astype(float), moving.look()[0].astype(float)

    def edges(pixels, axis):
        return np.abs(np.diff(pixels[..., 1], axis=axis)).mean()

    assert edges(smeared, axis=1) < 0.5 * edges(sharp, axis=1)
    assert edges(smeared, axis=1) < 0.6 * edges(smeared, axis=0)


def test_the_same_cell_keeps_its_place_at_another_magnification():
    smear = {"seed": 6, "white_per_1000_rbc": 100}
    fine, coarse = (microscope(smear, um_per_px=s, width=w, height=h) for s, w, h in ((0.1, 640, 480), (0.2, 320, 240)))
    places = []
    for scope in (fine, coarse):
        white = (c for c in scope.look()[1] if c.kind is CellKind.WBC and not c.touches_border)
        places.append({c.cell.id: np.array(c.box.centre) * scope.settings.um_per_px for c in white})
    assert places[0].keys() == places[1].keys() and places[0]
    for name, place in places[0].items():
        assert np.abs(place - places[1][name]).max() < 0.3


def test_the_patches_kept_are_bounded():
    scope = microscope({"red_cells_per_1000_um2": 18}, width=64, height=64, um_per_px=0.4)
    for step in range(60):
        scope.stage.move_to(step * 30.0, 0)
        scope.look()
    assert len(scope._patches) == _KEPT_PATCHES
