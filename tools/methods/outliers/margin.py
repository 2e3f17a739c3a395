"""How little the best class is ahead of the second."""

import numpy as np

from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness, shares


def _lead(knowing: Knowing, pictures: Pictures) -> Strangeness:
    ordered = np.sort(shares(knowing.logits(pictures)), axis=1)
    return np.asarray(ordered[:, -2] - ordered[:, -1], dtype=np.float32)


METHOD = OutlierMethod("margin", "Scheffer et al. 2001", lambda knowing: lambda pictures: _lead(knowing, pictures))
