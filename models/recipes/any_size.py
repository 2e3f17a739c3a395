"""Frees an int8 segmenter from the one size of picture that its export fixed; the numbers it computes stay the same.

Every layer is a convolution, a sum or a doubling, so nothing but the files' own words ties it to a size.
"""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

_FILE_ID = b"TFL3"


def free_onnx(path: Path) -> None:
    """Leaves rows and columns of input and outputs open."""
    model = onnx.load(path)
    graph = model.graph
    del graph.value_info[:]
    for port, sides in (
        (graph.input[0], ("rows", "cols")),
        *((one, ("grid_rows", "grid_cols")) for one in graph.output),
    ):
        for size, name in zip(port.type.tensor_type.shape.dim[2:], sides, strict=True):
            size.Clear()
            size.dim_param = name
    onnx.save(model, path)


def free_litert(path: Path) -> None:
    """Doubles grids by laying each point four times side by side: the file's own doubling names the size it ends at.

    Raises:
        ValueError: a layer enlarges by another factor than two.
    """
    content = path.read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for buffer in model.buffers:
        # Large weights lie behind the description, which is written anew here.
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, dtype=np.uint8, count=buffer.size, offset=buffer.offset)
            buffer.offset = buffer.size = 0
    graph = model.subgraphs[0]
    operators: list[schema.OperatorT] = []
    for one in graph.operators:
        if model.operatorCodes[one.opcodeIndex].builtinCode == schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR:
            operators += _doubling(model, graph, int(one.inputs[0]), int(one.outputs[0]))
        else:
            operators.append(one)
    graph.operators = operators
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _FILE_ID)
    path.write_bytes(builder.Output())


def _doubling(
    model: schema.ModelT, graph: schema.SubGraphT, coarse: int, fine: int
) -> tuple[schema.OperatorT, schema.OperatorT]:
    small, large = graph.tensors[coarse], graph.tensors[fine]
    if [2 * int(side) for side in small.shape[1:3]] != [int(side) for side in large.shape[1:3]]:
        raise ValueError(f"expected a layer that doubles {list(small.shape)}, found {list(large.shape)}")
    four = schema.TensorT()
    four.shape = np.array([*small.shape[:3], 4 * small.shape[3]], dtype=np.int32)
    four.type, four.quantization, four.name = small.type, small.quantization, small.name + b"_four_times"
    four.buffer = len(model.buffers)
    model.buffers.append(schema.BufferT())
    graph.tensors.append(four)
    between = len(graph.tensors) - 1

    beside = schema.OperatorT()
    beside.opcodeIndex = _code(model, schema.BuiltinOperator.CONCATENATION)
    beside.inputs, beside.outputs = [coarse] * 4, [between]
    beside.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
    beside.builtinOptions = schema.ConcatenationOptionsT()
    beside.builtinOptions.axis = 3

    spread = schema.OperatorT()
    spread.opcodeIndex = _code(model, schema.BuiltinOperator.DEPTH_TO_SPACE)
    spread.inputs, spread.outputs = [between], [fine]
    spread.builtinOptionsType = schema.BuiltinOptions.DepthToSpaceOptions
    spread.builtinOptions = schema.DepthToSpaceOptionsT()
    spread.builtinOptions.blockSize = 2
    return beside, spread


def _code(model: schema.ModelT, operator: int) -> int:
    """Where the model lists this operator, added where it does not."""
    for place, code in enumerate(model.operatorCodes):
        if code.builtinCode == operator:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = operator
    code.version = 2  # the first that takes int8
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
