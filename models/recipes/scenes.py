"""Holds every training field in memory, with what is known of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

import pseudo_masks
import pseudo_nuclei
import simulated
from segmenter_grid import PLANES
from tables import COMPLETE, KINDS, Field, Masked, fields, masks

CACHED_UM_PER_PX = 0.20
"""Finer than the network's scale, so that cutting tiles 20 % finer still starts from real detail."""

SIMULATED = 60
"""Simulated fields; the training's own changes of stain and lamp make each one look different every time."""

BOXED = ("deepbionet", "txl", "aslan", "thesis", "taleqani")
DRAWN = ("bccd", "krd_wbc", "seg_wbc", "sigtuple")
SMALL = {"seg_wbc": 3, "sigtuple": 3, "aslan": 2}
"""Their pictures are smaller than a tile: so many are put side by side."""

WBC, PLATELET = 1, 2
ANY, WHITE, NUCLEUS = range(len(PLANES))
CELLS = len(PLANES)
"""A further bit of `known`: unset where a doubtful box may or may not hold a cell."""
_LABELLED = np.uint8(1 << CELLS)
EVERYTHING = (1 << len(PLANES) + 1) - 1
BLOCK_UM = 1.0
"""Sigtuple's masks were drawn in blocks of this size: within half of it from their edge nothing is known."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """One cached picture.

    `known` and `truth` are bit fields per pixel, one bit per mask plane; `known` has another one, CELLS, where
    the labels of cells hold. `boxes` are (cells, 4) in cached pixels. `complete` are the kinds of which every
    cell is boxed.
    """

    name: str
    collection: str
    um_per_px: float
    picture: Picture
    boxes: NDArray[np.float32]
    kinds: NDArray[np.intp]
    truth: Picture
    known: Picture
    complete: frozenset[int]


def read_rgb(path: str) -> Picture:
    """An RGB picture (height, width, 3)."""
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(path)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def read_mask(path: str) -> Picture:
    """A grey picture (height, width)."""
    mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise FileNotFoundError(path)
    return np.asarray(mask, dtype=np.uint8)


def resampled(picture: Picture, factor: float) -> Picture:
    """A picture `factor` times as large: averaged when it shrinks, interpolated when it grows."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)


def boxed_scene(field: Field, drawn: Picture | None = None) -> Scene:
    """A field with boxed cells; its masks are guessed, but for white cells that `drawn` shows whole."""
    factor = min(1.0, field.um_per_px / CACHED_UM_PER_PX)
    picture = resampled(read_rgb(str(field.path)), factor)
    boxes = np.array([[b.xmin, b.ymin, b.xmax, b.ymax] for b in field.boxes], dtype=np.float32) * factor
    kinds = np.array([b.kind for b in field.boxes], dtype=np.intp)
    shape = picture.shape[:2]
    guess = pseudo_masks.guess(picture, boxes, kinds, COMPLETE[field.collection])
    white, white_unknown = guess.white_cell, guess.white_unknown
    outline = np.zeros(shape, dtype=bool) if drawn is None else _shrunk_mask(drawn, shape)
    cells = []
    for box in boxes[kinds == WBC]:
        inside = _boxed(shape, box[None])
        if (outline & inside).sum() > 0.3 * inside.sum():
            white = np.where(inside, outline, white)
            white_unknown = white_unknown & ~inside
        cells.append(white & inside)
    nuclei = pseudo_nuclei.guess(picture, cells)
    truth = _bits(guess.any_cell | white, white, nuclei.nucleus)
    known = _bits(~guess.any_unknown | white, ~white_unknown, ~(nuclei.unknown | white_unknown)) | _LABELLED
    doubtful = np.array([[b.xmin, b.ymin, b.xmax, b.ymax] for b in field.doubtful], dtype=np.float32) * factor
    known[_boxed(shape, doubtful)] = 0
    return Scene(
        name=field.name,
        collection=field.collection,
        um_per_px=field.um_per_px / factor,
        picture=picture,
        boxes=boxes,
        kinds=kinds,
        truth=truth,
        known=known,
        complete=COMPLETE[field.collection],
    )


def white_cell_scene(masked: Masked) -> Scene:
    """A picture with its white cells drawn whole; nuclei are guessed, but in `seg_wbc`, which draws them too."""
    factor = min(1.0, masked.um_per_px / CACHED_UM_PER_PX)
    picture = resampled(read_rgb(str(masked.path)), factor)
    drawn = read_mask(str(masked.mask))
    cell = _shrunk_mask(drawn, picture.shape[:2])
    boxes = _boxes_of(cell)
    if masked.collection == "seg_wbc":
        drawn_nucleus = _shrunk_mask((drawn > 200).astype(np.uint8), cell.shape)
        nuclei = pseudo_nuclei.Nuclei(drawn_nucleus, np.zeros_like(cell))
    else:
        nuclei = pseudo_nuclei.guess(picture, [cell & _boxed(cell.shape, box[None]) for box in boxes])
    truth = _bits(cell, cell, nuclei.nucleus)
    # Red cells are not drawn here, so `any cell` is known inside the white cells only.
    known = _bits(cell, np.ones_like(cell), ~nuclei.unknown) | _LABELLED
    if masked.collection == "sigtuple":
        known[_rim(cell, BLOCK_UM / 2 / (masked.um_per_px / factor))] &= _LABELLED
    kinds = np.full(len(boxes), WBC, dtype=np.intp)
    um_per_px = masked.um_per_px / factor
    white = frozenset({WBC})
    return Scene(masked.name, masked.collection, um_per_px, picture, boxes, kinds, truth, known, white)


