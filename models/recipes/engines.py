"""Runs an exported network in each engine behind one call: a uint8 RGB picture in, float outputs by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from torch import nn

from batches import as_batch
from scenes import Picture

Outputs = dict[str, NDArray[np.float32]]


class Engine(Protocol):
    """A network, wherever it runs."""

    def __call__(self, picture: Picture) -> Outputs:
        """Outputs by name: grids (rows, columns, channels), or one vector of logits."""


def _channels_last(output: NDArray[np.float32]) -> NDArray[np.float32]:
    first: NDArray[np.float32] = output[0]
    return first if first.ndim == 1 else first.transpose(1, 2, 0)


class TorchEngine:
    """The float network, as trained."""

    def __init__(self, net: nn.Module, names: tuple[str, ...]) -> None:
        self._net = net
        self._names = names

    def __call__(self, picture: Picture) -> Outputs:
        """See `Engine`."""
        with torch.inference_mode():
            outputs = self._net(as_batch([picture]))
        found = outputs if isinstance(outputs, tuple) else (outputs,)
        return {name: _channels_last(output.numpy()) for name, output in zip(self._names, found, strict=True)}


class OnnxEngine:
    """ONNX Runtime on the processor; the input is float NCHW in [0, 1], the outputs are NCHW."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # As the device computes it, on processors without dot-product instructions, too.
        options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, picture: Picture) -> Outputs:
        """See `Engine`."""
        image = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255.0)
        found = self._session.run(self._names, {"image": image})
        return {name: _channels_last(np.asarray(output)) for name, output in zip(self._names, found, strict=True)}


class LiteRtEngine:
    """LiteRT (TensorFlow Lite): int8 NHWC in and out, scales from the file, names from `signature.json`."""

    def __init__(self, path: Path, outputs: Mapping[str, Mapping[str, Any]]) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        details = self._interpreter.get_output_details()
        self._outputs = {name: details[int(facts["index"])] for name, facts in outputs.items()}

    def __call__(self, picture: Picture) -> Outputs:
        """See `Engine`."""
        scale, zero = self._input["quantization"]
        image = np.round(picture.astype(np.float32) / 255.0 / scale) + zero
        self._interpreter.set_tensor(self._input["index"], np.clip(image, -128, 127).astype(np.int8)[None])
        self._interpreter.invoke()
        found = {}
        for name, detail in self._outputs.items():
            step, middle = detail["quantization"]
            levels = self._interpreter.get_tensor(detail["index"])[0].astype(np.float32)
            found[name] = (levels - np.float32(middle)) * np.float32(step)
        return found
