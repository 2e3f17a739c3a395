"""Training examples of the segmenting network: square pieces of scenes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import ANY, CELLS, EVERYTHING, Picture, Scene
from segmenter_grid import STRIDE, UM_PER_PX
from tables import KINDS


@dataclass(frozen=True, slots=True)
class Tile:
    """One training example: RGB (side, side, 3), boxes in its pixels, bit fields at one per 2 pixels."""

    picture: Picture
    boxes: NDArray[np.float32]
    kinds: NDArray[np.intp]
    truth: Picture
    known: Picture
    complete: frozenset[int]


def cut_tile(scene: Scene, rng: np.random.Generator, side: int) -> Tile:
    """A square tile at a random place, scale (the network's ± 20 %), turn and flip; padded."""
    factor = scene.um_per_px / UM_PER_PX * float(np.exp(rng.uniform(-0.2, 0.2)))
    span = side / factor
    height, width = scene.picture.shape[:2]
    x0, y0 = (_start(rng, length, span) for length in (width, height))
    rare = np.flatnonzero(scene.kinds > 0)
    if rare.size and rng.random() < 0.5:
        box = scene.boxes[rng.choice(rare)]
        x0 = float((box[0] + box[2]) / 2 - span * rng.uniform(0.15, 0.85))
        y0 = float((box[1] + box[3]) / 2 - span * rng.uniform(0.15, 0.85))
        x0, y0 = (_kept_inside(start, length, span) for start, length in ((x0, width), (y0, height)))

    left, top = round(x0), round(y0)
    cells = round(span)
    factor = side / cells
    fill = np.median(scene.picture[::4, ::4].reshape(-1, 3), axis=0).astype(np.uint8)
    picture = _window(scene.picture, left, top, cells, fill)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(picture, (side, side), interpolation=how), dtype=np.uint8)
    half = side // 2
    empty = np.zeros(1, dtype=np.uint8)
    everything = np.full(1, EVERYTHING, dtype=np.uint8)
    truth = _nearest(_window(scene.truth, left, top, cells, empty), half)
    known = _nearest(_window(scene.known, left, top, cells, everything), half)

    whole = (scene.boxes - np.array([left, top, left, top], dtype=np.float32)) * factor
    boxes = np.clip(whole, 0, side)
    area = np.prod(whole[:, 2:] - whole[:, :2], axis=1)
    seen = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept = (seen > 0.12 * area) & ((boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=side) > 2)
    boxes, kinds = boxes[kept], scene.kinds[kept]

    if rng.random() < 0.5:
        picture, truth, known = picture[:, ::-1], truth[:, ::-1], known[:, ::-1]
        boxes = np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], axis=1)
    if rng.random() < 0.5:
        picture, truth, known = picture[::-1], truth[::-1], known[::-1]
        boxes = np.stack([boxes[:, 0], side - boxes[:, 3], boxes[:, 2], side - boxes[:, 1]], axis=1)
    if rng.random() < 0.5:
        picture, truth, known = picture.transpose(1, 0, 2), truth.T, known.T
        boxes = boxes[:, [1, 0, 3, 2]]
    return Tile(np.ascontiguousarray(picture), boxes, kinds, truth, known, scene.complete)


def labelled_places(tile: Tile) -> NDArray[np.float32]:
    """1 where a label says whether a cell of a kind has its middle there: (kinds, rows, columns) of the grid."""
    side = tile.picture.shape[0] // STRIDE
    places = np.empty((len(KINDS), side, side), dtype=np.float32)
    known = tile.known[::2, ::2]
    for kind in range(len(KINDS)):
        # Of a kind that is not labelled completely, nothing is known but that it is not where another cell is, nor
        # where certainly none is.
        places[kind] = (known >> (CELLS if kind in tile.complete else ANY)) & 1
    return places


def _nearest(bits: Picture, side: int) -> Picture:
    return np.asarray(cv2.resize(bits, (side, side), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _start(rng: np.random.Generator, length: int, span: float) -> float:
    slack = length - span
    return float(rng.uniform(-0.04 * span, slack + 0.04 * span)) if slack > 0 else float(rng.uniform(slack, 0.0))


def _kept_inside(start: float, length: int, span: float) -> float:
    slack = length - span
    return float(np.clip(start, 0.0, slack)) if slack > 0 else float(np.clip(start, slack, 0.0))


def _window(picture: Picture, left: int, top: int, side: int, fill: Picture) -> Picture:
    height, width = picture.shape[:2]
    window = np.empty((side, side, *picture.shape[2:]), dtype=np.uint8)
    window[:] = fill if picture.ndim == 3 else fill[0]
    y0, y1, x0, x1 = max(0, top), min(height, top + side), max(0, left), min(width, left + side)
    window[y0 - top : y1 - top, x0 - left : x1 - left] = picture[y0:y1, x0:x1]
    return window
