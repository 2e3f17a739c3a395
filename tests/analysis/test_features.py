"""Measured features against shapes drawn by hand, at several scales, and against the simulation's own truth."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.features import measure_features, nucleus_features, outline_features
from leukoscope.analysis.nucleus import count_lobes
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.simulation.microscope import VisibleCell
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import Box, CellInstance, CellKind
from leukoscope.specimen.frame import Pixels
from tests.drawings import micrograph_of

SCALES = (0.0706, 0.1, 0.127, 0.2)
Flags = NDArray[np.bool_]
Form = Callable[[NDArray[np.floating], NDArray[np.floating]], Flags]


def drawn(form: Form, um_per_px: float, reach_um: float = 10.0) -> Flags:
    """A form given in micrometres from the middle, on a pixel grid that is not centred on it."""
    side = math.ceil(2 * reach_um / um_per_px)
    axis = (np.arange(side) + 0.3) * um_per_px - reach_um
    return form(axis[None, :], axis[:, None])


def disc(radius: float, x0: float = 0.0, y0: float = 0.0) -> Form:
    return lambda x, y: (x - x0) ** 2 + (y - y0) ** 2 <= radius**2


def ellipse(long: float, short: float, degrees: float) -> Form:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return lambda x, y: ((x * cos + y * sin) / long) ** 2 + ((y * cos - x * sin) / short) ** 2 <= 1


def bar(x0: float, x1: float, half_width: float) -> Form:
    return lambda x, y: (x >= x0) & (x <= x1) & (abs(y) <= half_width)


def any_of(*forms: Form) -> Form:
    return lambda x, y: np.logical_or.reduce([form(x, y) for form in forms])


def white_cell(outline: Flags, nucleus: Flags | None) -> CellInstance:
    box = Box(0, 0, *outline.shape)
    kind = CellKind.RBC if nucleus is None else CellKind.WBC
    return CellInstance(kind, 0.9, box, outline, nucleus, 1.0, 1.0, touches_border=False)


@pytest.mark.parametrize("um_per_px", SCALES)
def test_a_red_cell_of_known_size_measures_the_same_at_every_scale(um_per_px: float) -> None:
    features = outline_features(drawn(disc(3.6), um_per_px), um_per_px)
    assert features["area_um2"] == pytest.approx(math.pi * 3.6**2, rel=0.01)
    assert features["perimeter_um"] == pytest.approx(2 * math.pi * 3.6, rel=0.01)
    assert features["equivalent_diameter_um"] == pytest.approx(7.2, rel=0.005)
    assert features["circularity"] == pytest.approx(1.0, abs=0.02)
    assert features["eccentricity"] < 0.12
    assert features["solidity"] > 0.96


@pytest.mark.parametrize("um_per_px", SCALES)
@pytest.mark.parametrize("degrees", [0, 20, 45, 70])
def test_an_elliptocyte_has_its_eccentricity_and_perimeter_at_every_angle(um_per_px: float, degrees: float) -> None:
    features = outline_features(drawn(ellipse(5.0, 3.0, degrees), um_per_px), um_per_px)
    assert features["eccentricity"] == pytest.approx(0.8, abs=0.01)
    # Ramanujan's formula for the perimeter of an ellipse.
    perimeter = math.pi * (3 * 8 - math.sqrt((3 * 5 + 3) * (5 + 3 * 3)))
    assert features["perimeter_um"] == pytest.approx(perimeter, rel=0.03)
    assert features["circularity"] == pytest.approx(4 * math.pi * math.pi * 15 / perimeter**2, abs=0.05)


def test_a_square_is_less_circular_than_a_disc_and_a_star_less_solid() -> None:
    square = outline_features(drawn(lambda x, y: (abs(x) <= 3) & (abs(y) <= 3), 0.1), 0.1)
    assert square["circularity"] == pytest.approx(math.pi / 4, abs=0.1)
    assert square["solidity"] == pytest.approx(1.0, abs=0.01)
    cross = outline_features(drawn(any_of(bar(-5, 5, 1), lambda x, y: (abs(x) <= 1) & (abs(y) <= 5)), 0.1), 0.1)
    assert cross["solidity"] == pytest.approx(36 / (100 - 32), abs=0.03)
    assert cross["circularity"] < 0.4


def test_the_perimeter_of_discs_is_right_on_the_mean() -> None:
    places = np.random.default_rng(4).uniform(-0.1, 0.1, (60, 2))
    found = [outline_features(drawn(disc(1.5, x, y), 0.2, 3.0), 0.2)["perimeter_um"] for x, y in places]
    assert np.mean(found) == pytest.approx(3 * math.pi, rel=0.01)


def test_pixels_are_squares_and_not_points() -> None:
    features = outline_features(np.ones((1, 4), bool), 0.1)
    assert features["eccentricity"] == pytest.approx(math.sqrt(1 - 1 / 16))
    assert features["solidity"] == 1


def test_an_empty_outline_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        outline_features(np.zeros((5, 5), bool), 0.1)


@pytest.mark.parametrize("um_per_px", SCALES)
def test_nucleus_over_cytoplasm_is_that_of_the_drawing(um_per_px: float) -> None:
    features = nucleus_features(drawn(disc(6.0), um_per_px), drawn(disc(4.0, 1.0), um_per_px), um_per_px)
    assert features["nucleus_area_um2"] == pytest.approx(math.pi * 16, rel=0.01)
    assert features["nc_ratio"] == pytest.approx(16 / (36 - 16), rel=0.02)
    assert features["nucleus_lobes"] == 1


def test_a_cell_that_is_all_nucleus_has_no_ratio() -> None:
    everything = drawn(disc(4.0), 0.1)
    assert "nc_ratio" not in nucleus_features(everything, everything, 0.1)


def test_a_cell_without_a_nucleus_has_no_lobe() -> None:
    outline = drawn(disc(4.0), 0.1)
    features = nucleus_features(outline, np.zeros_like(outline), 0.1)
    assert features == {"nucleus_area_um2": 0, "nc_ratio": 0, "nucleus_lobes": 0}


NUCLEI: dict[str, tuple[int, Form]] = {
    "a round nucleus": (1, disc(3.5)),
    "a long nucleus": (1, ellipse(5.0, 2.0, 30)),
    "a band of even width": (
        1,
        lambda x, y: (abs(np.hypot(x, y) - 4) <= 1.2) & (abs(np.arctan2(y, x)) < 2.2),
    ),
    "a dumb-bell with a waist of three quarters": (1, any_of(disc(2, -2.2), disc(2, 2.2), bar(-2, 2, 1.5))),
    "two lobes that touch": (2, any_of(disc(2, -1.9), disc(2, 1.9))),
    "two lobes on a filament": (2, any_of(disc(2, -3), disc(2, 3), bar(-3, 3, 0.3))),
    "two lobes apart": (2, any_of(disc(2, -3), disc(2, 3))),
    "a large lobe and a small one": (2, any_of(disc(3, -2), disc(1.2, 3), bar(-1, 3, 0.3))),
    "three in a row": (3, any_of(disc(1.6, -4), disc(2.0), disc(1.6, 4), bar(-4, 4, 0.3))),
    "five on a ring": (
        5,
        any_of(
            *(disc(1.4, 4 * math.cos(a), 4 * math.sin(a)) for a in np.linspace(0, 5, 5)),
            lambda x, y: (abs(np.hypot(x, y) - 4) <= 0.3) & (np.arctan2(y, -x) + math.pi < 5.1),
        ),
    ),
    "a lobe with a drumstick too small to be one": (1, any_of(disc(3), disc(0.45, 3.8), bar(0, 3.8, 0.2))),
}


@pytest.mark.parametrize("um_per_px", SCALES)
@pytest.mark.parametrize(("lobes", "form"), NUCLEI.values(), ids=NUCLEI.keys())
def test_lobes_are_counted_as_drawn_at_every_scale(lobes: int, form: Form, um_per_px: float) -> None:
    assert count_lobes(drawn(form, um_per_px), um_per_px) == lobes


def test_lobes_are_counted_in_a_ragged_drawing_too() -> None:
    rng = np.random.default_rng(5)
    nucleus = drawn(any_of(disc(2.2, -3), disc(2.2, 3), bar(-3, 3, 0.4)), 0.1)
    rim = nucleus ^ np.roll(nucleus, 1, axis=0) | nucleus ^ np.roll(nucleus, 1, axis=1)
    assert count_lobes(nucleus ^ (rim & (rng.random(nucleus.shape) < 0.4)), 0.1) == 2


def stained(outline: Flags, nucleus: Flags, grains: NDArray[np.float64], lamp: float) -> Pixels:
    """A cell of known optical density: nucleus 0.6, 0.9, 0.2; cytoplasm 0.2, 0.3, 0.1 times `grains`."""
    density = np.zeros((*outline.shape, 3))
    density[outline] = np.array([0.2, 0.3, 0.1]) * grains[outline, None]
    density[nucleus] = (0.6, 0.9, 0.2)
    return np.rint(np.array([1.0, 0.95, 0.85]) * lamp * 10**-density).astype(np.uint8)


@pytest.mark.parametrize("um_per_px", SCALES)
@pytest.mark.parametrize("lamp", [250.0, 150.0])
def test_stain_is_measured_against_the_glass_whatever_the_lamp(um_per_px: float, lamp: float) -> None:
    outline, nucleus = drawn(disc(6), um_per_px), drawn(disc(3, 1), um_per_px)
    picture = stained(outline, nucleus, np.ones(outline.shape), lamp)
    (features,) = measure_features(micrograph_of(picture, um_per_px), [white_cell(outline, nucleus)])
    for light, dark, pale in (("red", 0.6, 0.2), ("green", 0.9, 0.3), ("blue", 0.2, 0.1)):
        assert features[f"nucleus_od_{light}"] == pytest.approx(dark, abs=0.02)
        assert features[f"cytoplasm_od_{light}"] == pytest.approx(pale, abs=0.02)
    assert features["cytoplasm_granularity"] < 0.02


@pytest.mark.parametrize("um_per_px", SCALES)
def test_granules_show_as_much_at_every_scale_and_stain(um_per_px: float) -> None:
    outline, nucleus = drawn(disc(6), um_per_px), drawn(disc(3, 1), um_per_px)
    # A checkerboard of waves 1.2 um long, with a contrast of 0.5 and 0.25.
    axis = np.arange(outline.shape[0]) * um_per_px * 2 * math.pi / 1.2
    waves = np.sin(axis)[None, :] * np.sin(axis)[:, None]
    strong, weak, faint = (
        measure_features(micrograph_of(picture, um_per_px), [white_cell(outline, nucleus)])[0]["cytoplasm_granularity"]
        for picture in (
            stained(outline, nucleus, 1 + 0.5 * waves, 245.0),
            stained(outline, nucleus, 1 + 0.25 * waves, 245.0),
            stained(outline, nucleus, 0.5 * (1 + 0.5 * waves), 245.0),
        )
    )
    assert strong == pytest.approx(0.12, abs=0.02)
    assert weak == pytest.approx(strong / 2, rel=0.15)
    assert faint == pytest.approx(strong, rel=0.15)


def test_a_field_without_glass_takes_its_brightest_pixels_for_it() -> None:
    outline = np.ones((60, 60), bool)
    nucleus = drawn(disc(2), 0.2, 6.0)
    picture = stained(outline, nucleus, np.ones(outline.shape), 250.0)
    (features,) = measure_features(micrograph_of(picture, 0.2), [white_cell(outline, nucleus)])
    assert features["nucleus_od_green"] == pytest.approx(0.6, abs=0.02)
    assert features["cytoplasm_od_green"] == pytest.approx(0.0, abs=0.02)


def test_of_a_cell_that_others_hide_nothing_is_measured() -> None:
    seen = white_cell(drawn(disc(3.6), 0.127, 5.0), None)
    hidden = replace(seen, outline=np.zeros_like(seen.outline))
    picture = micrograph_of(np.full((*seen.outline.shape, 3), 200, np.uint8), 0.127)
    assert measure_features(picture, [hidden, seen]) == ({}, outline_features(seen.outline, 0.127))


def test_red_cells_are_measured_by_their_outline_alone() -> None:
    outline = drawn(disc(3.6), 0.127, 5.0)
    red = white_cell(outline, None)
    (features,) = measure_features(micrograph_of(np.full((*outline.shape, 3), 200, np.uint8), 0.127), [red])
    assert features == outline_features(outline, 0.127)


@pytest.fixture(scope="module")
def simulated() -> dict[str, list[tuple[VisibleCell, dict[str, float]]]]:
    """Features of simulated white cells by class, measured on the outlines they were made with."""
    classes = {"segmented": 0.3, "band": 0.2, "lymphocyte": 0.25, "eosinophil": 0.25}
    smear = SmearSettings(seed=8, white_per_1000_rbc=120.0, red_cells_per_1000_um2=8.0, differential=classes)
    camera = SimulatedCameraSettings(smear=smear).open()
    found: dict[str, list[tuple[VisibleCell, dict[str, float]]]] = {}
    for _ in range(14):
        field = micrograph_of(camera.capture().pixels, 0.127)
        whole = [cell for cell in camera.truth if not cell.touches_border]
        instances = [
            CellInstance(
                cell.kind,
                1.0,
                cell.box,
                cell.outline,
                cell.nucleus if cell.kind is CellKind.WBC else None,
                1.0,
                1.0,
                touches_border=False,
            )
            for cell in whole
        ]
        for cell, features in zip(whole, measure_features(field, instances), strict=True):
            found.setdefault(cell.cell_class, []).append((cell, dict(features)))
    return found


Simulated = dict[str, list[tuple[VisibleCell, dict[str, float]]]]


def _median(simulated: Simulated, cell_class: str, name: str) -> float:
    """Of the cells in which it could be measured: thin cytoplasm has no granularity."""
    return float(np.median([features[name] for _, features in simulated[cell_class] if name in features]))


def _polygon(points: NDArray[np.float64]) -> tuple[float, float]:
    """Area and perimeter of a polygon, exactly."""
    after = np.roll(points, -1, axis=0)
    area = abs(float(np.sum(points[:, 0] * after[:, 1] - points[:, 1] * after[:, 0]))) / 2
    return area, float(np.hypot(*(after - points).T).sum())


def test_simulated_cells_have_the_size_and_edge_of_their_polygons(simulated: Simulated) -> None:
    seen = [one for cells in simulated.values() for one in cells if one[0].kind is CellKind.RBC]
    assert len(seen) > 100
    for cell, features in seen:
        area, perimeter = _polygon(cell.cell.outline_um)
        # The simulation's masks may take in the pixels on the polygon itself: half a pixel all around.
        rim = 0.127 / 2
        assert 0.985 * area < features["area_um2"] < 1.015 * (area + rim * perimeter)
        assert 0.95 * perimeter < features["perimeter_um"] < 1.03 * (perimeter + 2 * math.pi * rim)


def test_simulated_nuclei_have_their_area(simulated: Simulated) -> None:
    for cell, features in simulated["segmented"]:
        areas, perimeters = zip(*(_polygon(part) for part in cell.cell.nucleus_um), strict=True)
        assert 0.96 * sum(areas) < features["nucleus_area_um2"] < 1.02 * (sum(areas) + 0.127 / 2 * sum(perimeters))


def test_simulated_classes_differ_as_the_textbooks_say(simulated: Simulated) -> None:
    assert _median(simulated, "lymphocyte", "nc_ratio") > 1.5 * _median(simulated, "segmented", "nc_ratio")
    assert {features["nucleus_lobes"] for one in ("lymphocyte", "band") for _, features in simulated[one]} == {1}
    assert _median(simulated, "segmented", "nucleus_lobes") >= 3
    assert _median(simulated, "eosinophil", "nucleus_lobes") == 2
    eosinophil = _median(simulated, "eosinophil", "cytoplasm_granularity")
    assert eosinophil > 1.5 * _median(simulated, "lymphocyte", "cytoplasm_granularity")
    for name in ("segmented", "lymphocyte"):
        assert _median(simulated, name, "nucleus_od_red") > 2 * _median(simulated, name, "cytoplasm_od_red")
