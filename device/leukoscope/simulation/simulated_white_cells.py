"""White cells: grown once as two signed distances, then painted dye by dye."""

from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.simulation.body import Patch
from leukoscope.simulation.noise import Random, texture
from leukoscope.simulation.shapes import Distance, Grid, Points, carve, ellipse, outlines
from leukoscope.simulation.stain import CHROMATIN, NUCLEAR_SAP, Image, Stain
from leukoscope.simulation.white_classes import WHITE_CLASSES, Granules, WhiteClass

_GROWN_UM_PER_PX = 0.12
_PAINT_UM_PER_PX = 0.06
"""Cells are painted at one scale, so that the same cell keeps its face at every magnification."""


@dataclass(frozen=True, slots=True, eq=False)
class WhiteCell:
    """One white cell."""

    shape: str
    cell: Distance
    """On a grid of `_GROWN_UM_PER_PX`."""
    nucleus: Distance
    outline_um: Points
    nucleus_um: tuple[Points, ...]
    radius_um: float
    seed: int

    def draw(self, x_um: float, y_um: float, um_per_px: float, stain: Stain) -> Patch:
        """Painted at `_PAINT_UM_PER_PX`, then resampled to the slide's pixel grid."""
        density = _paint(self, stain)
        ratio = um_per_px / _PAINT_UM_PER_PX
        if ratio > 1:
            density = cv2.GaussianBlur(density, (0, 0), 0.4 * ratio).astype(np.float32)
        reach = density.shape[0] * _PAINT_UM_PER_PX / 2
        row, col = floor((y_um - reach) / um_per_px), floor((x_um - reach) / um_per_px)
        side = ceil(2 * reach / um_per_px) + 1
        middle = density.shape[0] / 2 - 0.5
        first = [((at + 0.5) * um_per_px - mid) / _PAINT_UM_PER_PX + middle for at, mid in ((col, x_um), (row, y_um))]
        placing = np.array([[ratio, 0, first[0]], [0, ratio, first[1]]])
        patch = cv2.warpAffine(density, placing, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        return Patch(row, col, patch.astype(np.float16))


def grow_white_cell(rng: Random, cell_class: str) -> WhiteCell:
    """A white cell of a class in WHITE_CLASSES; its size is drawn between the class's usual limits."""
    looks = WHITE_CLASSES[cell_class]
    low, high = looks.diameter_um
    radius = (low + (high - low) * rng.beta(2.2, 2.2)) / 2
    grid = Grid(radius * 1.25 + 1.2, _GROWN_UM_PER_PX)
    bent = grid.warped(rng, looks.raggedness_um, 7.0)
    oval = float(np.sqrt(rng.uniform(1.0, 1.16)))
    cell = ellipse(bent, (0, 0), (radius * oval, radius / oval), rng.uniform(0, np.pi))
    crumpled = grid.warped(rng, 0.4, 5.0) if looks.fading else grid.warped(rng, 0.14, 2.6)
    nucleus = looks.nucleus(crumpled, radius, rng)
    # The nucleus stays inside: cut it 0.2 um within the cell's edge.
    nucleus = carve(nucleus, -(cell + np.float32(0.2)), 0.3)
    if looks.fading:
        cell = nucleus - np.float32(0.15)
    outer = outlines(cell, _GROWN_UM_PER_PX)
    reach = float(np.hypot(outer[0][:, 0], outer[0][:, 1]).max()) + (1.2 if looks.fading else 0.6)
    return WhiteCell(
        cell_class,
        cell,
        nucleus,
        outer[0],
        outlines(nucleus, _GROWN_UM_PER_PX),
        reach,
        seed=int(rng.integers(2**31)),
    )


def _paint(cell: WhiteCell, stain: Stain) -> NDArray[np.float32]:
    """Optical density, shape (side, side, 3), at `_PAINT_UM_PER_PX`."""
    looks = WHITE_CLASSES[cell.shape]
    rng = np.random.default_rng(cell.seed)
    scale = _GROWN_UM_PER_PX / _PAINT_UM_PER_PX
    outer = cv2.resize(cell.cell, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    inner = cv2.resize(cell.nucleus, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    vary = np.exp(rng.normal(0, 0.06, 3))
    in_nucleus = _soft(inner, 0.4 if looks.fading else 0.16)
    chromatin = _chromatin(looks, rng, inner) * in_nucleus * np.float32(vary[0])
    cytoplasm = _cytoplasm(looks, rng, outer, in_nucleus) * np.float32(vary[1])
    sap = in_nucleus * np.float32(rng.uniform(0.1, 0.5) * looks.chromatin)
    density = chromatin[..., None] * stain.colour(CHROMATIN) + sap[..., None] * stain.colour(NUCLEAR_SAP)
    density += cytoplasm[..., None] * stain.colour(looks.cytoplasm)
    for granules in looks.granules:
        grains = _grains(granules, rng, outer) * (1 - in_nucleus * np.float32(1 - granules.over_nucleus))
        density += grains[..., None] * stain.colour(granules.dye)
    return np.asarray(density, dtype=np.float32)


def _soft(distance: Distance, half_width_um: float) -> Image:
    """1 inside, 0 outside, with an edge of the given half-width."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / (half_width_um / 1.7), -30, 30))), dtype=np.float32)


def _chromatin(looks: WhiteClass, rng: Random, inner: Distance) -> Image:
    """Clumps, threads, a darker membrane and pale nucleoli."""
    shape = (inner.shape[0], inner.shape[1])
    grain = looks.chromatin_grain_um / _PAINT_UM_PER_PX
    threads = np.tanh(1.1 * texture(rng, shape, grain) + 0.6 * texture(rng, shape, 1.6 * grain))
    clumps = texture(rng, shape, 4 * grain)
    plane = 0.93 + looks.clumping * threads + 0.4 * looks.clumping * clumps
    if looks.fading:
        plane = plane * np.clip(0.75 - inner / 4, 0.6, 1.15)
    else:
        plane = plane + 0.22 * np.exp(-(((inner + 0.22) / 0.2) ** 2))
    for _ in range(int(rng.integers(looks.nucleoli[0], looks.nucleoli[1] + 1))):
        plane = plane * (1 - 0.3 * _nucleolus(rng, inner))
    return np.asarray(looks.chromatin * plane, dtype=np.float32)


def _nucleolus(rng: Random, inner: Distance) -> Image:
    rows, cols = np.nonzero(inner < -1.0)
    if not rows.size:
        return np.zeros_like(inner)
    pick = int(rng.integers(rows.size))
    y, x = np.ogrid[: inner.shape[0], : inner.shape[1]]
    away = np.hypot(y - rows[pick], x - cols[pick]) * _PAINT_UM_PER_PX - rng.uniform(0.6, 1.1)
    return _soft(away.astype(np.float32), 0.3)


def _cytoplasm(looks: WhiteClass, rng: Random, outer: Distance, in_nucleus: Image) -> Image:
    """A thin mottled sheet, partly displaced by the nucleus, with holes where there are vacuoles."""
    shape = (outer.shape[0], outer.shape[1])
    sheet = _soft(outer, 0.2)
    mottle = 1 + 0.10 * texture(rng, shape, 1.0 / _PAINT_UM_PER_PX) + 0.08 * texture(rng, shape, 4.0 / _PAINT_UM_PER_PX)
    edge = 1 + (looks.rim + 0.12) * np.exp(outer / 0.7).clip(0, 1)
    holes = np.zeros(shape, np.uint8)
    for _ in range(int(rng.integers(looks.vacuoles[0], looks.vacuoles[1] + 1))):
        radius = rng.uniform(0.2, 0.65) / _PAINT_UM_PER_PX
        _dot(holes, rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), radius, 255)
    clear = cv2.GaussianBlur(holes, (0, 0), 0.1 / _PAINT_UM_PER_PX).astype(np.float32) / 255
    return np.asarray(sheet * mottle * edge * (1 - 0.85 * clear) * (1 - 0.8 * in_nucleus), dtype=np.float32)


def _grains(granules: Granules, rng: Random, outer: Distance) -> Image:
    """Grains of varied size and strength, only inside the cell."""
    shape = (outer.shape[0], outer.shape[1])
    area_um2 = outer.size * _PAINT_UM_PER_PX**2
    count = int(rng.uniform(*granules.per_um2) * area_um2)
    plane = np.zeros(shape, np.uint8)
    places = rng.uniform(0, 1, (count, 2)) * (shape[1], shape[0])
    sizes = granules.radius_um * rng.uniform(0.7, 1.3, count) / _PAINT_UM_PER_PX
    for (x, y), size, strength in zip(places, sizes, rng.uniform(120, 255, count), strict=True):
        _dot(plane, x, y, size, int(strength))
    soft = cv2.GaussianBlur(plane, (0, 0), 0.07 / _PAINT_UM_PER_PX).astype(np.float32) / 255
    return np.asarray(soft * _soft(outer + 0.15, 0.15), dtype=np.float32)


def _dot(plane: NDArray[np.uint8], x: float, y: float, radius: float, value: int) -> None:
    centre = (round(x * 16), round(y * 16))
    cv2.circle(plane, centre, round(radius * 16), value, -1, cv2.LINE_AA, shift=4)
