"""The ONNX Runtime engine: any board, and a Jetson's own accelerators through execution providers."""

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.errors import EngineUnavailable
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.head import with_head
from leukoscope.inference.network import Network, Outputs
from leukoscope.schema import FrozenModel


class OnnxNetwork:
    """A quantised ONNX network; its input is NCHW in [0, 1], its outputs are NCHW or vectors."""

    def __init__(self, session: Any, outputs: tuple[str, ...], engine: str) -> None:
        self._session = session
        self._outputs = outputs
        self._input_name: str = session.get_inputs()[0].name
        self.engine = engine

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        """See `Network.run`."""
        tensor = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)
        tensor *= np.float32(1 / 255)
        values = self._session.run(list(self._outputs), {self._input_name: tensor})
        return {
            name: value[0].transpose(1, 2, 0) if value.ndim == 4 else value[0]
            for name, value in zip(self._outputs, values, strict=True)
        }


class OnnxSettings(FrozenModel):
    """ONNX Runtime."""

    driver: Literal["onnx"] = "onnx"
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads inside one operator."""
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    """Execution providers in order of preference; every one of them must be there."""

    def open(self, bundle: Bundle) -> Network:
        """Load a bundle's ONNX network.

        Raises:
            BundleError: the network or its head is missing or altered.
            EngineUnavailable: ONNX Runtime, or a provider asked for, is not installed.
        """
        path = bundle.network_path("onnx")
        try:
            import onnxruntime
        except ImportError as error:
            raise EngineUnavailable(f"engine onnx needs the package onnxruntime ({error})", "install it") from error
        if missing := set(self.providers) - set(onnxruntime.get_available_providers()):
            raise EngineUnavailable(
                f"ONNX Runtime has no {', '.join(sorted(missing))} here; it offers "
                f"{', '.join(onnxruntime.get_available_providers())}",
                "change models.engine.providers",
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        # The arena keeps what the largest layer needed, rounded up: 9 MB that a board has no use for.
        options.enable_cpu_mem_arena = False
        # Without dot-product instructions sums of two products saturate at 16 bits and cells get other names: compute
        # exactly there. Elsewhere this changes nothing.
        options.add_session_config_entry("session.x64quantprecision", "1")
        # Idle threads that spin starve the camera and the display on a four-core board.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=list(self.providers))
        except Exception as error:  # the runtime raises its own, undocumented exception types
            why = " ".join(str(error).split())
            raise EngineUnavailable(
                f"ONNX Runtime cannot load {path}: {why}",
                "choose another engine in [models], or a bundle made for this one",
            ) from error
        outputs = bundle.manifest.files["onnx"].outputs
        return with_head(OnnxNetwork(session, outputs, f"onnxruntime {onnxruntime.__version__}"), bundle)
