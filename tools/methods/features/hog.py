"""Histograms of oriented gradients (Dalal & Triggs 2005)."""

import cv2
import numpy as np
from skimage.feature import hog

from methods.kinds import FeatureSet, Matrix, Pictures

SIDE_PX = 64


def measure(pictures: Pictures) -> Matrix:
    """Nine directions in eight by eight pixels of a picture of 64, blocks of two by two."""
    rows = []
    for picture in pictures:
        small = cv2.resize(picture, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        rows.append(hog(small, pixels_per_cell=(8, 8), cells_per_block=(2, 2), channel_axis=-1))
    return np.asarray(rows, dtype=np.float32)


METHOD = FeatureSet("HoG", "Dalal & Triggs 2005", lambda unlabelled, networks: measure)
