"""Stands in for the picamera2 module: the calls the driver uses, with their habits, and faults on request.

Signatures follow picamera2 0.3.38; a contract test compares them with the published source.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leukoscope.cameras.planes import yuv420_from_rgb

CONTROLS = frozenset({"AeEnable", "AwbEnable", "ExposureTime", "AnalogueGain", "ColourGains", "FrameDurationLimits"})
"""Controls the fake sensor advertises; others are refused, as picamera2 does."""
LINE_US = 27
"""Exposures are whole sensor lines, so what was used differs a little from what was asked."""
LORES_ALIGNMENT = 64
"""Bytes to which the rows of the second stream are padded."""
Fault = Literal["none", "timeout", "unplugged"]


def _grey(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[...] = (200, 150, 100 + number % 100)
    return rgb


@dataclass
class Bench:
    """What is plugged into the fake board, shared by every Picamera2 made from it."""

    models: list[str] = field(default_factory=lambda: ["imx477"])
    """Sensors found, in order."""
    fault: Fault = "none"
    """What goes wrong from now on."""
    scene: Callable[[int, tuple[int, int]], NDArray[np.uint8]] = _grey
    """RGB picture of a frame, given its number and (width, height)."""
    sleep: Callable[[float], None] = time.sleep
    """How a missing frame is waited for."""
    acquired: set[int] = field(default_factory=set)
    """Numbers of the cameras in use; add one to make that camera busy."""
    configured: int = 0
    """How often any camera was configured."""
    unreleased: int = 0
    """Requests handed out and not given back."""


BENCH = Bench()
"""The board in use; replace its fields in a test, and call `reset` afterwards."""


def reset() -> None:
    """A fresh board with one camera and no faults."""
    fresh = Bench()
    for name in Bench.__dataclass_fields__:
        setattr(BENCH, name, getattr(fresh, name))


class CompletedRequest:
    """A captured frame; it occupies one of the camera's buffers until released."""

    def __init__(self, request: Any, picam2: "Picamera2") -> None:
        self.request = request
        self.picam2 = picam2
        self.ref_count = 1
        BENCH.unreleased += 1

    def make_array(self, name: str) -> NDArray[np.uint8]:
        """A copy of the picture; "BGR888" is red first in memory, "RGB888" blue first, "YUV420" has padded rows."""
        self._check(name)
        stream = self.picam2.config[name]
        rgb = BENCH.scene(self.request, stream["size"])
        if stream["format"] == "YUV420":
            return yuv420_from_rgb(rgb, LORES_ALIGNMENT)
        if stream["format"] == "RGB888":
            rgb = rgb[..., ::-1]
        return np.ascontiguousarray(rgb).copy()

    def get_metadata(self) -> dict[str, Any]:
        """What the sensor used for this frame."""
        self._check("main")
        controls = self.picam2.config["controls"]
        lines = max(round(controls.get("ExposureTime", 10_000) / LINE_US), 1)
        return {
            "SensorTimestamp": time.monotonic_ns(),
            "ExposureTime": lines * LINE_US,
            "AnalogueGain": round(controls.get("AnalogueGain", 1.0) * 16) / 16,
            "ColourGains": tuple(controls.get("ColourGains", (1.9, 1.5))),
        }

    def release(self) -> None:
        """Give the buffer back."""
        self.ref_count -= 1
        if self.ref_count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.picam2.held -= 1
        BENCH.unreleased -= 1

    def _check(self, name: str) -> None:
        if self.ref_count < 1 or self.picam2.config.get(name) is None:
            raise RuntimeError(f"Stream {name!r} is not defined")


class Picamera2:
    """One camera of the fake board."""

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        """Every camera found."""
        return [{"Model": model, "Num": number, "Id": f"/base/{number}"} for number, model in enumerate(BENCH.models)]

    def __init__(
        self, camera_num: int = 0, verbose_console: Any = None, tuning: Any = None, allocator: Any = None
    ) -> None:
        self.config: dict[str, Any] = {}
        self.held = 0
        self.number = 0
        self.started = False
        self.is_open = False
        if camera_num >= len(BENCH.models):
            raise RuntimeError(f"No camera number {camera_num} found")
        if camera_num in BENCH.acquired:
            busy = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from busy
        BENCH.acquired.add(camera_num)
        self.camera_idx = camera_num
        self.is_open = True

    def create_still_configuration(
        self,
        main: Mapping[str, Any] = {},
        lores: Any = None,
        raw: Any = {},  # noqa: B006
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 1,
        controls: Mapping[str, Any] = {},
        display: Any = None,
        encode: Any = None,
        queue: bool = True,
        sensor: Any = {},  # noqa: B006
        use_case: str = "still",
    ) -> dict[str, Any]:
        """A configuration for `configure`."""
        stream = {"format": "BGR888", "size": (4056, 3040)} | dict(main)
        return {
            "use_case": use_case,
            "buffer_count": buffer_count,
            "main": stream,
            "lores": None if lores is None else {"format": "YUV420", "size": stream["size"]} | dict(lores),
            "controls": dict(controls),
        }

    def configure(self, camera_config: Any = None) -> None:
        """Allocate buffers and take the controls."""
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        for name in camera_config["controls"]:
            if name not in CONTROLS:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        lores = camera_config["lores"]
        if lores is not None:
            if any(small > large for small, large in zip(lores["size"], camera_config["main"]["size"], strict=True)):
                raise RuntimeError("lores stream dimensions may not exceed main stream")
            if not lores["format"].startswith("YUV"):
                raise RuntimeError("lores stream must be YUV")
        self.config = camera_config
        BENCH.configured += 1

    def start(self, config: Any = None, show_preview: Any = False) -> None:
        """Let frames come."""
        if config is not None:
            self.configure(config)
        if not self.config:
            raise RuntimeError("Camera has not been configured")
        self.started = True

    def stop(self) -> None:
        """Let no more frames come."""
        self.started = False

    def capture_request(self, wait: Any = None, signal_function: Any = None, flush: Any = None) -> CompletedRequest:
        """The next frame; without a free buffer, or with a fault, none comes."""
        if not self.started:
            raise RuntimeError("Camera is not started")
        if BENCH.fault == "unplugged":
            raise RuntimeError("Camera frontend has disappeared")
        if BENCH.fault == "timeout" or self.held >= self.config["buffer_count"]:
            # The real call would wait for ever when no time is given; a test must not.
            BENCH.sleep(float(wait or 0))
            raise TimeoutError
        self.held += 1
        self.number += 1
        return CompletedRequest(self.number, self)

    def cancel_all_and_flush(self) -> None:
        """Forget jobs that no caller waits for."""

    def close(self) -> None:
        """Give the camera back."""
        if self.is_open:
            self.stop()
            BENCH.acquired.discard(self.camera_idx)
            self.is_open = False
