"""Red cells: a disc with a pale middle, sometimes oval, crenated, teardrop-shaped or broken."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from leukoscope.simulation.body import Patch
from leukoscope.simulation.noise import Random, texture
from leukoscope.simulation.shapes import Points
from leukoscope.simulation.stain import RED_CELL, Stain

_ANGLES = 96
_EDGE_UM = 0.16
"""Half-width of the membrane's soft edge."""


@dataclass(frozen=True, slots=True, eq=False)
class RedCell:
    """One red cell."""

    shape: str
    reach: NDArray[np.float64]
    """Radius in micrometres at `_ANGLES` equal steps of angle from the x axis."""
    pallor: float
    """How much thinner the middle is than the thick ring, 0-1."""
    pallor_width: float
    """Radius of the pale middle over the cell's radius."""
    pallor_steepness: float
    """2 falls off like a Gaussian, 5 is a hole with a wall."""
    pallor_shift: tuple[float, float]
    """Where the pale middle lies, in radii from the cell's middle."""
    thickness: float
    """Of the ring, over that of an average cell."""
    seed: int

    @property
    def radius_um(self) -> float:
        """Of the circle around the cell and its soft edge."""
        return float(self.reach.max()) + 4 * _EDGE_UM

    @property
    def outline_um(self) -> Points:
        """Polygon of `_ANGLES` corners."""
        angle = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
        return np.stack([np.cos(angle), np.sin(angle)], axis=1) * self.reach[:, None]

    @property
    def nucleus_um(self) -> tuple[Points, ...]:
        """A red cell has none."""
        return ()

    def draw(self, x_um: float, y_um: float, um_per_px: float, stain: Stain) -> Patch:
        """Ring, pallor and a faintly darker rim; the profile follows photographed cells."""
        radius = self.radius_um
        row, col = floor((y_um - radius) / um_per_px), floor((x_um - radius) / um_per_px)
        side = ceil(2 * radius / um_per_px) + 1
        x = ((col + 0.5 + np.arange(side)) * um_per_px - x_um).astype(np.float32)[None, :]
        y = ((row + 0.5 + np.arange(side)) * um_per_px - y_um).astype(np.float32)[:, None]
        distance = np.sqrt(x * x + y * y)
        reach = self._reach_towards(x, y)
        inside = 1 / (1 + np.exp(np.clip((distance - reach) / (_EDGE_UM / 1.7), -30, 30)))
        mean = float(self.reach.mean())
        off = np.hypot(x / mean - self.pallor_shift[0], y / mean - self.pallor_shift[1])
        ring = 1 - self.pallor * np.exp(-((off / self.pallor_width) ** self.pallor_steepness))
        rho = distance / reach
        rim = 0.13 * np.exp(-(((rho - 0.95) / 0.05) ** 2)) - 0.10 * np.clip(rho - 0.7, 0, 0.3) / 0.3
        rng = np.random.default_rng(self.seed)
        mottle = 1 + 0.018 * texture(rng, (side, side), 0.5 / um_per_px)
        plane = (self.thickness * inside * (ring + rim) * mottle).astype(np.float32)
        return Patch(row, col, (plane[..., None] * stain.colour(RED_CELL)).astype(np.float16))

    def _reach_towards(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        turns = np.arctan2(y, x) * (_ANGLES / (2 * np.pi))
        low = np.floor(turns).astype(np.int32)
        share = turns - low
        table = self.reach.astype(np.float32)
        return np.asarray(table[low % _ANGLES] * (1 - share) + table[(low + 1) % _ANGLES] * share)


def grow_red_cell(rng: Random, mean_diameter_um: float, diameter_cv: float, irregular_share: float) -> RedCell:
    """A red cell whose area is that of a circle of the diameter drawn (a fragment is smaller)."""
    diameter = max(mean_diameter_um * (1 + diameter_cv * rng.standard_normal()), 0.4 * mean_diameter_um)
    shape = "round"
    if rng.random() < irregular_share:
        shape = str(rng.choice(["oval", "crenated", "teardrop", "fragment"], p=[0.5, 0.2, 0.2, 0.1]))
    reach = _profile(shape, rng)
    area = 0.5 * np.mean(reach**2) * 2 * np.pi
    reach *= diameter / 2 * np.sqrt(np.pi / area) * (0.75 if shape == "fragment" else 1)
    flat = shape in ("crenated", "fragment")
    pallor = rng.uniform(0.0, 0.25) if flat else min(float(rng.beta(3.0, 1.4)), 0.93)
    return RedCell(
        shape,
        reach,
        pallor,
        pallor_width=rng.uniform(0.36, 0.58),
        pallor_steepness=rng.uniform(2.4, 5.0),
        pallor_shift=(rng.normal(0, 0.07), rng.normal(0, 0.07)),
        thickness=float(np.exp(rng.normal(0, 0.13))),
        seed=int(rng.integers(2**31)),
    )


def _profile(shape: str, rng: Random) -> NDArray[np.float64]:
    """Radius by angle, in arbitrary units."""
    angle = np.arange(_ANGLES) * 2 * np.pi / _ANGLES - rng.uniform(0, 2 * np.pi)
    stretch = rng.uniform(1.35, 1.8) if shape == "oval" else rng.uniform(1.0, 1.2)
    reach = 1 / np.sqrt(np.cos(angle) ** 2 / stretch + np.sin(angle) ** 2 * stretch)
    for wave in (3, 4, 5):
        reach = reach * (1 + rng.normal(0, 0.055 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi)))
    if shape == "crenated":
        spikes = int(rng.integers(8, 13))
        reach = reach * (1 + 0.045 * np.cos(spikes * angle) + 0.03 * np.cos((spikes - 2) * angle))
    elif shape == "teardrop":
        reach = reach * (1 + rng.uniform(0.55, 0.95) * np.exp(-((np.angle(np.exp(1j * angle)) / 0.33) ** 2)))
    elif shape == "fragment":
        # A helmet: one side is cut off straight.
        cut = rng.uniform(0.15, 0.45) / np.maximum(np.cos(angle), 1e-3)
        reach = np.where(np.cos(angle) > 0, np.minimum(reach, cut), reach)
    return np.asarray(reach)
