"""SIFT descriptors of nine places, side by side."""

import numpy as np

from methods.features.dense_sift import describe
from methods.kinds import FeatureSet, Matrix, Pictures

STEP_PX, SIZE_PX = 42, 28.0


def measure(pictures: Pictures) -> Matrix:
    """Nine descriptors of 128 numbers."""
    return np.stack([describe(picture, STEP_PX, SIZE_PX).ravel() for picture in pictures])


METHOD = FeatureSet("SIFT", "Lowe 2004", lambda unlabelled, networks: measure)
