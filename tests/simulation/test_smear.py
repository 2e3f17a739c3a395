import json

import numpy as np
import pytest
from pydantic import ValidationError

from leukoscope.simulation.noise import generator
from leukoscope.simulation.simulated_red_cells import grow_red_cell
from leukoscope.simulation.simulated_white_cells import grow_white_cell
from leukoscope.simulation.smear import NORMAL_DIFFERENTIAL, TILE_UM, Smear, SmearSettings
from leukoscope.simulation.white_classes import WHITE_CLASSES
from leukoscope.specimen.cell import CellKind


def area(points):
    x, y = points[:, 0], points[:, 1]
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def diameter(points):
    return 2 * np.sqrt(area(points) / np.pi)


def facts(cells):
    return {c.id: (c.kind, c.cell_class, c.x_um, c.y_um, c.body.outline_um.tobytes()) for c in cells}


@pytest.fixture(scope="module")
def plain():
    return Smear(SmearSettings(seed=3)).cells_in(0, 0, 400, 300)


def test_the_same_seed_is_the_same_slide_cell_by_cell():
    one, other = (Smear(SmearSettings(seed=5, white_per_1000_rbc=30)) for _ in range(2))
    assert facts(one.cells_in(-50, 20, 70, 110)) == facts(other.cells_in(-50, 20, 70, 110))


def test_another_seed_is_another_slide():
    one, other = (Smear(SmearSettings(seed=seed)) for seed in (5, 6))
    assert facts(one.cells_in(0, 0, 60, 60)) != facts(other.cells_in(0, 0, 60, 60))


def test_the_order_in_which_places_are_visited_changes_nothing():
    settings = SmearSettings(seed=8, white_per_1000_rbc=20)
    one, other = Smear(settings), Smear(settings)
    for x in (500, -300, 90):
        other.cells_in(x, x, x + 80, x + 60)
    assert facts(one.cells_in(0, 0, 80, 60)) == facts(other.cells_in(0, 0, 80, 60))


def test_a_cell_on_a_tile_seam_is_found_once_and_from_both_sides():
    smear = Smear(SmearSettings(seed=2))
    near = smear.cells_in(TILE_UM - 20, 0, TILE_UM + 20, 3 * TILE_UM)
    assert len({cell.id for cell in near}) == len(near)
    across = [c for c in near if abs(c.x_um - TILE_UM) < 2]
    assert across, "expected cells on the seam"
    left = facts(smear.cells_in(TILE_UM - 30, 0, TILE_UM, 3 * TILE_UM))
    right = facts(smear.cells_in(TILE_UM, 0, TILE_UM + 30, 3 * TILE_UM))
    for cell in across:
        assert left[cell.id] == right[cell.id]


def test_seams_between_tiles_are_neither_empty_nor_crowded():
    cells = Smear(SmearSettings(seed=4, unevenness=0)).cells_in(0, 0, 20 * TILE_UM, 6 * TILE_UM)
    red = np.array([(c.x_um, c.y_um) for c in cells if c.kind is CellKind.RBC])
    from_seam = np.abs((red[:, 0] + TILE_UM / 2) % TILE_UM - TILE_UM / 2)
    beside, inside = np.mean(from_seam < 6) / (12 / TILE_UM), np.mean(from_seam > 18) / (12 / TILE_UM)
    assert beside == pytest.approx(inside, rel=0.12)


def test_the_memory_of_a_long_walk_is_bounded():
    smear = Smear(SmearSettings(seed=1, red_cells_per_1000_um2=1))
    for step in range(60):
        smear.cells_in(step * 200, 0, step * 200 + 80, 60)
    assert len(smear._tiles) <= 128
    assert len(smear._seeds) <= 256


def test_red_cells_are_as_dense_and_as_large_as_asked(plain):
    inside = [c for c in plain if c.kind is CellKind.RBC and 0 <= c.x_um < 400 and 0 <= c.y_um < 300]
    assert len(inside) == pytest.approx(12 * 120, rel=0.25)
    sizes = np.array([diameter(c.body.outline_um) for c in inside if c.body.shape == "round"])
    assert sizes.mean() == pytest.approx(7.2, abs=0.1)
    assert sizes.std() / sizes.mean() == pytest.approx(0.065, abs=0.015)


def test_the_share_of_irregular_red_cells_is_as_asked():
    cells = Smear(SmearSettings(seed=3, irregular_share=0.4)).cells_in(0, 0, 300, 300)
    red = [c for c in cells if c.kind is CellKind.RBC]
    irregular = [c for c in red if c.body.shape != "round"]
    assert len(irregular) / len(red) == pytest.approx(0.4, abs=0.06)


