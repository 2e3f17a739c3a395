"""Guesses pixel masks for boxed fields: what differs from the background inside each box's ellipse."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

ELLIPSE_SCALE = 1.08
LEAST_SHARE_OF_ELLIPSE = 0.45
RBC, WBC = 0, 1

Plane = NDArray[np.uint8]
Flags = NDArray[np.bool_]


class PseudoMask(NamedTuple):
    """Planes of one field, (height, width): any cell, white cell, and where these two are not known."""

    any_cell: Flags
    white_cell: Flags
    any_unknown: Flags
    white_unknown: Flags


def guess(
    picture: NDArray[np.uint8], boxes: NDArray[np.float32], kinds: NDArray[np.intp], complete: frozenset[int]
) -> PseudoMask:
    """Masks for an RGB picture.

    Args:
        picture: shape (height, width, 3).
        boxes: (cells, 4) in its pixels.
        kinds: one per box.
        complete: kinds of which every cell is boxed. Without red cells, what is no boxed cell is unknown.
    """
    height, width = picture.shape[:2]
    outside = np.ones((height, width), dtype=bool)
    for box in boxes:
        x0, y0, x1, y1 = _rounded(box, width, height, margin=2)
        outside[y0:y1, x0:x1] = False
    distance = background_distance(picture, outside)

    regions = [_ellipse(box, (height, width), ELLIPSE_SCALE) for box in boxes]
    inside = np.zeros((height, width), dtype=bool)
    for region in regions:
        inside |= region
    threshold = _otsu(distance, inside, outside)
    stained = distance > threshold

    claims = np.zeros((height, width), dtype=np.uint8)
    any_cell = np.zeros((height, width), dtype=bool)
    white = np.zeros((height, width), dtype=bool)
    red = np.zeros((height, width), dtype=bool)
    guessed_rim = np.zeros((height, width), dtype=bool)
    for box, kind, region in zip(boxes, kinds, regions, strict=True):
        x0, y0, x1, y1 = _rounded(box, width, height, margin=2)
        window = (slice(y0, y1), slice(x0, x1))
        cell = _filled(stained[window] & region[window]) & region[window]
        if cell.sum() < LEAST_SHARE_OF_ELLIPSE * max(1, region.sum()):
            # Pale cells vanish in the background; the box still says where they are, if not how far exactly.
            cell = _ellipse(box, (height, width), 1.0)[window]
            guessed_rim[window] |= _rim(cell, 5)
        any_cell[window] |= cell
        (white if kind == WBC else red)[window] |= cell
        claims[y0:y1, x0:x1] += 1

    unclaimed = (claims == 0) & stained
    unclaimed = cv2.dilate(unclaimed.astype(np.uint8), np.ones((3, 3), dtype=np.uint8)).astype(bool) & ~any_cell
    between = (claims > 0) & stained & ~any_cell
    any_unknown = unclaimed | between | (guessed_rim & ~_eroded(any_cell, 5))
    if RBC not in complete:
        # The threshold then lies between white cells and all else: unboxed red cells are below it.
        any_unknown |= ~any_cell
    # Where every white cell is boxed, `not white` is known outside the boxes.
    white_unknown = (white & red) | (between & _dilated(white, 5)) | (guessed_rim & _dilated(white, 3))
    if WBC not in complete:
        white_unknown |= (claims == 0) | between
    return PseudoMask(any_cell, white & ~red, any_unknown, white_unknown)


def background_distance(picture: NDArray[np.uint8], outside: Flags) -> NDArray[np.float32]:
    """Colour distance (CIE Lab) of every pixel from a sloping background fitted outside all boxes."""
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 0.8).astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    height, width = picture.shape[:2]
    rows, columns = np.nonzero(outside)
    if rows.size < 0.02 * outside.size:
        # Packed fields show hardly any background: take the brightest pixels for it.
        rows, columns = np.nonzero(lab[..., 0] >= np.percentile(lab[..., 0], 95))
    if rows.size > 6000:
        chosen = np.random.default_rng(0).choice(rows.size, 6000, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    values = lab[rows, columns]
    # Unlabelled cells lie outside the boxes too, and they are darker: start from the brighter half.
    kept = values[:, 0] >= np.median(values[:, 0])
    terms = _terms(columns / width, rows / height)
    for _ in range(4):
        fit, *_rest = np.linalg.lstsq(terms[kept], values[kept], rcond=None)
        residual = np.linalg.norm(values - terms @ fit, axis=1)
        spread = 1.4826 * np.median(residual[kept]) + 0.5
        kept = residual < 2.5 * spread
        if kept.sum() < 50:
            break
    y, x = np.mgrid[0:height, 0:width]
    background = (_terms(x.ravel() / width, y.ravel() / height) @ fit).reshape(height, width, 3)
    return np.asarray(np.linalg.norm(lab - background, axis=2), dtype=np.float32)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y], axis=1)


def _otsu(distance: NDArray[np.float32], inside: Flags, outside: Flags) -> float:
    within = distance[inside]
    if within.size == 0:
        return float(np.percentile(distance, 99)) + 1.0
    # White cells lie much farther away; unclipped they would drag the threshold above the red cells.
    ceiling = max(4.0, 1.3 * float(np.median(within)))
    pooled = np.clip(np.concatenate([within, distance[outside]]) / ceiling, 0.0, 1.0)
    threshold, _ = cv2.threshold((pooled * 255).astype(np.uint8).reshape(1, -1), 0, 255, cv2.THRESH_OTSU)
    return float(threshold) / 255.0 * ceiling


def _ellipse(box: NDArray[np.float32], shape: tuple[int, int], scale: float) -> Flags:
    """The ellipse inscribed in a box, enlarged; the whole box for a cell that the picture's border cuts."""
    height, width = shape
    x0, y0, x1, y1 = (float(side) for side in box)
    region = np.zeros(shape, dtype=np.uint8)
    if x0 <= 2 or y0 <= 2 or x1 >= width - 2 or y1 >= height - 2:
        left, top, right, bottom = _rounded(box, width, height, margin=0)
        region[top:bottom, left:right] = 1
        return region.astype(bool)
    centre = (round((x0 + x1) * 8), round((y0 + y1) * 8))
    axes = (max(8, round((x1 - x0) * 8 * scale)), max(8, round((y1 - y0) * 8 * scale)))
    cv2.ellipse(region, centre, axes, 0, 0, 360, 1, -1, shift=4)
    return region.astype(bool)


def _rounded(box: NDArray[np.float32], width: int, height: int, margin: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    left, top = max(0, int(x0) - margin), max(0, int(y0) - margin)
    return left, top, min(width, int(np.ceil(x1)) + margin), min(height, int(np.ceil(y1)) + margin)


def _filled(mask: Flags) -> Flags:
    """The largest piece of a mask, without the holes that pale centres leave."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), dtype=np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid = np.zeros_like(closed)
    if contours:
        cv2.drawContours(solid, [max(contours, key=cv2.contourArea)], -1, 1, -1)
    return solid.astype(bool)


def _dilated(mask: Flags, size: int) -> Flags:
    return cv2.dilate(mask.astype(np.uint8), np.ones((size, size), dtype=np.uint8)).astype(bool)


def _eroded(mask: Flags, size: int) -> Flags:
    return cv2.erode(mask.astype(np.uint8), np.ones((size, size), dtype=np.uint8)).astype(bool)


def _rim(mask: Flags, size: int) -> Flags:
    return _dilated(mask, size) & ~_eroded(mask, size)
