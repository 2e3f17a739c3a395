"""The device's own classifier, by a bundle's limits and prices, for logits that a training gives."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from leukoscope.analysis.classifier import Classifier
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.specimen.cell import Decision

__all__ = ["Decision", "DeviceClassifier"]


class DeviceClassifier:
    """What a bundle makes of a cell by its logits (classes,), looked at once."""

    def __init__(self, bundle: Path) -> None:
        read = Bundle.read(bundle)
        self._classifier = Classifier(read, OnnxSettings(threads=1).open(read))

    def probabilities(self, logits: NDArray[np.float32]) -> Mapping[str, float]:
        """Of each class, at the bundle's temperature."""
        return self._classifier.probabilities_of(iter((logits, logits)))

    def decide(self, logits: NDArray[np.float32]) -> Decision:
        """The name it gets, and what else it may be."""
        return self._classifier.decide(self.probabilities(logits))
