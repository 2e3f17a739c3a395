"""A stained smear without end: one seed always holds the same cells at the same place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from leukoscope.schema import FrozenModel
from leukoscope.simulation.body import Body
from leukoscope.simulation.noise import Random, Waves, generator
from leukoscope.simulation.placing import Discs, settle
from leukoscope.simulation.platelets import grow_platelet
from leukoscope.simulation.recent import Recent
from leukoscope.simulation.shapes import Points
from leukoscope.simulation.simulated_red_cells import grow_red_cell
from leukoscope.simulation.simulated_white_cells import grow_white_cell
from leukoscope.simulation.stain import Stain
from leukoscope.simulation.white_classes import WHITE_CLASSES
from leukoscope.specimen.cell import CellKind

TILE_UM = 48.0
"""Side of the square of slide whose cells are grown together; wider than any chain of pushes."""
_STRAY_UM = TILE_UM / 2
"""No part of a cell lies farther than this from the tile it was sown in."""
_KEPT_TILES = 128
_CHAIN_UM = 30.0
"""Red cells farther than this from a tile cannot move those inside it."""
_STACKED = 0.14
"""Share of red cells that lie on others instead of pushing them aside."""
_SLIDE, _SEEDS, _BODIES = 0, 1, 2

NORMAL_DIFFERENTIAL = {
    "segmented": 0.58,
    "band": 0.03,
    "lymphocyte": 0.29,
    "monocyte": 0.065,
    "eosinophil": 0.028,
    "basophil": 0.007,
}
"""A healthy adult's, as shares of white cells."""


class SmearSettings(FrozenModel):
    """What is on the simulated slide."""

    seed: int = Field(default=1, ge=0, lt=2**32)
    """Which slide; the same seed is the same slide, cell by cell."""
    differential: dict[str, float] = Field(default_factory=lambda: dict(NORMAL_DIFFERENTIAL))
    """Share of each white-cell class, erythroblasts and smudges included; they are made to sum to 1."""
    white_per_1000_rbc: float = Field(default=2.0, ge=0, le=200)
    """White cells per 1000 red cells; 1.5-2.5 is normal blood, 20 and more fills a demonstration."""
    red_cells_per_1000_um2: float = Field(default=12.0, ge=0, le=22)
    """Red cells per 1000 square micrometres; 10-14 is the thin part of a smear, where cells are counted."""
    unevenness: float = Field(default=0.25, ge=0, le=0.9)
    """How much the density of red cells drifts over the slide, 0-0.9."""
    rbc_diameter_um: float = Field(default=7.2, ge=4, le=11)
    """Mean diameter of the red cells, micrometres."""
    rbc_diameter_cv: float = Field(default=0.065, ge=0, le=0.35)
    """Standard deviation over mean of the diameter, 0-0.35; above 0.09 the cells are visibly unequal."""
    irregular_share: float = Field(default=0.04, ge=0, le=1)
    """Share of red cells that are oval, crenated, teardrop-shaped or broken, 0-1."""
    platelets_per_rbc: float = Field(default=0.055, ge=0, le=1)
    """Platelets per red cell; 0.03-0.09 is normal."""
    stain_variation: float = Field(default=0.06, ge=0, le=0.5)
    """How far this slide's dyes stray from the usual strength, as a standard deviation of the logarithm."""

    @field_validator("differential")
    @classmethod
    def _known_classes(cls, shares: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(shares) - set(WHITE_CLASSES))
        if unknown:
            raise ValueError(f"no such class: {', '.join(unknown)}; choose from {', '.join(WHITE_CLASSES)}")
        if any(share < 0 for share in shares.values()) or sum(shares.values()) <= 0:
            raise ValueError("shares must not be negative, and at least one must be above 0")
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class SmearCell:
    """One cell and the truth about it."""

    id: str
    """Unique on its slide."""
    kind: CellKind
    cell_class: str
    """A key of WHITE_CLASSES, or "rbc" or "platelet"."""
    x_um: float
    y_um: float
    body: Body

    @property
    def outline_um(self) -> Points:
        """Polygon on the slide, micrometres, shape (n, 2) of (x, y)."""
        return _moved(self.body.outline_um, self.x_um, self.y_um)

    @property
    def nucleus_um(self) -> tuple[Points, ...]:
        """Polygons on the slide around the parts of the nucleus; empty for red cells and platelets."""
        return tuple(_moved(part, self.x_um, self.y_um) for part in self.body.nucleus_um)


@dataclass(frozen=True, slots=True)
class _Seeds:
    """Where cells of one tile would like to lie, before they push each other."""

    red: Discs
    white: Discs
    white_rank: NDArray[np.float64]
    white_bodies: tuple[Body, ...]


