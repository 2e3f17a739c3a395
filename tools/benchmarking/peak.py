"""How many multiply-accumulates a network asks for, and how many this processor can do in int8.

The peak is measured, not looked up: ONNX Runtime computes operators that are large and regular enough to
feed the processor well, and the fastest run of the best of them counts. A network of small layers cannot
reach it; the share says how much is left.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarking.clock import timed
from benchmarking.graphs import Node, Port, write_graph
from leukoscope.errors import EngineUnavailable

_SIDE, _CHANNELS, _DEPTH = 64, 128, 512


class Int8Peak:
    """A 3x3 convolution and a matrix product in int8, one thread; each call of `sample` may raise the peak."""

    def __init__(self) -> None:
        self._work = {
            f"{name}, {np.dtype(dtype).name} x int8": _bound(*maker(dtype))
            for name, maker in (("3x3 convolution", _convolution), ("matrix product", _matrix_product))
            for dtype in (np.uint8, np.int8)
        }
        self.gmacs_per_s, self.by = 0.0, ""
        """Best so far, in 10^9 multiply-accumulates per second of processor time, and which operator."""

    def sample(self) -> None:
        """Run each operator once more."""
        for name, (work, macs) in self._work.items():
            reached = macs / 1e6 / timed(work).cpu
            if reached > self.gmacs_per_s:
                self.gmacs_per_s, self.by = reached, name


def one_thread_options() -> Any:
    """Options of ONNX Runtime for one thread.

    Raises:
        EngineUnavailable: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineUnavailable(f"the benchmark needs the package onnxruntime ({error})", "install it") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def open_session(network: Path | bytes, options: Any) -> Any:
    """A session on the processor.

    Raises:
        EngineUnavailable: ONNX Runtime cannot load the network.
    """
    import onnxruntime

    content = str(network) if isinstance(network, Path) else network
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises its own, undocumented exception types
        named = network if isinstance(network, Path) else "a network made on the fly"
        raise EngineUnavailable(f"ONNX Runtime cannot load {named}: {error}", "give another file") from error


def count_macs(network: Path, tensor: NDArray[np.generic]) -> int:
    """Multiply-accumulates of one run: convolutions and matrix products, from the shapes the runtime reports.

    Args:
        network: an ONNX file with one input.
        tensor: what it shall run on.

    Raises:
        EngineUnavailable: ONNX Runtime is not installed, or cannot run the network on this.
    """
    options = one_thread_options()
    import onnxruntime

    # Unoptimised, so that quantised operators still have the shapes of the plain ones they stand for.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = open_session(network, options)
        try:
            session.run(None, {session.get_inputs()[0].name: tensor})
        except Exception as error:  # the runtime raises its own, undocumented exception types
            raise EngineUnavailable(
                f"{network} does not run on an input of {tensor.shape}: {error}", "give a network of this input"
            ) from error
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return sum(
        _macs_of(event["args"])
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    )


def _macs_of(run: dict[str, Any]) -> int:
    operator = run["op_name"]
    shapes = [next(iter(one.values())) for one in run["input_type_shape"]]
    given = int(np.prod(next(iter(run["output_type_shape"][0].values())))) if run["output_type_shape"] else 0
    if operator in ("Conv", "ConvInteger"):
        return given * int(np.prod(shapes[1][1:]))
    if operator == "QLinearConv":
        return given * int(np.prod(shapes[3][1:]))
    if operator == "ConvTranspose":
        return int(np.prod(shapes[0])) * int(np.prod(shapes[1][1:]))
    if operator in ("MatMul", "MatMulInteger", "QLinearMatMul"):
        return given * int(shapes[0][-1])
    if operator == "Gemm":
        # Either operand may be transposed: M * N is known, and M * K is the first operand's size.
        return given * int(np.prod(shapes[0])) // int(next(iter(run["output_type_shape"][0].values()))[0])
    return 0


def _bound(content: bytes, tensor: NDArray[np.generic], macs: int) -> tuple[Callable[[], object], int]:
    session = open_session(content, one_thread_options())
    feed = {"x": tensor}
    session.run(None, feed)
    return lambda: session.run(None, feed), macs


def _convolution(dtype: type[np.generic]) -> tuple[bytes, NDArray[np.generic], int]:
    shape = (1, _CHANNELS, _SIDE, _SIDE)
    weights = _filled((_CHANNELS, _CHANNELS, 3, 3), np.int8)
    node = Node("QLinearConv", _QUANTISED, "y", {"pads": (1, 1, 1, 1)})
    content = write_graph([node], Port("x", dtype, shape), Port("y", dtype, shape), _constants(weights, dtype))
    return content, _filled(shape, dtype), int(np.prod(shape)) * _CHANNELS * 9


def _matrix_product(dtype: type[np.generic]) -> tuple[bytes, NDArray[np.generic], int]:
    shape = (_SIDE * _SIDE // 4, _DEPTH)
    weights = _filled((_DEPTH, _DEPTH), np.int8)
    node = Node("QLinearMatMul", _QUANTISED, "y")
    content = write_graph([node], Port("x", dtype, shape), Port("y", dtype, shape), _constants(weights, dtype))
    return content, _filled(shape, dtype), int(np.prod(shape)) * _DEPTH


_QUANTISED = ("x", "scale", "zero", "w", "scale", "w_zero", "y_scale", "zero")


def _constants(weights: NDArray[np.generic], dtype: type[np.generic]) -> dict[str, NDArray[np.generic]]:
    return {
        "w": weights,
        "scale": np.array(0.02, dtype=np.float32),
        "y_scale": np.array(0.5, dtype=np.float32),
        "zero": np.zeros((), dtype=dtype),
        "w_zero": np.zeros((), dtype=np.int8),
    }


def _filled(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[np.generic]:
    return np.random.default_rng(1).integers(-64 if dtype is np.int8 else 0, 64, shape).astype(dtype)
