"""When a golden check passes: every decision, no decision beside them, boxes where they were."""

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.golden import GoldenCheck, replay
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.network import Network, Outputs
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset


@pytest.mark.parametrize(
    ("agreed", "surplus", "passed"), [(73, 0, True), (72, 0, False), (73, 1, False), (73, 2, False), (0, 0, False)]
)
def test_one_wrong_decision_or_one_too_many_fails_the_check(agreed: int, surplus: int, passed: bool) -> None:
    assert GoldenCheck(73, agreed, surplus, 4.0).passed is passed


class Aside:
    """The network of a bundle with every box moved to the right by a share of its width."""

    engine: str = "aside"

    def __init__(self, network: Network, share: float) -> None:
        self._network, self._share = network, share

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        outputs = dict(self._network.run(picture))
        left, top, right, bottom = np.moveaxis(outputs["box"], -1, 0)
        shift = self._share * (left + right)
        outputs["box"] = np.stack([left - shift, top, right + shift, bottom], axis=-1)
        return outputs


@pytest.fixture(scope="module")
def segmenter() -> Bundle:
    return Bundle.read(find_asset("models", "segmenter"))


def test_boxes_that_are_a_little_aside_are_the_same_cells(segmenter: Bundle) -> None:
    assert replay(segmenter, Aside(OnnxSettings().open(segmenter), 0.03)).passed


def test_boxes_that_share_less_than_seven_tenths_are_other_cells(segmenter: Bundle) -> None:
    """Moved by 0.3 of its width a box shares (1 - 0.3) / (1 + 0.3) = 0.54 with where it was."""
    check = replay(segmenter, Aside(OnnxSettings().open(segmenter), 0.3))
    assert check.agreed < check.decisions / 10