class Smear:
    """A slide; x grows to the right and y downwards, in micrometres, both without limit."""

    def __init__(self, settings: SmearSettings) -> None:
        self.settings = settings
        slide = generator(settings.seed, _SLIDE)
        self.stain = Stain(settings.stain_variation, slide)
        self._thickness = Waves(slide, 220.0)
        self._seeds: Recent[tuple[int, int], _Seeds] = Recent(_KEPT_TILES * 2)
        self._tiles: Recent[tuple[int, int], tuple[SmearCell, ...]] = Recent(_KEPT_TILES)

    def cells_in(self, left_um: float, top_um: float, right_um: float, bottom_um: float) -> list[SmearCell]:
        """Every cell of which something lies in the rectangle, in an order that never changes."""
        found = []
        for row in range(_tile(top_um - _STRAY_UM), _tile(bottom_um + _STRAY_UM) + 1):
            for col in range(_tile(left_um - _STRAY_UM), _tile(right_um + _STRAY_UM) + 1):
                for cell in self._cells_of(row, col):
                    reach = cell.body.radius_um
                    if (
                        left_um - reach < cell.x_um < right_um + reach
                        and top_um - reach < cell.y_um < bottom_um + reach
                    ):
                        found.append(cell)
        return found

    def _cells_of(self, row: int, col: int) -> tuple[SmearCell, ...]:
        return self._tiles.get((row, col), lambda: self._grow_tile(row, col))

    def _grow_tile(self, row: int, col: int) -> tuple[SmearCell, ...]:
        """Settle the cells of one tile among its eight neighbours'."""
        around = [self._seeds_of(row + r, col + c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
        own = 4
        red = Discs.joined([seeds.red for seeds in around])
        white = Discs.joined([seeds.white for seeds in around])
        rank = np.concatenate([seeds.white_rank for seeds in around])
        alive = white.first_in_line(rank)
        near = red.near(row * TILE_UM, col * TILE_UM, TILE_UM, _CHAIN_UM)
        red = settle(red, near, white.only(alive))
        rng = generator(self.settings.seed, _BODIES, row, col)
        cells: list[SmearCell] = []
        before = sum(len(seeds.white.x) for seeds in around[:own])
        for number, body in enumerate(around[own].white_bodies):
            if alive[before + number]:
                x, y = white.x[before + number], white.y[before + number]
                name = f"{row}.{col}.w{number}"
                cells.append(SmearCell(name, CellKind.WBC, body.shape, float(x), float(y), body))
        free = red.clear_of(white.only(alive), 0.6)
        before = sum(len(seeds.red.x) for seeds in around[:own])
        for number in range(len(around[own].red.x)):
            # Grown even where there is no room, so that one cell's absence does not change the next.
            body = self._red_cell(rng, float(red.radius[before + number]))
            if free[before + number]:
                x, y = red.x[before + number], red.y[before + number]
                cells.append(SmearCell(f"{row}.{col}.r{number}", CellKind.RBC, "rbc", float(x), float(y), body))
        cells.extend(self._platelets(rng, row, col, red.only(free), white.only(alive)))
        return tuple(cells)

    def _red_cell(self, rng: Random, radius_um: float) -> Body:
        return grow_red_cell(rng, 2 * radius_um, 0.0, self.settings.irregular_share)

    def _seeds_of(self, row: int, col: int) -> _Seeds:
        return self._seeds.get((row, col), lambda: self._scattered_seeds(row, col))

    def _scattered_seeds(self, row: int, col: int) -> _Seeds:
        settings, area = self.settings, TILE_UM**2
        rng = generator(settings.seed, _SEEDS, row, col)
        most = settings.red_cells_per_1000_um2 / 1000 * (1 + settings.unevenness)
        red = _scatter(rng, rng.poisson(most * area), row, col)
        thickness = 1 + settings.unevenness * np.clip(self._thickness.at(red.x, red.y), -1, 1)
        red = red.only(rng.uniform(0, 1 + settings.unevenness, len(red.x)) < thickness)
        spread = np.clip(rng.standard_normal(len(red.x)), -3, 3) * settings.rbc_diameter_cv
        room = np.where(rng.uniform(size=len(red.x)) < _STACKED, rng.uniform(0.3, 0.9, len(red.x)), 1.05)
        red = Discs(red.x, red.y, settings.rbc_diameter_um / 2 * (1 + spread), room)
        expected = settings.red_cells_per_1000_um2 / 1000 * area * settings.white_per_1000_rbc / 1000
        white = _scatter(rng, rng.poisson(expected), row, col)
        names = list(settings.differential)
        share = np.array([settings.differential[name] for name in names])
        drawn = rng.choice(len(names), size=len(white.x), p=share / share.sum())
        bodies = tuple(grow_white_cell(rng, names[index]) for index in drawn)
        radius = np.array([_mean_radius(body) for body in bodies])
        white = Discs(white.x, white.y, radius, np.ones(len(bodies)))
        return _Seeds(red, white, rng.uniform(size=len(bodies)), bodies)

    def _platelets(self, rng: Random, row: int, col: int, red: Discs, white: Discs) -> list[SmearCell]:
        """Platelets lie between the red cells where they can."""
        settings = self.settings
        expected = settings.red_cells_per_1000_um2 / 1000 * settings.platelets_per_rbc * TILE_UM**2
        cells = []
        for number in range(rng.poisson(expected)):
            body = grow_platelet(rng)
            places = _scatter(rng, 4, row, col)
            places = Discs(places.x, places.y, np.full(4, body.radius_um), places.room)
            beside = places.clear_of(white, 0.8)
            free = beside & places.clear_of(red, 0.75)
            if beside.any():
                pick = int(np.argmax(free)) if free.any() else int(np.argmax(beside))
                x, y = float(places.x[pick]), float(places.y[pick])
                cells.append(SmearCell(f"{row}.{col}.p{number}", CellKind.PLATELET, "platelet", x, y, body))
        return cells


def _moved(points: Points, x_um: float, y_um: float) -> Points:
    return np.asarray(points + np.array([x_um, y_um]))


def _tile(um: float) -> int:
    return int(np.floor(um / TILE_UM))


def _scatter(rng: Random, count: int, row: int, col: int) -> Discs:
    x = (col + rng.uniform(size=count)) * TILE_UM
    y = (row + rng.uniform(size=count)) * TILE_UM
    return Discs(x, y, np.zeros(count), np.ones(count))


def _mean_radius(body: Body) -> float:
    return float(np.hypot(body.outline_um[:, 0], body.outline_um[:, 1]).mean())
