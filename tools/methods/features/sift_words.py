"""Bag of visual words over SIFT (Csurka et al. 2004)."""

from collections.abc import Callable

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from methods.device import Networks
from methods.features.dense_sift import describe
from methods.kinds import FeatureSet, Matrix, Pictures

STEP_PX, SIZE_PX = 12, 14.0
WORDS = 96
LEARNT_CELLS = 300


def make(unlabelled: Pictures, networks: Networks) -> Callable[[Pictures], Matrix]:
    """Words are learnt by k-means; a cell is how often each one occurs in its middle and around it."""
    some = unlabelled[:: max(1, len(unlabelled) // LEARNT_CELLS)]
    every = np.concatenate([describe(picture, STEP_PX, SIZE_PX) for picture in some])
    words = MiniBatchKMeans(min(WORDS, len(every)), n_init=1, random_state=0, batch_size=1024).fit(every)

    def measure(pictures: Pictures) -> Matrix:
        rows = []
        for picture in pictures:
            named = words.predict(describe(picture, STEP_PX, SIZE_PX))
            side = int(np.sqrt(len(named)))
            grid = named.reshape(side, side)
            middle = grid[side // 4 : -(side // 4), side // 4 : -(side // 4)]
            counts = [np.bincount(part.ravel(), minlength=words.n_clusters) for part in (grid, middle)]
            rows.append(np.sqrt(np.concatenate([one / one.sum() for one in counts])))
        return np.asarray(rows, dtype=np.float32)

    return measure


METHOD = FeatureSet("bag of words over SIFT", "Csurka et al. 2004", make)