def simulated_scenes(count: int) -> list[Scene]:
    """Simulated fields, whose masks are exact, nuclei included."""
    return [_simulated_scene(camera, f"simulated-{index}") for index, camera in enumerate(simulated.cameras(count))]


def _simulated_scene(camera: simulated.SimulatedCamera, name: str) -> Scene:
    frame = camera.capture()
    factor = simulated.UM_PER_PX / CACHED_UM_PER_PX
    shape = frame.pixels.shape[:2]
    planes = np.zeros((len(PLANES), *shape), dtype=bool)
    for cell in camera.truth:
        within = np.s_[cell.box.row : cell.box.row_end, cell.box.col : cell.box.col_end]
        planes[(ANY, *within)] |= cell.outline
        if cell.kind.value == KINDS[WBC]:
            planes[(WHITE, *within)] |= cell.outline
            planes[(NUCLEUS, *within)] |= cell.nucleus
    picture = resampled(frame.pixels, factor)
    truth = _bits(*(_shrunk_mask(plane.astype(np.uint8), picture.shape[:2]) for plane in planes))
    known = np.full_like(truth, EVERYTHING)
    boxes = np.array([cell.box.as_xyxy() for cell in camera.truth], dtype=np.float32).reshape(-1, 4) * factor
    kinds = np.array([KINDS.index(cell.kind.value) for cell in camera.truth], dtype=np.intp)
    every = frozenset(range(len(KINDS)))
    return Scene(name, "simulated", CACHED_UM_PER_PX, picture, boxes, kinds, truth, known, every)


def mosaic(scenes: list[Scene], across: int) -> Scene:
    """Small pictures side by side, because one 120 px picture would leave a tile mostly empty."""
    height = max(s.picture.shape[0] for s in scenes)
    width = max(s.picture.shape[1] for s in scenes)
    down = -(-len(scenes) // across)
    picture = np.zeros((down * height, across * width, 3), dtype=np.uint8)
    picture[:] = np.median(scenes[0].picture.reshape(-1, 3), axis=0)
    truth = np.zeros(picture.shape[:2], dtype=np.uint8)
    known = np.zeros(picture.shape[:2], dtype=np.uint8)
    boxes = []
    for place, scene in enumerate(scenes):
        y, x = place // across * height, place % across * width
        h, w = scene.picture.shape[:2]
        picture[y : y + h, x : x + w] = scene.picture
        truth[y : y + h, x : x + w] = scene.truth
        known[y : y + h, x : x + w] = scene.known
        boxes.append(scene.boxes + np.array([x, y, x, y], dtype=np.float32))
    kinds = np.concatenate([s.kinds for s in scenes])
    first = scenes[0]
    return Scene(
        first.name,
        first.collection,
        first.um_per_px,
        picture,
        np.concatenate(boxes),
        kinds,
        truth,
        known,
        first.complete,
    )


def training_scenes() -> dict[str, list[Scene]]:
    """Every training picture by collection: those of BOXED and DRAWN, and simulated ones."""
    # A picture may be in another table's validation split: what is judged on must not be learnt from.
    judged = {f.name for c in BOXED for f in fields(c, "val")}
    drawn = {m.name: m for m in masks("train") if m.name not in judged}
    found: dict[str, list[Scene]] = {collection: [] for collection in BOXED}
    for collection, scenes in found.items():
        for field in fields(collection, "train"):
            mask = drawn.pop(field.name, None)
            scenes.append(boxed_scene(field, None if mask is None else read_mask(str(mask.mask))))
    # BCCD's own boxes leave out half of the red cells; where they were not boxed again, its white cells still serve.
    for collection in DRAWN:
        found[collection] = [white_cell_scene(m) for m in drawn.values() if m.collection == collection]
    found["simulated"] = simulated_scenes(SIMULATED)
    for collection, across in SMALL.items():
        small, count = found[collection], across**2
        found[collection] = [mosaic(small[start : start + count], across) for start in range(0, len(small), count)]
    return found


def _bits(any_cell: NDArray[np.bool_], white: NDArray[np.bool_], nucleus: NDArray[np.bool_]) -> Picture:
    return np.asarray((any_cell << ANY) | (white << WHITE) | (nucleus << NUCLEUS), dtype=np.uint8)


def _boxed(shape: tuple[int, ...], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    inside = np.zeros(shape, dtype=bool)
    for x0, y0, x1, y1 in boxes:
        inside[max(0, int(y0) - 2) : int(y1) + 3, max(0, int(x0) - 2) : int(x1) + 3] = True
    return inside


def _rim(mask: NDArray[np.bool_], width_px: float) -> NDArray[np.bool_]:
    """What lies nearer than `width_px` to the mask's edge, on either side."""
    inside, outside = (cv2.distanceTransform(one.astype(np.uint8), cv2.DIST_L2, 3) for one in (mask, ~mask))
    return np.asarray((inside + outside) <= width_px, dtype=bool)


def _shrunk_mask(mask: Picture, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    share = cv2.resize((mask > 0).astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5, dtype=bool)


def _boxes_of(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    corners = [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:count] if area > 200]
    return np.array(corners, dtype=np.float32).reshape(-1, 4)
