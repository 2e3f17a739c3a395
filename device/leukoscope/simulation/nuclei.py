"""Nuclei, one builder per form: each gives signed distances in a cell of radius `radius` micrometres."""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from leukoscope.simulation.noise import Random
from leukoscope.simulation.shapes import Distance, Grid, carve, ellipse, merge, thread

Place = tuple[float, float]


def segmented(grid: Grid, radius: float, rng: Random) -> Distance:
    """Three to five lobes on a bent chain, joined by filaments."""
    return _chain(grid, radius, rng, lobes=int(rng.choice([2, 3, 4, 5], p=[0.1, 0.45, 0.35, 0.1])))


def bilobed(grid: Grid, radius: float, rng: Random) -> Distance:
    """Two, sometimes three, plump lobes, as in eosinophils."""
    return _chain(grid, radius, rng, lobes=int(rng.choice([2, 3], p=[0.8, 0.2])))


def _chain(grid: Grid, radius: float, rng: Random, lobes: int) -> Distance:
    sizes = np.sqrt(0.38 / lobes) * radius * rng.uniform(0.88, 1.12, lobes)
    ring = radius * rng.uniform(0.48, 0.57)
    angle = rng.uniform(0, 2 * np.pi)
    turn = rng.choice([-1, 1])
    parts: list[Distance] = []
    last: Place | None = None
    for number, size in enumerate(sizes):
        if number:
            apart = (sizes[number - 1] + size) * rng.uniform(0.98, 1.22)
            angle += turn * 2 * np.arcsin(min(apart / (2 * ring), 0.98))
        out = ring * rng.uniform(0.85, 1.12)
        centre = (float(out * np.cos(angle)), float(out * np.sin(angle)))
        if last is not None:
            parts.append(thread(grid, last, centre, rng.uniform(0.2, 0.5)))
        stretch = rng.uniform(1.05, 1.35)
        tilt = angle + np.pi / 2 + rng.normal(0, 0.4)
        parts.append(ellipse(grid, centre, (size * stretch, size / stretch), tilt))
        last = centre
    return reduce(lambda nucleus, part: merge(nucleus, part, 0.35), parts)


def horseshoe(grid: Grid, radius: float, rng: Random) -> Distance:
    """A band: a bent sausage without filaments."""
    return _bent(grid, radius, rng, span=(2.6, 4.3), thick=(0.23, 0.29), ring=(0.46, 0.56))


def _bent(
    grid: Grid,
    radius: float,
    rng: Random,
    span: tuple[float, float],
    thick: tuple[float, float],
    ring: tuple[float, float],
) -> Distance:
    """Part of a ring, `span` radians long, slimmer in the middle; lengths are in cell radii."""
    steps = np.linspace(0, 1, 7)
    angles = rng.uniform(0, 2 * np.pi) + steps * rng.uniform(*span)
    out, width = radius * rng.uniform(*ring), radius * rng.uniform(*thick)
    centres = [(float(out * np.cos(angle)), float(out * np.sin(angle) * 0.95)) for angle in angles]
    waist = rng.uniform(0.72, 0.95)
    widths = width * (waist + (1 - waist) * np.abs(2 * steps - 1) ** 1.5) * rng.uniform(0.95, 1.05, steps.size)
    return _sausage(grid, centres, widths.tolist())


def _sausage(grid: Grid, centres: Sequence[Place], widths: Sequence[float]) -> Distance:
    body = thread(grid, centres[0], centres[1], (widths[0] + widths[1]) / 2)
    for index in range(1, len(centres) - 1):
        part = thread(grid, centres[index], centres[index + 1], (widths[index] + widths[index + 1]) / 2)
        body = merge(body, part, 0.6)
    return body


def bean(grid: Grid, radius: float, rng: Random) -> Distance:
    """Indented less than half its width, as in metamyelocytes."""
    return _indented(grid, radius, rng, size=(0.66, 0.76), stretch=(1.2, 1.6), depth=(0.2, 0.5))


def kidney(grid: Grid, radius: float, rng: Random) -> Distance:
    """Large and folded, as in monocytes: a kidney, a thick horseshoe or a lobed lump."""
    form = rng.random()
    if form < 0.45:
        return _indented(grid, radius, rng, size=(0.72, 0.82), stretch=(1.15, 1.5), depth=(0.25, 0.7))
    if form < 0.6:
        return _bent(grid, radius, rng, span=(2.2, 3.3), thick=(0.34, 0.42), ring=(0.4, 0.46))
    angle = rng.uniform(0, 2 * np.pi)
    lump = ellipse(grid, (0, 0), (0.56 * radius, 0.5 * radius), angle)
    for turn in (0.3, 2.2, 4.1):
        away = angle + turn + rng.normal(0, 0.3)
        centre = (0.36 * radius * float(np.cos(away)), 0.36 * radius * float(np.sin(away)))
        size = radius * rng.uniform(0.26, 0.38)
        lump = merge(lump, ellipse(grid, centre, (size * 1.2, size), away), 0.5)
    return lump


def _indented(
    grid: Grid,
    radius: float,
    rng: Random,
    size: tuple[float, float],
    stretch: tuple[float, float],
    depth: tuple[float, float],
) -> Distance:
    """An ellipse with a bay cut from its long side; each number is drawn between two limits."""
    angle = rng.uniform(0, 2 * np.pi)
    mean, long = radius * rng.uniform(*size), float(np.sqrt(rng.uniform(*stretch)))
    shift = radius * rng.uniform(0.05, 0.18)
    across = (float(np.cos(angle + np.pi / 2)), float(np.sin(angle + np.pi / 2)))
    centre = (-shift * across[0], -shift * across[1])
    body = ellipse(grid, centre, (mean * long, mean / long), angle)
    bay = mean * rng.uniform(0.4, 0.7)
    reach = mean / long * (1 - rng.uniform(*depth)) + bay
    place = (centre[0] + across[0] * reach, centre[1] + across[1] * reach)
    return carve(body, ellipse(grid, place, (bay * rng.uniform(0.55, 0.9), bay), angle), 1.3)


def round_in(low: float, high: float, off_centre: float, oval: float = 1.12) -> "RoundNucleus":
    """A round or oval nucleus of `low` to `high` cell radii, lying up to `off_centre` radii to one side."""
    return RoundNucleus(low, high, off_centre, oval)


class RoundNucleus:
    """Builder of round and oval nuclei."""

    def __init__(self, low: float, high: float, off_centre: float, oval: float) -> None:
        self._limits, self._off_centre, self._oval = (low, high), off_centre, oval

    def __call__(self, grid: Grid, radius: float, rng: Random) -> Distance:
        """Signed distances of one such nucleus, kept inside its cell."""
        size = radius * rng.uniform(*self._limits)
        oval = float(np.sqrt(rng.uniform(1.0, self._oval)))
        angle = rng.uniform(0, 2 * np.pi)
        shift = min(radius * self._off_centre * rng.uniform(0.3, 1), max(radius * 0.97 - size * oval, 0))
        return ellipse(
            grid,
            (shift * np.cos(angle), shift * np.sin(angle)),
            (size * oval, size / oval),
            rng.uniform(0, np.pi),
        )
