"""What a file of each folder has to offer: one METHOD of the folder's kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from methods.device import Networks, Pixels

Flags = NDArray[np.bool_]
Labels = NDArray[np.intp]
"""0 is background, each cell has a number of its own."""
BoxXyxy = tuple[int, int, int, int]
"""xmin, ymin, xmax, ymax in pixels, half-open."""
Matrix = NDArray[np.float32]
"""One row per cell, one column per feature."""
Pictures = NDArray[np.uint8]
"""Cells in the middle of their windows, RGB, shape (cells, 128, 128, 3), 0.15 µm per pixel."""
Words = NDArray[np.str_]
"""One label per cell."""


class NoData(Exception):
    """The pictures that a row needs are not there."""


class Parts(NamedTuple):
    """What a segmentation finds in a field; None for what the method does not look for."""

    white: Flags | None = None
    """Whole white cells, of the picture's shape."""
    nucleus: Flags | None = None
    """Their nuclei, of the picture's shape."""
    red: Sequence[BoxXyxy] | None = None
    """A box for each red cell."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """A change of the picture in front of the segmenter and the classifier."""

    name: str
    paper: str
    apply: Callable[[Pixels, float], Pixels]
    """Of RGB pixels (rows, cols, 3) and their µm per pixel; gives pixels of the same shape."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A way to find white cells, nuclei or red cells in a field."""

    name: str
    paper: str
    find: Callable[..., Parts]
    """Called with RGB pixels (rows, cols, 3), their µm per pixel and one value per key of `grid`."""
    grid: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Values tried on the training split; the best of all their combinations serves every set."""
    um_per_px: float = 0.2
    """The scale that the method works at."""
    networks: bool = False
    """Whether it uses the shipped networks."""


@dataclass(frozen=True, slots=True)
class EdgeDetector:
    """A way to draw edges."""

    name: str
    paper: str
    draw: Callable[[NDArray[np.float64], float, float], Flags]
    """Of grey levels 0-1 (rows, cols), µm per pixel and strength, a value of `strengths`."""
    strengths: Sequence[float]
    """Values tried on the training split."""


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A way to turn the picture of a cell into numbers."""

    name: str
    paper: str
    make: Callable[[Pictures, Networks], Callable[[Pictures], Matrix]]
    """Learns what it has to learn from pictures without labels, and gives the function that measures."""
    networks: bool = False


class Names(Protocol):
    """A fitted classifier, as scikit-learn has it."""

    def predict(self, rows: Matrix) -> Words:
        """A label per row."""


@dataclass(frozen=True, slots=True)
class ClassifierKind:
    """A way to name a cell from its features."""

    name: str
    paper: str
    make: Callable[[], Any]
    """A new classifier with `fit(rows, labels)` and `predict(rows)`, as in scikit-learn."""


class DeepNames(NamedTuple):
    """A network that learnt to name cells."""

    name: Callable[[Pictures], Words]
    """Labels of pictures."""
    kb: float
    """1,000 bytes of weights."""


@dataclass(frozen=True, slots=True)
class DeepMethod:
    """A network that learns from pictures."""

    name: str
    paper: str
    fit: Callable[[Pictures, Words, float], DeepNames]
    """Of pictures, their labels and the seconds of processor time that it may learn."""


@dataclass(frozen=True, slots=True)
class VerdictMethod:
    """A way to call a whole field leukaemic or not."""

    name: str
    paper: str
    fit: Callable[[Sequence[Pixels], Sequence[bool], float], Callable[[Pixels], bool]]
    """Of fields, whether they are leukaemic and their µm per pixel; gives the function that judges a field."""
