"""Cells as another slide, or a bench's reference, would show them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cells import CACHED_PX, Cell, enlarged
from classifier_window import UM_PER_PX
from slides import EXPECTED_DIAMETER_UM, FEWEST_MEASURED, MOST_ENLARGED, Slides, by_reference


def cell(diameter_um: float, collection: str, label: str = "lymphocyte") -> Cell:
    """A dark disc in the middle, and its mask."""
    picture = np.full((CACHED_PX, CACHED_PX, 3), 240, np.uint8)
    middle, radius = CACHED_PX // 2, round(diameter_um / UM_PER_PX / 2)
    cv2.circle(picture, (middle, middle), radius, (90, 60, 130), cv2.FILLED)
    return Cell(picture, collection, label, "g", (0,), np.packbits(dark(picture)))


def dark(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(picture[:, :, 1] < 150)


def diameter_um(picture: NDArray[np.uint8]) -> float:
    return float(2 * np.sqrt(dark(picture).sum() / np.pi)) * UM_PER_PX


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_a_cell_is_enlarged_about_the_middle(factor: float) -> None:
    shown = enlarged(cell(10.0, "a").picture, factor)
    assert shown.shape == (CACHED_PX, CACHED_PX, 3)
    assert diameter_um(shown) == pytest.approx(10.0 * factor, rel=0.02)
    rows, cols = np.nonzero(dark(shown))
    assert (rows.mean(), cols.mean()) == pytest.approx((CACHED_PX // 2, CACHED_PX // 2), abs=1.0)


def test_a_laboratory_is_shown_as_its_reference_brings_its_median_to_what_is_expected() -> None:
    measured = [cell(12.5, "small") for _ in range(FEWEST_MEASURED)] + [
        cell(8.0, "tiny") for _ in range(FEWEST_MEASURED)
    ]
    measured += [cell(8.0, "few") for _ in range(FEWEST_MEASURED - 1)]
    shown = by_reference([cell(10.0, name) for name in ("small", "tiny", "few", "unknown")], measured)
    factors = [diameter_um(one.picture) / 10.0 for one in shown]
    assert factors == pytest.approx([EXPECTED_DIAMETER_UM / 12.5, MOST_ENLARGED, 1.0, 1.0], rel=0.03)


def test_cells_whose_scale_was_assumed_are_mostly_shown_larger_than_it_says() -> None:
    slides = Slides([], np.random.default_rng(5), {"assumed": 1.4})
    shown = np.array([slides.enlarged(cell(9.0, "assumed")) for _ in range(400)])
    assert shown.min() >= 1.0
    assert shown.max() <= 1.4
    assert np.median(shown) > 1.2
    assert slides.enlarged(cell(9.0, "measured")) == 1.0
