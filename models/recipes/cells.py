"""Holds every labelled cell in memory at the classifier's scale and cuts training inputs from them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import simulated
from classifier_window import SIDE_PX, UM_PER_PX
from cut_outs import Mask, Outlines, read_transparent, spread
from scenes import Picture, read_rgb, resampled
from tables import KINDS, Crop, fields
from vocabulary import ARTEFACT, Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.cell_pictures import in_the_middle

CACHED_PX = 160
"""24 µm: the whole stored crop, so that a turned 19.2 µm window finds real pixels in all but its corners."""

CUT_OUT_COLLECTIONS = frozenset({"cnmc"})
"""Their pictures show nothing around the cell."""

WBC, PLATELET = KINDS.index("wbc"), KINDS.index("platelet")
CLEAR_OF_WBC_UM = 8.0
CLEAR_OF_PLATELET_UM = 3.0
SHIFT_UM = 1.2
"""How far, along each axis, the segmenter may miss the middle of a cell."""
WINDOWS_PER_FIELD, WINDOWS_PER_SIMULATED_FIELD = 2, 6
"""Labelled fields are many and cheap to read; simulated ones take longer to make."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cached picture (160, 160, 3) and the classes its label may mean: one, unless it is coarse."""

    picture: Picture
    collection: str
    label: str
    group: str
    classes: tuple[int, ...]
    mask: NDArray[np.uint8] | None = None
    """Packed bits (160 * 160 / 8) of the pixels that are its cell, where they are known."""
    cut_out: bool = False
    """Outside the mask there is no picture: the collection cut the cell out."""


def labelled_cells(crops: Sequence[Crop], vocabulary: Vocabulary, outlines: Outlines | None = None) -> list[Cell]:
    """Every crop whose label can be learnt, with its cell's mask where there is one."""
    found = []
    for crop in crops:
        classes = vocabulary.indices(crop.label)
        if not classes:
            continue
        if crop.collection in CUT_OUT_COLLECTIONS:
            picture, mask = _transparent(crop)
            found.append(Cell(picture, crop.collection, crop.label, crop.group, classes, np.packbits(mask), True))
        else:
            known = None if outlines is None else outlines.masks.get(crop.key)
            found.append(Cell(cached_picture(crop), crop.collection, crop.label, crop.group, classes, known))
    return found


def _transparent(crop: Crop) -> tuple[Picture, Mask]:
    """A cell that its collection cut out: a cached picture, black around the cell, and its mask."""
    read = read_transparent(str(crop.path))
    if read is None:
        raise ValueError(f"expected an alpha plane in {crop.path}, found none")
    picture, mask = read
    factor = crop.um_per_px / UM_PER_PX
    black = np.where(mask[..., None], picture, np.uint8(0))
    grown = resampled(mask.astype(np.uint8) * np.uint8(255), factor)
    height, width = grown.shape
    top, left = (CACHED_PX - height) // 2, (CACHED_PX - width) // 2
    if min(top, left) < 0:
        raise ValueError(f"expected at most {CACHED_PX} pixels a side in {crop.path}, found {width}x{height}")
    framed = np.zeros((CACHED_PX, CACHED_PX, 3), np.uint8)
    framed[top : top + height, left : left + width] = resampled(black, factor)
    shown = np.zeros((CACHED_PX, CACHED_PX), np.bool_)
    shown[top : top + height, left : left + width] = grown > 127
    return spread(framed, shown), shown


def cached_picture(crop: Crop) -> Picture:
    """The crop's cell in the middle of (160, 160, 3) pixels of 0.15 µm."""
    picture = in_the_middle(read_rgb(str(crop.path)), crop.mask, crop.centre)
    return _middle(resampled(picture, crop.um_per_px / UM_PER_PX))


def picture_around(picture: Picture, x: float, y: float, um_per_px: float) -> Picture:
    """(160, 160, 3) pixels of 0.15 µm around a point of a field."""
    return _middle(resampled(in_the_middle(picture, None, (x, y)), um_per_px / UM_PER_PX))


def _middle(picture: Picture) -> Picture:
    """The middle 160 x 160 pixels; a smaller picture is mirrored outwards."""
    height, width = picture.shape[:2]
    down, across = (CACHED_PX - height) / 2, (CACHED_PX - width) / 2
    if height < CACHED_PX or width < CACHED_PX:
        return _warped(picture, np.array([[1.0, 0.0, across], [0.0, 1.0, down]]), CACHED_PX)
    top, left = round(-down), round(-across)
    return picture[top : top + CACHED_PX, left : left + CACHED_PX]


def artefact_cells(count: int, seed: int, vocabulary: Vocabulary) -> list[Cell]:
    """Windows of training fields on red cells (two of three) or nothing, no white cell or platelet near."""
    rng = np.random.default_rng(seed)
    found: list[Cell] = []
    classes = vocabulary.indices(ARTEFACT)
    for collection in ("deepbionet", "txl"):
        chosen = fields(collection, "train")
        rng.shuffle(chosen)
        taken = 0
        for field in chosen:
            boxes = np.array([[b.xmin, b.ymin, b.xmax, b.ymax] for b in field.boxes], dtype=np.float32)
            kinds = np.array([b.kind for b in field.boxes], dtype=np.intp)
            for picture in _empty_windows(
                read_rgb(str(field.path)), field.um_per_px, boxes, kinds, WINDOWS_PER_FIELD, rng
            ):
                found.append(Cell(picture, "fields", ARTEFACT, field.name, classes))
                taken += 1
            if taken >= count // 2:
                break
    return found


