"""Judges found boxes against labelled ones: F1 at IoU 0.5 by kind of cell and collection, whole pictures.

Of a kind that a collection does not label completely, only the share of its boxes that were found is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_code import Boxes, find_boxes, overlap
from scenes import Picture, read_rgb, resampled
from segmenter_grid import STRIDE, UM_PER_PX
from tables import COMPLETE, KINDS, Field, fields

Grids = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
Runner = Callable[[Picture], Grids]
"""From an RGB picture to heat, box and mask, channels-last."""

JUDGED = ("deepbionet", "txl", "aslan", "thesis", "taleqani")
LEAST_IOU = 0.5
CANDIDATE_THRESHOLDS = tuple(np.round(np.arange(0.15, 0.71, 0.05), 2))


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled picture at the network's scale, padded with its median colour; boxes in its pixels."""

    collection: str
    picture: Picture
    boxes: NDArray[np.float32]
    kinds: NDArray[np.intp]
    doubtful: NDArray[np.float32]
    """Boxes that may hold no cell: what is found there is neither right nor wrong."""


def padded(picture: Picture, height: int, width: int) -> Picture:
    """The picture in the upper left corner of a canvas of its median colour; what does not fit is cut off."""
    canvas = np.empty((height, width, 3), dtype=np.uint8)
    canvas[:] = np.median(picture.reshape(-1, 3), axis=0).astype(np.uint8)
    part = picture[:height, :width]
    canvas[: part.shape[0], : part.shape[1]] = part
    return canvas


def case(field: Field, size: tuple[int, int] | None = None) -> Case:
    """One field as a case, on a canvas of `size` (height, width), or of the next multiple of 16 pixels."""
    factor = field.um_per_px / UM_PER_PX
    picture = resampled(read_rgb(str(field.path)), factor)
    height, width = size or (-(-picture.shape[0] // 16) * 16, -(-picture.shape[1] // 16) * 16)
    boxes, doubtful = (
        np.array([[b.xmin, b.ymin, b.xmax, b.ymax] for b in given], dtype=np.float32).reshape(-1, 4) * factor
        for given in (field.boxes, field.doubtful)
    )
    kinds = np.array([b.kind for b in field.boxes], dtype=np.intp)
    inside = (boxes[:, 0] < width - 2) & (boxes[:, 1] < height - 2)
    boxes = np.minimum(boxes, np.array([width, height, width, height], dtype=np.float32))
    return Case(field.collection, padded(picture, height, width), boxes[inside], kinds[inside], doubtful)


def validation_cases(each: int, size: tuple[int, int] | None = None) -> list[Case]:
    """`each` validation pictures of every collection of JUDGED, the same ones every time."""
    chosen = []
    for collection in JUDGED:
        found = fields(collection, "val")
        order = np.random.default_rng(7).permutation(len(found))[:each]
        chosen += [case(found[index], size) for index in order]
    return chosen


def found_in(cases: Sequence[Case], run: Runner, thresholds: Sequence[float]) -> list[Boxes]:
    """What a network finds in every case."""
    found = []
    for one in cases:
        heat, box, _ = run(one.picture)
        found.append(find_boxes(heat, box, thresholds=thresholds, stride=STRIDE))
    return found


def f1_by_kind(cases: Sequence[Case], found: Sequence[Boxes], thresholds: Sequence[float]) -> dict[str, float]:
    """F1 at IoU 0.5 under keys such as `txl/rbc`, and `all/rbc` over the collections.

    Where not every cell is labelled, the share of the labelled ones that were found, as `taleqani/wbc found`.
    """
    hits: dict[str, NDArray[np.float64]] = {}
    shares: dict[str, NDArray[np.float64]] = {}
    for one, boxes in zip(cases, found, strict=True):
        for kind, name in enumerate(KINDS):
            right, mine, true = _matches(one, boxes, kind, thresholds[kind])
            if kind in COMPLETE[one.collection]:
                for key in (f"{one.collection}/{name}", f"all/{name}"):
                    hits[key] = hits.get(key, np.zeros(2)) + np.array([2 * right, mine + true])
            elif true:
                key = f"{one.collection}/{name} found"
                shares[key] = shares.get(key, np.zeros(2)) + np.array([right, true])
    return {key: float(n[0] / max(1.0, n[1])) for key, n in sorted((hits | shares).items())}


def best_thresholds(cases: Sequence[Case], found: Sequence[Boxes]) -> tuple[float, ...]:
    """Per kind, the threshold with the best mean F1 of the collections; `found` must hold low scores too."""
    chosen = []
    for name in KINDS:
        marks = []
        for threshold in CANDIDATE_THRESHOLDS:
            scores = f1_by_kind(cases, found, [threshold] * len(KINDS))
            marks.append(np.mean([v for k, v in scores.items() if k.endswith("/" + name) and not k.startswith("all/")]))
        chosen.append(float(CANDIDATE_THRESHOLDS[int(np.argmax(marks))]))
    return tuple(chosen)


def matched_pairs(one: NDArray[np.float32], other: NDArray[np.float32], least: float = LEAST_IOU) -> int:
    """How many boxes of `one`, best first, find a partner of their own in `other` with at least this IoU."""
    if len(one) == 0 or len(other) == 0:
        return 0
    shared = overlap(one, other)
    free = np.ones(len(other), dtype=bool)
    count = 0
    for row in shared:
        best = int(np.argmax(np.where(free, row, -1.0)))
        if free[best] and row[best] >= least:
            free[best] = False
            count += 1
    return count


def _matches(one: Case, boxes: Boxes, kind: int, threshold: float) -> tuple[int, int, int]:
    mine = boxes.corners()[(boxes.kind == kind) & (boxes.score >= threshold)]
    height, width = one.picture.shape[:2]
    mine = np.clip(mine, 0, np.array([width, height, width, height], dtype=np.float32))
    if len(mine) and len(one.doubtful):
        mine = mine[(overlap(mine, one.doubtful) < LEAST_IOU).all(axis=1)]
    true = one.boxes[one.kinds == kind]
    return matched_pairs(mine, true), len(mine), len(true)
