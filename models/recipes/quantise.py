"""Turns a float network into int8 ONNX and int8 LiteRT, calibrated on pictures prepared as on the device."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import litert_torch
import numpy as np
import onnx
import torch
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn
from torch.fx.experimental.optimization import fuse

from device_code import FEATURES
from scenes import Picture

OPSET = 18
INPUT_STEP = 1.0 / 255.0
"""One level of the quantised input is one grey level, so a device may hand its pixels over unchanged."""


def folded(net: nn.Module) -> nn.Module:
    """The network for inference, batch normalisation folded into the convolutions before it."""
    return fuse(copy.deepcopy(net).eval().to(memory_format=torch.contiguous_format))


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next picture as the network's input, or None at the end."""
        picture = next(self._left, None)
        return None if picture is None else {"image": _planes(picture)}


def to_onnx(net: nn.Module, outputs: tuple[str, ...], calibration: Sequence[Picture], path: Path) -> None:
    """Writes int8 ONNX (QDQ, weights per channel): input `image`, float NCHW in [0, 1], batch of one."""
    sample = torch.from_numpy(_planes(calibration[0]))
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = Path(folder) / "float.onnx", Path(folder) / "prepared.onnx"
        program = torch.onnx.export(
            folded(net),
            (sample,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(outputs),
        )
        if program is None:
            raise RuntimeError("torch.onnx.export gave no program")
        program.save(str(plain))
        quant_pre_process(str(plain), str(prepared))
        step, zero = np.array(INPUT_STEP, dtype=np.float32), np.array(0, dtype=np.uint8)
        level = {"scale": step, "zero_point": zero, "quant_type": QuantType.QUInt8}
        quantize_static(
            str(prepared),
            str(path),
            _Pictures(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": {"image": [level]}, "CalibMovingAverage": True},
        )
    without_traces(path)
    onnx.checker.check_model(str(path))


def without_traces(path: Path) -> None:
    """Takes out which line of which file on the training machine each node came from; answers stay the same."""
    model = onnx.load(path)
    graph = model.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    del model.metadata_props[:]
    onnx.save(model, path)


def to_litert(net: nn.Module, outputs: tuple[str, ...], calibration: Sequence[Picture], path: Path) -> dict[str, Any]:
    """Writes int8 LiteRT: int8 NHWC in and out; returns where each output is found, for `signature.json`."""
    # Features are a vector, all other outputs are grids.
    grids = [place for place, name in enumerate(outputs) if name != FEATURES]
    wrapped = litert_torch.to_channel_last_io(folded(net), args=[0], outputs=grids)
    sample = torch.from_numpy(_rows(calibration[0]))
    with torch.inference_mode():
        expected = wrapped(sample)
    expected = expected if isinstance(expected, tuple) else (expected,)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "float.tflite"
        litert_torch.convert(wrapped.eval(), (sample,)).export(str(plain))
        order = _order(plain, _rows(calibration[0]), [e.numpy() for e in expected])
        maker = quantizer.Quantizer(str(plain), recipe.static_wi8_ai8())
        signature, input_name = _signature(plain)
        # A list, because the calibrator goes through its samples once just to count them.
        samples = [{input_name: _rows(picture)} for picture in calibration]
        ranges = maker.calibrate({signature: samples}, num_threads=1)
        tensor = Interpreter(model_path=str(plain)).get_input_details()[0]["name"]
        for side, value in (("min", 0.0), ("max", 1.0)):
            ranges[tensor][side] = np.full_like(np.asarray(ranges[tensor][side]), value)
        path.unlink(missing_ok=True)
        maker.quantize(ranges).export_model(str(path))
        path.chmod(0o644)  # the quantiser marks its file executable
    return _described(path, outputs, order)


def write_signature(path: Path, facts: dict[str, Any]) -> None:
    """Writes `signature.json`."""
    path.write_text(json.dumps(facts, indent=2) + "\n")


def _planes(picture: Picture) -> NDArray[np.float32]:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255.0)


def _rows(picture: Picture) -> NDArray[np.float32]:
    return picture[None].astype(np.float32) / np.float32(255.0)


def _signature(path: Path) -> tuple[str, str]:
    (name, facts), *_ = Interpreter(model_path=str(path)).get_signature_list().items()
    return name, facts["inputs"][0]


def _order(path: Path, image: NDArray[np.float32], expected: Sequence[NDArray[np.float32]]) -> list[int]:
    """For each expected output, the place of the file's equal one: converters may reorder them."""
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    found = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
    order = []
    for wanted in expected:
        same = [
            place
            for place, got in enumerate(found)
            if got.shape == wanted.shape and np.allclose(got, wanted, atol=1e-2)
        ]
        if len(same) != 1:
            raise ValueError(f"an output of shape {wanted.shape} is found {len(same)} times in {path.name}, not once")
        order.append(same[0])
    return order


def _described(path: Path, outputs: tuple[str, ...], order: Sequence[int]) -> dict[str, Any]:
    interpreter = Interpreter(model_path=str(path))
    details = interpreter.get_output_details()
    taken = interpreter.get_input_details()[0]
    return {
        "input": {"name": taken["name"], "layout": "NHWC", **_scale(taken)},
        "outputs": {
            name: {"index": place, "name": details[place]["name"], **_scale(details[place])}
            for name, place in zip(outputs, order, strict=True)
        },
    }


def _scale(detail: dict[str, Any]) -> dict[str, Any]:
    scale, zero = detail["quantization"]
    return {
        "shape": [int(n) for n in detail["shape"]],
        "dtype": np.dtype(detail["dtype"]).name,
        "scale": float(scale),
        "zero_point": int(zero),
    }
