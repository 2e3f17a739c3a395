"""The segmenter's networks take pictures of any size, on every engine."""

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.golden import replay
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.network import Network, Outputs
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

SHIPPED = Bundle.read(find_asset("models", "segmenter"))
ENGINES = pytest.mark.parametrize("settings", [OnnxSettings(), LitertSettings()], ids=lambda one: one.driver)


def drawn(rows: int, cols: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 255, (rows, cols, 3), dtype=np.uint8)


@ENGINES
def test_a_network_goes_from_size_to_size_and_answers_as_it_did_before(settings: EngineSettings) -> None:
    network = settings.open(SHIPPED)
    shape = SHIPPED.manifest.input
    picture = drawn(shape.rows, shape.cols)
    before = {name: values.copy() for name, values in network.run(picture).items()}
    for rows, cols in ((48, 64), (432, 544)):
        assert {values.shape[:2] for values in network.run(drawn(rows, cols)).values()} == {(rows // 4, cols // 4)}
    for name, values in network.run(picture).items():
        np.testing.assert_array_equal(values, before[name])


@ENGINES
def test_far_from_the_edge_the_answer_does_not_depend_on_the_size(settings: EngineSettings) -> None:
    network = settings.open(SHIPPED)
    large = drawn(640, 640)
    whole = {name: values.copy() for name, values in network.run(large).items()}
    for name, values in network.run(np.ascontiguousarray(large[64:576, 64:576])).items():
        # No layer sees farther than 160 pixels, 40 points.
        np.testing.assert_array_equal(values[40:-40, 40:-40], whole[name][56:-56, 56:-56])


class OfOneSize:
    """A network whose file is tied to the size of its input, whatever its manifest says."""

    engine: str = "fixed"

    def __init__(self, network: Network) -> None:
        self.network = network

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        shape = SHIPPED.manifest.input
        fitted = np.resize(picture, (shape.rows, shape.cols, 3))
        return self.network.run(fitted)


def test_a_network_that_is_tied_to_one_size_against_its_manifest_fails_the_golden_check() -> None:
    with pytest.raises(BundleError, match="does not fit its manifest"):
        replay(SHIPPED, OfOneSize(OnnxSettings().open(SHIPPED)))
