"""Pictures of the doubtful cells are taken, and they are small enough."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from leukoscope.counting.gallery import MOST_BYTES, CellSettings, Gallery, encode_webp, picture_of
from leukoscope.counting.outline_polygon import MOST_CORNERS, polygon_of
from leukoscope.specimen.cell import Box
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.field import Flaw
from leukoscope.web.measures import measured
from tests.counting.test_tally import tally_of, white
from tests.drawings import cell, counted, discs, micrograph_of, rejected


def sure(confidence, **keywords):
    return replace(white("blast", **keywords), confidence=confidence)


def message(*confidences, field=1):
    """Records of cells side by side in one field."""
    return [
        CellRecord(number, field, "blast", one, (40 * number, 50, 40 * number + 36, 86))
        for number, one in enumerate(confidences)
    ]


def side_by_side(*confidences):
    return counted(*(sure(one, col=40 * number) for number, one in enumerate(confidences)))


def test_the_least_sure_cells_are_pictured_in_the_order_of_their_numbers():
    gallery = Gallery(CellSettings(pictures=2))
    sureness = (0.9, 0.4, 0.8, 0.3, 0.95)
    gallery.add(side_by_side(*sureness), 1)
    assert [one.number for one, _ in gallery.pictures(message(*sureness))] == [1, 3]


def test_the_picture_is_from_the_field_that_shows_the_cell_best():
    gallery = Gallery(CellSettings(pictures=9))
    for number, shade in ((1, 90), (2, 40)):
        field = replace(side_by_side(0.5), micrograph=micrograph_of(discs([(68, 18)], shade=shade)))
        gallery.add(field, number)
    ((_, picture),) = gallery.pictures(message(0.5, field=2))
    shown = np.asarray(Image.open(io.BytesIO(picture.webp)).convert("L"), dtype=int)
    assert shown[27, 20] < 65


def test_red_cells_cut_cells_and_refused_fields_are_not_pictured():
    gallery = Gallery(CellSettings(pictures=9))
    cut = white("blast", col=0, touches_border=True)
    gallery.add(counted(cell(), cut), 1)
    gallery.add(rejected(Flaw.EMPTY), 2)
    assert gallery.pictures([CellRecord(1, 1, "rbc", 0.9, cell().instance.box.as_xyxy())]) == []


def test_without_pictures_in_the_settings_none_is_taken():
    gallery = Gallery(CellSettings())
    gallery.add(side_by_side(0.2), 1)
    assert gallery.pictures(message(0.2)) == []


def test_the_tally_tells_each_named_white_cell_once():
    field = counted(white("blast"), cell(), white("unsure"), white("smudge", col=0, touches_border=True))
    records = tally_of(field, field).white_cell_records()
    assert [(one.field, one.cell_class) for one in records] == [
        (1, "blast"), (1, "unsure"), (2, "blast"), (2, "unsure"),
    ]  # fmt: skip
    assert [one.number for one in records] == [1, 2, 3, 4]
    assert records[0].box == (50, 50, 86, 86)


def test_a_picture_shows_the_cell_and_what_is_around_it():
    micrograph = micrograph_of(discs([(100, 150)], radius=18))
    picture = picture_of(micrograph, Box(82, 132, 118, 168))
    shown = np.asarray(Image.open(io.BytesIO(picture.webp)).convert("L"), dtype=int)
    assert (picture.width, picture.height, picture.um_per_px) == (54, 54, 0.2)
    assert shown.shape == (54, 54)
    assert shown[27, 27] < 120
    assert shown[3, 3] > 200


@pytest.mark.parametrize(("radius", "um_per_px"), [(18, 0.2), (90, 0.05)])
def test_a_picture_carries_the_outline_of_the_cell_in_its_own_pixels(radius, um_per_px):
    micrograph = micrograph_of(discs([(200, 250)], size=(400, 500), radius=radius), um_per_px)
    rows, cols = np.mgrid[: 2 * radius, : 2 * radius] + 0.5
    outline = (rows - radius) ** 2 + (cols - radius) ** 2 <= radius**2
    box = Box(200 - radius, 250 - radius, 200 + radius, 250 + radius)
    picture = picture_of(micrograph, box, outline)
    assert 8 <= len(picture.outline) <= MOST_CORNERS
    found = np.asarray(picture.outline)
    reach = radius * um_per_px / picture.um_per_px
    distances = np.hypot(*(found - [picture.width / 2, picture.height / 2]).T)
    assert distances == pytest.approx(reach, abs=1.0)
    measures = measured(picture.outline, picture.um_per_px)
    assert measures.area_um2 == pytest.approx(np.pi * (radius * um_per_px) ** 2, rel=0.05)
    assert measures.diameter_um == pytest.approx(2 * radius * um_per_px, rel=0.03)
    assert measures.roundness > 0.95


def test_an_outline_however_ragged_is_bounded_and_one_of_a_few_pixels_is_none():
    ragged = np.random.default_rng(2).random((120, 120)) < 0.7
    assert 3 <= len(polygon_of(ragged)) <= MOST_CORNERS
    assert polygon_of(np.zeros((9, 9), dtype=bool)) == []
    # Two parts: the larger one is the cell.
    parts = np.zeros((40, 40), dtype=bool)
    parts[2:6, 2:6] = parts[10:38, 10:38] = True
    assert min(x for x, _ in polygon_of(parts)) > 9


def test_measures_are_those_of_the_figure():
    square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    measures = measured(square, 0.5)
    assert measures.area_um2 == 25.0
    assert measures.diameter_um == pytest.approx(5.642, abs=0.001)
    assert measures.roundness == pytest.approx(np.pi / 4)
    assert measured([], 0.5) is None


def test_a_cell_at_the_edge_is_cut_there():
    picture = picture_of(micrograph_of(discs([])), Box(0, 0, 40, 40))
    assert (picture.width, picture.height) == (50, 50)


@pytest.mark.parametrize("side", [20, 160, 700])
def test_even_noise_is_made_to_fit(side):
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    picture = encode_webp(noise, 0.1)
    assert len(picture.webp) <= MOST_BYTES
    shown = Image.open(io.BytesIO(picture.webp))
    assert shown.size == (picture.width, picture.height)
    assert picture.um_per_px == pytest.approx(0.1 * side / picture.width)


def test_the_number_of_pictures_is_bounded():
    gallery = Gallery(CellSettings(pictures=3))
    for number in range(1, 11):
        gallery.add(side_by_side(0.5, 0.6), number)
    records = [one for number in range(1, 11) for one in message(0.5, 0.6, field=number)]
    assert len(gallery.pictures(records)) == 3
    assert len(gallery._pictures) == 6
