"""SURF descriptors (Bay et al. 2006) on a fixed grid: mean and spread of each number."""

import cv2
import mahotas.features.surf as mahotas_surf
import numpy as np

from methods.kinds import FeatureSet, Matrix, Pictures

STEP_PX, SCALE = 12, 2.0


def measure(pictures: Pictures) -> Matrix:
    """64 means and 64 standard deviations over the whole picture, and as many over its middle."""
    rows = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
        found, places = mahotas_surf.dense(grey, STEP_PX, scale=SCALE, include_interest_point=True), None
        places, found = found[:, :2], found[:, 6:]
        middle = (np.abs(places - 64) < 28).all(axis=1)
        parts = [found, found[middle] if middle.any() else found]
        rows.append(np.concatenate([one for part in parts for one in (part.mean(axis=0), part.std(axis=0))]))
    return np.nan_to_num(np.asarray(rows, dtype=np.float32))


METHOD = FeatureSet("SURF", "Bay, Tuytelaars & Van Gool 2006", lambda unlabelled, networks: measure)
