"""Small ONNX files for measuring with: one operator after another, one input, one output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import EngineUnavailable

_IR_VERSION, _OPSET = 8, 13


@dataclass(frozen=True, slots=True)
class Node:
    """One operator."""

    operator: str
    inputs: Sequence[str]
    output: str
    integers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Attributes, each a list of integers."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the graph."""

    name: str
    dtype: type[np.generic]
    shape: Sequence[int | str]
    """A word is a side that the file leaves open."""


def write_graph(nodes: Sequence[Node], taken: Port, given: Port, constants: Mapping[str, NDArray[np.generic]]) -> bytes:
    """The bytes of an ONNX file with one input and one output.

    Raises:
        EngineUnavailable: `onnx` is not installed; only what measures the processor's peak needs it.
    """
    # The tests bring it; a user who asks this program for its options may not have it.
    try:
        from onnx import helper, numpy_helper
    except ImportError as error:
        raise EngineUnavailable("this writes ONNX files and there is no onnx here", "pip install onnx") from error
    graph = helper.make_graph(
        [helper.make_node(node.operator, list(node.inputs), [node.output], **_lists(node)) for node in nodes],
        "benchmark",
        [_port(taken)],
        [_port(given)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    return bytes(model.SerializeToString())


def _lists(node: Node) -> dict[str, Any]:
    return {name: list(values) for name, values in node.integers.items()}


def _port(port: Port) -> Any:
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return helper.make_tensor_value_info(port.name, kind, list(port.shape))
