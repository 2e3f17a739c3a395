"""The LiteRT engine, and tflite-runtime, its predecessor, where only that is installed."""

from importlib import metadata
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.errors import EngineUnavailable
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.head import with_head
from leukoscope.inference.network import Network, Outputs
from leukoscope.inference.quantization import Affine
from leukoscope.schema import FrozenModel

Runtime = Literal["ai-edge-litert", "tflite-runtime"]


class LitertNetwork:
    """An int8 TFLite network; input and outputs are NHWC int8 with affine scales of their own."""

    def __init__(self, interpreter: Any, outputs: tuple[str, ...], engine: str) -> None:
        interpreter.allocate_tensors()
        self._interpreter = interpreter
        taken = interpreter.get_input_details()[0]
        self._input_index: int = taken["index"]
        self._taken_shape = tuple(taken["shape"][1:])
        self._byte_table = _affine(taken).byte_table()
        given = interpreter.get_output_details()
        self._outputs = [(name, detail["index"], _affine(detail)) for name, detail in zip(outputs, given, strict=True)]
        self.engine = engine

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        """See `Network.run`."""
        # Settings name every engine; a page that only recounts shall not carry OpenCV in memory for it.
        import cv2

        if picture.shape != self._taken_shape:
            self._interpreter.resize_tensor_input(self._input_index, (1, *picture.shape))
            self._interpreter.allocate_tensors()
            self._taken_shape = picture.shape
        self._interpreter.set_tensor(self._input_index, cv2.LUT(picture, self._byte_table)[None])
        self._interpreter.invoke()
        return {
            name: affine.dequantize(self._interpreter.get_tensor(index)[0]) for name, index, affine in self._outputs
        }


class LitertSettings(FrozenModel):
    """LiteRT (ai-edge-litert), or tflite-runtime."""

    driver: Literal["litert"] = "litert"
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads of the XNNPACK delegate."""
    runtime: Runtime | None = None
    """Which package to use; without it ai-edge-litert where installed, else tflite-runtime."""

    def open(self, bundle: Bundle) -> Network:
        """Load a bundle's TFLite network.

        Raises:
            BundleError: the network or its head is missing or altered.
            EngineUnavailable: no runtime is installed, or it cannot load the network.
        """
        path = bundle.network_path("litert")
        runtime, interpreter_class = _find_runtime(self.runtime)
        try:
            interpreter = interpreter_class(model_path=str(path), num_threads=self.threads)
            network = LitertNetwork(
                interpreter,
                bundle.manifest.files["litert"].outputs,
                f"{runtime} {metadata.version(runtime.replace('-', '_'))}",
            )
        except (ValueError, RuntimeError, SystemError, AttributeError) as error:
            why = " ".join(str(error).split())
            raise EngineUnavailable(
                f"{runtime} cannot run {path}: {why}",
                "choose another engine in [models], or a bundle made for this one",
            ) from error
        return with_head(network, bundle)


def _affine(detail: dict[str, Any]) -> Affine:
    scale, zero_point = detail["quantization"]
    return Affine(float(scale), int(zero_point))


def _find_runtime(wanted: Runtime | None) -> tuple[Runtime, Any]:
    if wanted in (None, "ai-edge-litert"):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            if wanted is not None:
                raise EngineUnavailable(f"ai-edge-litert is not installed ({error})", "install it") from error
        else:
            return "ai-edge-litert", Interpreter
    try:
        from tflite_runtime.interpreter import Interpreter as OldInterpreter
    except ImportError as error:
        raise EngineUnavailable(
            f"engine litert needs ai-edge-litert, or tflite-runtime with Python 3.11 and numpy < 2 ({error})",
            "pip install ai-edge-litert",
        ) from error
    return "tflite-runtime", OldInterpreter
