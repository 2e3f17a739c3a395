"""Ways a hand moves a slide: places and focus over time, each made once from a seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

FIELDS_PER_S = 1.0
"""How fast the hand moves between rests: a picture's width per second."""
REST_S = 0.5


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight move, then a rest."""

    right: float
    down: float
    """In widths of the picture, both."""
    move_s: float
    rest_s: float = REST_S
    defocus_um: float = 0.0
    """How far the focus is turned away and back during the rest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The stage at one time."""

    right: float
    down: float
    """In widths of the picture from the start."""
    defocus_um: float
    resting: bool


class Walk:
    """Legs one after the other."""

    def __init__(self, legs: list[Leg]) -> None:
        self._legs = [Leg(0, 0, 0.0), *legs]
        self._begins = np.concatenate([[0.0], np.cumsum([leg.move_s + leg.rest_s for leg in self._legs])])
        self._corners = np.concatenate([[[0.0, 0.0]], np.cumsum([(leg.right, leg.down) for leg in self._legs], axis=0)])

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return float(self._begins[-1])

    def at(self, seconds: float) -> Moment:
        """Where the stage is then."""
        index = min(int(np.searchsorted(self._begins, seconds, side="right")) - 1, len(self._legs) - 1)
        leg, into = self._legs[index], seconds - float(self._begins[index])
        share = min(1.0, into / leg.move_s) if leg.move_s else 1.0
        right, down = self._corners[index] + share * np.array([leg.right, leg.down])
        rested = min(1.0, max(0.0, into - leg.move_s) / leg.rest_s)
        # Away and back in the middle half of the rest, so that it begins and ends in focus.
        away = max(0.0, 1 - abs(rested - 0.5) / 0.25)
        return Moment(float(right), float(down), leg.defocus_um * away, share >= 1.0)


def _steps(moves: Iterator[tuple[float, float]], **rest: float) -> list[Leg]:
    return [Leg(right, down, float(np.hypot(right, down)) / FIELDS_PER_S, **rest) for right, down in moves]


def _serpentine(overlap: float, rows: int, columns: int, height: float) -> Iterator[tuple[float, float]]:
    for row in range(rows):
        if row:
            yield 0.0, height * (1 - overlap)
        for _ in range(columns - 1):
            yield (1 - overlap) * (-1 if row % 2 else 1), 0.0


def _there_and_back(overlap: float, fields: int, times: int) -> Iterator[tuple[float, float]]:
    for turn in range(times):
        for _ in range(fields):
            yield (1 - overlap) * (-1 if turn % 2 else 1), 0.0


def _random(steps: int, longest: float, height: float, seed: int) -> Iterator[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, longest)
        yield float(np.cos(angle) * length), float(np.sin(angle) * length * height)


def walks(height: float, seed: int) -> Mapping[str, Walk]:
    """Every walk by name.

    Args:
        height: of the picture over its width.
        seed: of the random ones.
    """
    made = {
        f"serpentine, {round(100 * overlap)} % overlap": Walk(_steps(_serpentine(overlap, rows, columns, height)))
        for overlap, rows, columns in ((0.0, 3, 6), (0.2, 4, 6), (0.5, 5, 7), (0.8, 5, 12))
    }
    made["there and back, 30 % overlap"] = Walk(_steps(_there_and_back(0.3, 7, 4)))
    made["there and back, 80 % overlap"] = Walk(_steps(_there_and_back(0.8, 14, 3)))
    made["random, short steps"] = Walk(_steps(_random(45, 0.6, height, seed)))
    made["random, long steps"] = Walk(_steps(_random(35, 1.2, height, seed + 1)))
    made["with stalls"] = Walk(_steps(_serpentine(0.3, 3, 5, height), rest_s=2.5))
    made["with refocusing"] = Walk(_steps(_serpentine(0.3, 3, 5, height), rest_s=2.0, defocus_um=3.0))
    jolts = _steps(_serpentine(0.3, 2, 5, height))
    made["jolted away and brought back"] = Walk(
        [*jolts[:4], Leg(6.0, 3.0, 0.1), *jolts[:3], Leg(-6.5, -3.0, 0.1), *jolts[4:]]
    )
    return made
