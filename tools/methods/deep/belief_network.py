"""A deep belief network: two restricted Boltzmann machines, one on the other, then logistic regression."""

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM

from methods.kinds import DeepMethod, DeepNames, Matrix, Pictures, Words
from methods.learning import BATCH, run_for

SIDE_PX = 16
HIDDEN = (256, 128)


def _levels(pictures: Pictures) -> Matrix:
    small = [cv2.resize(one, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).ravel() for one in pictures]
    return np.asarray(np.asarray(small) / 255, dtype=np.float32)


def fit(pictures: Pictures, labels: Words, seconds: float) -> DeepNames:
    """Each machine learns for half of the time what the one below it says, without labels."""
    rng = np.random.default_rng(0)
    machines: list[BernoulliRBM] = []
    seen = _levels(pictures)
    for hidden in HIDDEN:
        machine = BernoulliRBM(hidden, learning_rate=0.03, random_state=0)

        def step(gone: float, machine: BernoulliRBM = machine, seen: Matrix = seen) -> None:
            machine.partial_fit(seen[rng.integers(len(seen), size=BATCH)])

        run_for(seconds / len(HIDDEN), step)
        machines.append(machine)
        seen = machine.transform(seen)

    def kept(some: Pictures) -> Matrix:
        rows = _levels(some)
        for machine in machines:
            rows = machine.transform(rows)
        return rows

    head = LogisticRegression(C=10, max_iter=200, class_weight="balanced").fit(kept(pictures), labels)
    weights = sum(machine.components_.size for machine in machines) + head.coef_.size
    return DeepNames(lambda some: np.asarray(head.predict(kept(some))), weights * 4 / 1000)


METHOD = DeepMethod("deep belief network", "Hinton, Osindero & Teh 2006", fit)
