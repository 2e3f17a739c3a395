"""Haar-like features (Viola & Jones 2001): 600 of them, drawn by lot."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import haar_like_feature, haar_like_feature_coord
from skimage.transform import integral_image

from methods.kinds import FeatureSet, Matrix, Pictures

SIDE_PX = 20
KINDS = ("type-2-x", "type-2-y", "type-3-x", "type-3-y", "type-4")
EACH = 120


@cache
def _chosen() -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    coordinates, kinds = [], []
    rng = np.random.default_rng(0)
    for kind in KINDS:
        places, names = haar_like_feature_coord(SIDE_PX, SIDE_PX, kind)
        drawn = rng.choice(len(places), EACH, replace=False)
        coordinates.append(places[drawn])
        kinds.append(names[drawn])
    return np.concatenate(coordinates), np.concatenate(kinds)


def measure(pictures: Pictures) -> Matrix:
    """Differences of rectangles in a picture of 20 by 20 pixels of the green light."""
    coordinates, kinds = _chosen()
    rows = []
    for picture in pictures:
        small = cv2.resize(picture[..., 1], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) / 255.0
        summed = integral_image(small)
        rows.append(haar_like_feature(summed, 0, 0, SIDE_PX, SIDE_PX, feature_type=kinds, feature_coord=coordinates))
    return np.asarray(rows, dtype=np.float32)


METHOD = FeatureSet("Haar-like", "Viola & Jones 2001", lambda unlabelled, networks: measure)
