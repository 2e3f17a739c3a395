"""Distance of what the last layer is given to the tenth nearest known cell."""

from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors

from methods.kinds import Matrix, Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness

NEIGHBOURS = 10


def make(knowing: Knowing) -> Callable[[Pictures], Strangeness]:
    """Directions alone are compared."""
    index = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(_direction(knowing.pooled(knowing.pictures)))

    def far(pictures: Pictures) -> Strangeness:
        distances, _ = index.kneighbors(_direction(knowing.pooled(pictures)))
        return np.asarray(distances[:, -1], dtype=np.float32)

    return far


def _direction(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), dtype=np.float32)


METHOD = OutlierMethod("tenth nearest known cell", "Sun et al. 2022", make)