def simulated_artefact_cells(count: int, seed: int, vocabulary: Vocabulary) -> list[Cell]:
    """The same from simulated fields, for who has no labelled ones."""
    rng = np.random.default_rng(seed)
    found: list[Cell] = []
    classes = vocabulary.indices(ARTEFACT)
    for index, camera in enumerate(simulated.cameras(count // WINDOWS_PER_SIMULATED_FIELD)):
        pixels = camera.capture().pixels
        boxes = np.array([cell.box.as_xyxy() for cell in camera.truth], dtype=np.float32)
        kinds = np.array([KINDS.index(cell.kind.value) for cell in camera.truth], dtype=np.intp)
        for picture in _empty_windows(pixels, simulated.UM_PER_PX, boxes, kinds, WINDOWS_PER_SIMULATED_FIELD, rng):
            found.append(Cell(picture, "simulated", ARTEFACT, f"simulated-{index}", classes))
    return found


def _empty_windows(
    picture: Picture,
    um_per_px: float,
    boxes: NDArray[np.float32],
    kinds: NDArray[np.intp],
    most: int,
    rng: np.random.Generator,
) -> list[Picture]:
    factor = um_per_px / UM_PER_PX
    picture = resampled(picture, factor)
    boxes = boxes.reshape(-1, 4) * np.float32(factor)
    height, width = picture.shape[:2]
    margin = SIDE_PX // 3
    windows: list[Picture] = []
    red = boxes[kinds == 0]
    for _ in range(6 * most):
        if len(red) and rng.random() < 0.67:
            x0, y0, x1, y1 = red[rng.integers(len(red))]
            x, y = float(x0 + x1) / 2, float(y0 + y1) / 2
        else:
            x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
        inside = margin <= x <= width - margin and margin <= y <= height - margin
        white, small = boxes[kinds == WBC], boxes[kinds == PLATELET]
        if not inside or _nearest_um(white, x, y) < CLEAR_OF_WBC_UM or _nearest_um(small, x, y) < CLEAR_OF_PLATELET_UM:
            continue
        shift = np.array([[1.0, 0.0, CACHED_PX / 2 - x], [0.0, 1.0, CACHED_PX / 2 - y]])
        windows.append(_warped(picture, shift, CACHED_PX))
        if len(windows) == most:
            break
    return windows


def _nearest_um(boxes: NDArray[np.float32], x: float, y: float) -> float:
    if len(boxes) == 0:
        return float("inf")
    across = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0.0)
    down = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0.0)
    return float(np.hypot(across, down).min()) * UM_PER_PX


def centred(picture: Picture) -> Picture:
    """The middle 128 x 128 pixels of a cached picture, as the device would cut them."""
    start = (picture.shape[0] - SIDE_PX) // 2
    return picture[start : start + SIDE_PX, start : start + SIDE_PX]


def jostled(picture: Picture, rng: np.random.Generator, enlarged: float = 1.0) -> Picture:
    """A 128 x 128 input, turned, flipped, `enlarged` and rescaled by ±10 %, shifted as far as the segmenter errs."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    scale = enlarged * float(np.exp(rng.uniform(-0.10, 0.10)))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    turn = scale * np.array([[np.cos(angle) * flip, -np.sin(angle)], [np.sin(angle) * flip, np.cos(angle)]])
    shift = rng.uniform(-SHIFT_UM, SHIFT_UM, 2) / UM_PER_PX
    middle_in = np.full(2, (picture.shape[0] - 1) / 2)
    middle_out = np.full(2, (SIDE_PX - 1) / 2)
    return _warped(picture, np.column_stack([turn, middle_out + shift - turn @ middle_in]), SIDE_PX)


def enlarged(picture: Picture, factor: float) -> Picture:
    """As many pixels, with the middle shown larger."""
    middle = np.full(2, (picture.shape[0] - 1) / 2)
    turn = factor * np.eye(2)
    return _warped(picture, np.column_stack([turn, middle - turn @ middle]), picture.shape[0])


def with_cutout(picture: Picture, rng: np.random.Generator) -> Picture:
    """A small square of the picture hidden under its median colour, so that no single spot decides."""
    side = int(rng.integers(9, 30))
    x, y = (int(v) for v in rng.integers(0, SIDE_PX - side, 2))
    hidden = picture.copy()
    hidden[y : y + side, x : x + side] = np.median(picture[::4, ::4].reshape(-1, 3), axis=0)
    return hidden


def _warped(picture: Picture, matrix: NDArray[np.float64], side: int) -> Picture:
    return np.asarray(
        cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
        dtype=np.uint8,
    )
