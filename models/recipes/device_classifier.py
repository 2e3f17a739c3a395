"""The decision of the device's own classifier, by a bundle's limits and prices, for logits that a training gives."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from leukoscope.analysis.classifier import Classifier
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.specimen.cell import Decision

__all__ = ["Decision", "decider"]


def decider(bundle: Path) -> Callable[[NDArray[np.float32]], Decision]:
    """What a bundle calls a cell by its logits (classes,), looked at once."""
    read = Bundle.read(bundle)
    classifier = Classifier(read, OnnxSettings(threads=1).open(read))
    return lambda logits: classifier.decide(classifier.probabilities_of(iter((logits, logits))))
