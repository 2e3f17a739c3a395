"""Platelets: small purple-granular scraps of cytoplasm."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from leukoscope.simulation.body import Patch
from leukoscope.simulation.noise import Random, texture
from leukoscope.simulation.shapes import Points
from leukoscope.simulation.stain import PLATELET, PLATELET_GRANULE, Stain

_CORNERS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Platelet:
    """One platelet."""

    outline_um: Points
    seed: int
    shape: str = "platelet"

    @property
    def radius_um(self) -> float:
        """Of the circle around the outline and its soft edge."""
        return float(np.hypot(self.outline_um[:, 0], self.outline_um[:, 1]).max()) + 0.6

    @property
    def nucleus_um(self) -> tuple[Points, ...]:
        """A platelet has none."""
        return ()

    def draw(self, x_um: float, y_um: float, um_per_px: float, stain: Stain) -> Patch:
        """A pale rim around a granular middle."""
        radius = self.radius_um
        row, col = floor((y_um - radius) / um_per_px), floor((x_um - radius) / um_per_px)
        side = ceil(2 * radius / um_per_px) + 1
        x = ((col + 0.5 + np.arange(side)) * um_per_px - x_um)[None, :]
        y = ((row + 0.5 + np.arange(side)) * um_per_px - y_um)[:, None]
        rng = np.random.default_rng(self.seed)
        turns = (np.arctan2(y, x) * (_CORNERS / (2 * np.pi))) % _CORNERS
        reach = np.hypot(self.outline_um[:, 0], self.outline_um[:, 1])
        edge = np.interp(turns, np.arange(_CORNERS + 1), np.append(reach, reach[0]))
        away = np.hypot(x, y) - edge
        sheet = 1 / (1 + np.exp(np.clip(away / 0.1, -30, 30)))
        inner = 1 / (1 + np.exp(np.clip((away + 0.35) / 0.14, -30, 30)))
        grains = np.clip(0.8 + 0.34 * texture(rng, (side, side), 0.7 / um_per_px), 0.1, 1.9) * inner
        strength = rng.uniform(0.75, 1.2)
        density = strength * (
            sheet[..., None] * stain.colour(PLATELET) + grains[..., None] * stain.colour(PLATELET_GRANULE)
        )
        return Patch(row, col, density.astype(np.float16))


def grow_platelet(rng: Random) -> Platelet:
    """A platelet of 1.8-3.6 um, sometimes a large one."""
    radius = (rng.uniform(1.8, 3.4) if rng.random() < 0.95 else rng.uniform(3.5, 5.0)) / 2
    angle = np.arange(_CORNERS) * 2 * np.pi / _CORNERS
    reach = np.full(_CORNERS, radius)
    for wave in (2, 3, 5):
        reach = reach * (1 + rng.normal(0, 0.16 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi)))
    corners = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None]
    return Platelet(corners, int(rng.integers(2**31)))
