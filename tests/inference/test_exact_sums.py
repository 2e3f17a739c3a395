"""Integer networks compute the same on processors with and without dot-product instructions."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from leukoscope.inference.onnx import OnnxSettings
from tests.bundles import onnx_bundle


def test_products_that_fill_sixteen_bits_do_not_saturate(tmp_path: Path) -> None:
    # 255 * 127 twice is 64,770: more than a sum of 16 bits holds.
    bundle = onnx_bundle(tmp_path, _convolution(channels=32, weight=127))
    found = OnnxSettings(threads=1).open(bundle).run(np.full((8, 8, 3), 255, np.uint8))["features"]
    assert np.allclose(found, 32 * 127, rtol=0.01)


def _convolution(channels: int, weight: int) -> onnx.ModelProto:
    """A picture of ones, spread over channels, summed by a quantised 1x1 convolution, averaged: channels * weight."""
    spread = numpy_helper.from_array(np.full((channels, 3, 1, 1), 1 / 3, np.float32), "spread")
    weights = numpy_helper.from_array(np.full((4, channels, 1, 1), weight, np.int8), "weights")
    numbers = {"fine": np.float32(1 / 255), "one": np.float32(1.0)}
    zeros = {"zero_u8": np.uint8(0), "zero_i8": np.int8(0)}
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in (numbers | zeros).items()]
    nodes = [
        helper.make_node("Conv", ["image", "spread"], ["wide"], kernel_shape=[1, 1]),
        helper.make_node("QuantizeLinear", ["wide", "fine", "zero_u8"], ["wide_q"]),
        helper.make_node("DequantizeLinear", ["wide_q", "fine", "zero_u8"], ["wide_d"]),
        helper.make_node("DequantizeLinear", ["weights", "one", "zero_i8"], ["weights_d"]),
        helper.make_node("Conv", ["wide_d", "weights_d"], ["summed"], kernel_shape=[1, 1]),
        helper.make_node("QuantizeLinear", ["summed", "coarse", "zero_u8"], ["summed_q"]),
        helper.make_node("DequantizeLinear", ["summed_q", "coarse", "zero_u8"], ["summed_d"]),
        helper.make_node("GlobalAveragePool", ["summed_d"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]
    constants.append(numpy_helper.from_array(np.array(channels * weight / 250, np.float32), "coarse"))
    graph = helper.make_graph(
        nodes,
        "sum",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 4])],
        [spread, weights, *constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model