def test_an_irregular_cell_is_less_round_than_a_round_one():
    def roundness(share):
        cells = [grow_red_cell(generator(number), 7.2, 0.0, share).outline_um for number in range(40)]
        edges = [np.linalg.norm(np.diff(points, axis=0, append=points[:1]), axis=1).sum() for points in cells]
        return np.median([4 * np.pi * area(p) / e**2 for p, e in zip(cells, edges, strict=True)])

    assert roundness(0.0) > 0.97
    assert roundness(1.0) < 0.93


def test_the_differential_is_the_one_asked_for():
    asked = {"blast": 0.6, "lymphocyte": 0.4}
    settings = SmearSettings(seed=9, differential=asked, white_per_1000_rbc=60)
    white = [c for c in Smear(settings).cells_in(0, 0, 700, 500) if c.kind is CellKind.WBC]
    assert {c.cell_class for c in white} == set(asked)
    assert np.mean([c.cell_class == "blast" for c in white]) == pytest.approx(0.6, abs=0.1)


def test_white_cells_are_as_rare_as_asked():
    cells = Smear(SmearSettings(seed=4, white_per_1000_rbc=40)).cells_in(0, 0, 600, 500)
    white, red = (sum(c.kind is kind for c in cells) for kind in (CellKind.WBC, CellKind.RBC))
    assert 1000 * white / red == pytest.approx(40, rel=0.3)


def test_platelets_are_as_many_as_asked():
    cells = Smear(SmearSettings(seed=4, platelets_per_rbc=0.2)).cells_in(0, 0, 400, 400)
    platelets, red = (sum(c.kind is kind for c in cells) for kind in (CellKind.PLATELET, CellKind.RBC))
    assert platelets / red == pytest.approx(0.2, rel=0.25)


def test_no_red_cell_hides_under_a_white_cell():
    settings = SmearSettings(seed=11, white_per_1000_rbc=40, red_cells_per_1000_um2=15)
    cells = Smear(settings).cells_in(0, 0, 300, 300)
    white = [c for c in cells if c.kind is CellKind.WBC]
    assert white
    for cell in white:
        reach = diameter(cell.body.outline_um) / 2
        for red in (c for c in cells if c.kind is CellKind.RBC):
            assert np.hypot(red.x_um - cell.x_um, red.y_um - cell.y_um) > 0.6 * reach


@pytest.mark.parametrize("cell_class", WHITE_CLASSES)
def test_each_white_class_has_its_textbook_size_and_a_nucleus_inside(cell_class):
    low, high = WHITE_CLASSES[cell_class].diameter_um
    for number in range(6):
        cell = grow_white_cell(generator(number), cell_class)
        size = diameter(cell.outline_um)
        assert cell.nucleus_um
        nucleus = sum(area(part) for part in cell.nucleus_um)
        assert 0.1 < nucleus / area(cell.outline_um) <= 1.0
        if cell_class != "smudge":
            assert 0.9 * low < size < 1.1 * high


def test_nuclei_have_the_forms_that_tell_the_classes_apart():
    def solidity(cell_class):
        hulls = []
        for number in range(12):
            parts = grow_white_cell(generator(number), cell_class).nucleus_um
            points = np.concatenate(parts)
            hulls.append(sum(area(part) for part in parts) / convex_area(points))
        return np.mean(hulls)

    assert solidity("segmented") < solidity("metamyelocyte") < solidity("lymphocyte")
    assert solidity("band") < solidity("metamyelocyte")

    def filling(cell_class):
        cells = [grow_white_cell(generator(number), cell_class) for number in range(12)]
        return np.mean([sum(map(area, c.nucleus_um)) / area(c.outline_um) for c in cells])

    assert filling("erythroblast") < filling("myelocyte") < filling("blast")


def convex_area(points):
    from scipy.spatial import ConvexHull

    return ConvexHull(points).volume


def test_an_unknown_class_is_refused_by_name():
    with pytest.raises(ValidationError, match="no such class: plasma; choose from segmented"):
        SmearSettings(differential={"plasma": 1.0})


@pytest.mark.parametrize("shares", [{}, {"blast": 0.0}, {"blast": -1.0, "band": 2.0}])
def test_a_differential_without_any_cells_is_refused(shares):
    with pytest.raises(ValidationError, match="at least one must be above 0"):
        SmearSettings(differential=shares)


def test_a_misspelt_setting_is_refused():
    with pytest.raises(ValidationError, match="whites"):
        SmearSettings.model_validate({"whites": 3})


def test_the_settings_survive_json():
    settings = SmearSettings(seed=7, differential={"blast": 1.0})
    assert SmearSettings.model_validate(json.loads(settings.model_dump_json())) == settings


def test_a_healthy_differential_adds_up():
    assert sum(NORMAL_DIFFERENTIAL.values()) == pytest.approx(1)


def test_a_slide_without_cells_is_empty():
    smear = Smear(SmearSettings(red_cells_per_1000_um2=0))
    assert smear.cells_in(0, 0, 200, 200) == []
