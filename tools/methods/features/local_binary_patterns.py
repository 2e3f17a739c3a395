"""Local binary patterns (Ojala et al. 2002), and how often each colour occurs."""

import cv2
import numpy as np
from skimage.feature import local_binary_pattern

from methods.kinds import FeatureSet, Matrix, Pictures

RADII_PX = (1, 2, 4)


def measure(pictures: Pictures) -> Matrix:
    """Uniform patterns of three radii in three colours, over the picture's middle."""
    rows = []
    for picture in pictures:
        middle = picture[16:112, 16:112]
        row = []
        for plane in cv2.split(middle):
            for radius in RADII_PX:
                patterns = local_binary_pattern(plane, 8, radius, "uniform")
                row.append(np.bincount(patterns.ravel().astype(int), minlength=10) / patterns.size)
            row.append(np.bincount(plane.ravel() // 16, minlength=16) / plane.size)
        rows.append(np.sqrt(np.concatenate(row)))
    return np.asarray(rows, dtype=np.float32)


METHOD = FeatureSet("local binary patterns", "Ojala, Pietikäinen & Mäenpää 2002", lambda unlabelled, networks: measure)
