from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.cell_pictures import READ_BY_EYE, centred_on, in_the_middle, read_by_eye
from evaluation.copies import COPY, likeness, spectra
from evaluation.points_table import points_in_own_box

ROWS, COLS = 60, 80


def mask_at(folder: Path, row: int, col: int) -> Path:
    """A mask of 10 x 10 pixels whose upper left corner is there."""
    mask = np.zeros((ROWS, COLS), dtype=np.uint8)
    mask[row : row + 10, col : col + 10] = 128
    path = folder / "mask.png"
    assert cv2.imwrite(str(path), mask)
    return path


@pytest.mark.parametrize(("row", "col"), [(25, 35), (3, 4), (50, 70)])
def test_the_cell_of_a_mask_comes_to_the_middle(tmp_path: Path, row: int, col: int) -> None:
    mask = mask_at(tmp_path, row, col)
    picture = np.zeros((ROWS, COLS, 3), dtype=np.uint8)
    picture[row : row + 10, col : col + 10] = 200
    moved = centred_on(picture, mask)
    assert moved.shape == picture.shape
    assert (moved[25:35, 35:45] == 200).all()


def test_the_cell_of_a_point_comes_to_the_middle() -> None:
    picture = np.zeros((ROWS, COLS, 3), dtype=np.uint8)
    picture[5, 7] = 200
    assert (in_the_middle(picture, None, (7, 5))[ROWS // 2, COLS // 2] == 200).all()
    assert in_the_middle(picture, None, None) is picture


def test_no_cell_named_by_eye_is_in_training_and_validation_at_once() -> None:
    train, val = (list(read_by_eye(split)) for split in ("train", "val"))
    assert not {row["group"] for row in train} & {row["group"] for row in val}
    for name in READ_BY_EYE:
        assert sum(name in row["image"] for row in train) > sum(name in row["image"] for row in val) > 50


def test_a_mask_that_does_not_fit_is_named(tmp_path: Path) -> None:
    mask = mask_at(tmp_path, 5, 5)
    with pytest.raises(ValueError, match=r"expected a mask of 30x20 pixels in .*mask\.png, found 80x60"):
        centred_on(np.zeros((20, 30, 3), dtype=np.uint8), mask)
    with pytest.raises(ValueError, match="found no picture"):
        centred_on(np.zeros((20, 30, 3), dtype=np.uint8), tmp_path / "none.png")
    cv2.imwrite(str(mask), np.zeros((ROWS, COLS), dtype=np.uint8))
    with pytest.raises(ValueError, match="expected a cell in the mask"):
        centred_on(np.zeros((ROWS, COLS, 3), dtype=np.uint8), mask)


def test_a_box_is_for_one_point_alone() -> None:
    boxes = [(0, 0, 10, 10), (8, 0, 18, 10)]
    assert points_in_own_box([(5, 5), (6, 5)], boxes) == 1
    assert points_in_own_box([(9, 5), (9, 6)], boxes) == 2
    assert points_in_own_box([(30, 5)], boxes) == 0
    assert points_in_own_box([(5, 5)], []) == 0
    assert points_in_own_box([], boxes) == 0


def test_a_cell_that_was_turned_mirrored_and_recoloured_is_a_copy() -> None:
    rng = np.random.default_rng(5)
    one, other = (
        cv2.GaussianBlur(rng.integers(0, 256, (160, 160, 3)).astype(np.uint8), (0, 0), 9).astype(np.uint8) * 4
        for _ in range(2)
    )
    copy = 255 - np.ascontiguousarray(np.rot90(one, 3)[::-1]) // 2
    found = likeness(spectra([(copy, 0.15), (other, 0.15)]), spectra([(one, 0.15), (255 - one, 0.15)]))
    assert found[0] >= COPY
    assert found[1] < 0.5
