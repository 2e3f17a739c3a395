"""The door between an analysis and whichever runtime computes it."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Outputs = Mapping[str, NDArray[np.float32]]
"""Output name to values: (rows, cols, channels) for maps, (channels,) for vectors."""


class Network(Protocol):
    """A network that is loaded and ready."""

    @property
    def engine(self) -> str:
        """Name and version of the runtime, for provenance and doctor."""

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        """Compute one picture.

        Args:
            picture: RGB, shape (rows, cols, 3) as the bundle's input states, or where its manifest says so any other
                whose sides are multiples of its `side_multiple_px`.
        """
