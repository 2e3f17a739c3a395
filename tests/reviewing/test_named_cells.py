"""Wherever a cell lay in its field, and however large its picture was, it is taught from the middle and to scale."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.counting.gallery import picture_of
from leukoscope.outbox.cell_pictures import KeptPicture
from leukoscope.reviewing.named_cells import SIDE_PX, UM_PER_PX, write_named
from leukoscope.specimen.cell import Box
from tests.drawings import discs, micrograph_of


def kept(
    centre: tuple[int, int] = (120, 160),
    *,
    radius_px: int = 30,
    um_per_px: float = 0.127,
    name: str = "blast",
    by_person: bool = True,
) -> KeptPicture:
    """The picture that a device keeps of a dark disc in a field of 240x320 pixels."""
    micrograph = micrograph_of(discs([centre], radius=radius_px, shade=40), um_per_px=um_per_px)
    row, col = centre
    box = Box(row - radius_px, col - radius_px, row + radius_px, col + radius_px)
    picture = picture_of(micrograph, box)
    return KeptPicture(7, name, by_person, picture.webp, box, picture.um_per_px)


@pytest.mark.parametrize("down", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("across", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("radius_px", "um_per_px"), [(30, 0.127), (60, 0.127), (60, 0.0706), (24, 0.2)])
def test_a_cell_is_in_the_middle_and_of_its_size(
    down: float, across: float, radius_px: int, um_per_px: float, tmp_path: Path
) -> None:
    row, col = (round(radius_px + at * (side - 2 * radius_px)) for at, side in ((down, 240), (across, 320)))
    assert write_named([kept((row, col), radius_px=radius_px, um_per_px=um_per_px)], um_per_px, tmp_path, "S-1") == 1
    with Image.open(tmp_path / "blast" / "S-1" / "cell-00007.png") as picture:
        shown = np.asarray(picture.convert("L"), dtype=int)
    assert shown.shape == (SIDE_PX, SIDE_PX)
    radius = radius_px * um_per_px / UM_PER_PX
    rows, cols = np.indices(shown.shape) + 0.5 - SIDE_PX / 2
    # A cell at the very edge of its field is mirrored there: only what the field showed is compared.
    showed = (np.sign(rows) != 2 * down - 1) & (np.sign(cols) != 2 * across - 1)
    away = np.hypot(rows, cols)
    assert (shown[showed & (away < radius - 2)] < 120).all()
    assert (shown[showed & (away > radius + 2) & (away < 1.4 * radius)] > 120).all()


def test_a_cell_with_another_name_by_now_does_not_teach_both(tmp_path: Path) -> None:
    other = tmp_path / "blast" / "S-2" / "cell-00007.png"
    for name, specimen in (("blast", "S-1"), ("blast", "S-2"), ("lymphocyte", "S-1")):
        write_named([kept(name=name)], 0.127, tmp_path, specimen)
    assert set(tmp_path.rglob("*.png")) == {other, tmp_path / "lymphocyte" / "S-1" / "cell-00007.png"}


def test_nobodys_word_teaches_nothing(tmp_path: Path) -> None:
    unnamed = kept(by_person=False)
    awaiting_redelivery = kept(name="unsure")
    assert write_named([unnamed, awaiting_redelivery], 0.127, tmp_path, "S-1") == 0
    assert list(tmp_path.iterdir()) == []
