"""Entropy of the probabilities."""

import numpy as np

from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness, shares


def _entropy(knowing: Knowing, pictures: Pictures) -> Strangeness:
    share = shares(knowing.logits(pictures))
    return np.asarray(-(share * np.log(np.maximum(share, 1e-9))).sum(axis=1), dtype=np.float32)


METHOD = OutlierMethod("entropy", "Shannon 1948", lambda knowing: lambda pictures: _entropy(knowing, pictures))
