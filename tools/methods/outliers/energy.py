"""The free energy of the logits."""

import numpy as np

from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness


def _energy(knowing: Knowing, pictures: Pictures) -> Strangeness:
    logits = knowing.logits(pictures)
    most = logits.max(axis=1)
    return np.asarray(-most - np.log(np.exp(logits - most[:, None]).sum(axis=1)), dtype=np.float32)


METHOD = OutlierMethod("energy", "Liu et al. 2020", lambda knowing: lambda pictures: _energy(knowing, pictures))
