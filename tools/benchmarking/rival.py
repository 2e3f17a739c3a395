"""Any other ONNX detector, to be timed beside ours; what it answers is not looked at."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarking.clock import Time, timed
from benchmarking.peak import count_macs, one_thread_options, open_session
from leukoscope.errors import BundleError
from leukoscope.specimen.frame import Pixels

OPEN_SIDE = 640
"""Rows and columns for a network that leaves them open, as most detectors are compared at."""


class Rival:
    """A network of one picture input, float or 8-bit, one thread."""

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises:
            BundleError: the file is missing, or its input is no picture.
            EngineUnavailable: ONNX Runtime is not installed or cannot load it.
        """
        if not path.is_file():
            raise BundleError(f"no network at {path}", "give an ONNX file")
        self._session = open_session(path, one_thread_options())
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            found = ", ".join(f"{one.name} {one.shape}" for one in inputs)
            raise BundleError(
                f"{path}: expected one input of four dimensions, a picture; found {found}",
                "give a network for pictures",
            )
        self._input, self._kind = inputs[0].name, inputs[0].type
        if self._kind not in _FILLERS:
            raise BundleError(
                f"{path}: expected an input of {', '.join(_FILLERS)}; found {self._kind}",
                "give a network of one of these types",
            )
        self.path = path
        self.shape = _closed(path, inputs[0].shape)
        self.macs = count_macs(path, self.tensor(np.zeros((8, 8, 3), dtype=np.uint8)))

    def tensor(self, pixels: Pixels) -> NDArray[np.generic]:
        """A picture as the network takes it: resized to its input, in its layout and type."""
        channels_last = self.shape[1] not in (1, 3)
        rows, cols = self.shape[1:3] if channels_last else self.shape[2:]
        channels = self.shape[3] if channels_last else self.shape[1]
        small = np.asarray(cv2.resize(pixels, (cols, rows), interpolation=cv2.INTER_AREA))[..., :channels]
        placed = small if channels_last else small.transpose(2, 0, 1)
        return _FILLERS[self._kind](np.ascontiguousarray(placed[None]))

    def run(self, tensor: NDArray[np.generic]) -> Time:
        """How long the network alone took; making the tensor is not counted against it."""
        return timed(lambda: self._session.run(None, {self._input: tensor}))


_FILLERS: dict[str, Callable[[Pixels], NDArray[np.generic]]] = {
    "tensor(float)": lambda levels: levels.astype(np.float32) / np.float32(255),
    "tensor(float16)": lambda levels: (levels / np.float32(255)).astype(np.float16),
    "tensor(uint8)": lambda levels: levels,
    "tensor(int8)": lambda levels: (levels.astype(np.int16) - 128).astype(np.int8),
}


def _closed(path: Path, shape: list[int | str | None]) -> tuple[int, int, int, int]:
    """The input's shape with one picture, and with OPEN_SIDE where the file leaves a side open."""
    batch, *rest = (size if isinstance(size, int) and size > 0 else None for size in shape)
    if batch not in (None, 1) or not ({1, 3} & {rest[0], rest[2]}):
        raise BundleError(
            f"{path}: expected an input of one picture of 1 or 3 channels, found {shape}", "give a network for pictures"
        )
    first, second, third = (size or OPEN_SIDE for size in rest)
    return 1, first, second, third
