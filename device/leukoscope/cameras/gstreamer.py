"""Cameras that GStreamer reads: the CSI cameras of a Jetson, or any other pipeline. Not run on a Jetson by us.

The pipeline runs as a process of its own, `gst-launch-1.0`, and sends raw pictures through a pipe. OpenCV from the
package index has no GStreamer, and the bindings of a distribution fit one version of Python alone (a Jetson's is older
than ours); and a camera service that hangs or crashes, as NVIDIA's can, is ended without ending the instrument.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from pydantic import Field

from leukoscope.cameras.door import CameraDefaults
from leukoscope.cameras.pipeline import Pipeline
from leukoscope.cameras.reader import Reader
from leukoscope.cameras.reopening import Recovery, RecoverySeconds
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable
from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.specimen.sample import Source
from leukoscope.system.clock import Clock, utc_now

_STOP_S = 5.0
"""Seconds the reading thread may take to end once its process is gone."""


class GStreamerCameraSettings(FrozenModel):
    """A CSI camera of a Jetson by its parts, or whatever `pipeline` says."""

    driver: Literal["gstreamer"] = "gstreamer"
    pipeline: str | None = Field(default=None, min_length=1)
    """Elements from the source up to, not including, the sink, as gst-launch-1.0 takes them; RGB of width x height is
    asked for behind them. None makes the pipeline of a Jetson from the parts below."""
    width: int = Field(default=1280, ge=16, le=8192, multiple_of=4)
    """Pixels across."""
    height: int = Field(default=720, ge=16, le=8192)
    """Pixels down."""
    frame_rate: int = Field(default=15, ge=1, le=120)
    """Frames per second; each one is copied through a pipe, so not more than the instrument looks at."""
    sensor: int = Field(default=0, ge=0, le=15)
    """Jetson: number of the CSI sensor."""
    sensor_rate: int = Field(default=30, ge=1, le=240)
    """Jetson: frames per second of the sensor's mode."""
    exposure_us: int = Field(default=8000, ge=13, le=1_000_000)
    """Jetson: locked exposure, microseconds."""
    analogue_gain: float = Field(default=1.0, ge=1.0, le=64.0)
    """Jetson: locked sensor gain."""
    white_balance: Literal["auto", "incandescent", "fluorescent", "daylight"] = "daylight"
    """Jetson: which light the colours are set for; "auto" lets them drift."""
    stale_frames: int = Field(default=1, ge=0, le=10)
    """Frames passed over at each capture: the one under way may have begun before the stage came to rest."""
    timeout_s: float = Field(default=10.0, gt=0, le=120)
    """How long to wait for a frame, seconds; the first one includes starting the camera."""
    recovery_s: RecoverySeconds = 60.0
    """How long a camera that stopped is started again and again before that is a fault, seconds."""

    def open(self) -> "GStreamerCamera":
        """Start the pipeline and wait for its first picture.

        Raises:
            CameraUnavailable: GStreamer is not installed, or the pipeline does not run or gives no picture.
        """
        return GStreamerCamera(self)

    @property
    def source_elements(self) -> str:
        """Everything before the sink."""
        if self.pipeline is not None:
            return self.pipeline
        exposure_ns = 1000 * self.exposure_us
        modes = {"auto": 1, "incandescent": 2, "fluorescent": 3, "daylight": 5}
        size = f"width={self.width},height={self.height}"
        return (
            f"nvarguscamerasrc sensor-id={self.sensor} wbmode={modes[self.white_balance]} aelock=true"
            f' exposuretimerange="{exposure_ns} {exposure_ns}"'
            f' gainrange="{self.analogue_gain:g} {self.analogue_gain:g}" ispdigitalgainrange="1 1"'
            f" ! video/x-raw(memory:NVMM),format=NV12,{size},framerate={self.sensor_rate}/1"
            f" ! nvvidconv ! video/x-raw,format=BGRx,{size}"
        )

    @property
    def sink_elements(self) -> str:
        """From the source to plain RGB rows; drops a frame that was not read before the next came."""
        return (
            f"videorate drop-only=true max-rate={self.frame_rate} ! videoconvert"
            f" ! video/x-raw,format=RGB,width={self.width},height={self.height}"
            " ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0"
        )


@dataclass(frozen=True, slots=True)
class _Shot:
    pixels: Pixels
    arrived_at: datetime


class GStreamerCamera(CameraDefaults):
    """Frames from a pipeline that is started again when it stops."""

    def __init__(
        self,
        settings: GStreamerCameraSettings,
        now: Clock = utc_now,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._now = settings, now
        self._recovery = Recovery(settings.recovery_s, clock, pause)
        self._number = 0
        self._closed = False
        self._pipeline: Pipeline | None = None
        self._reader: Reader[_Shot] | None = None
        try:
            self._start()
            self._next(0)
        except CameraError as problem:
            self._stop()
            raise CameraUnavailable(problem.happened, problem.todo) from problem
        except BaseException:
            self._stop()
            raise

    @property
    def source(self) -> Source:
        """Always live."""
        return Source.LIVE

    def capture(self) -> Frame:
        """A frame that began after this call; a pipeline that stopped is started again.

        Raises:
            CameraInterrupted: silent for `timeout_s`, or the pipeline ended: ask again.
            CameraError: closed, or failing for longer than `recovery_s`.
        """
        if self._closed:
            raise CameraError("the GStreamer camera is closed", "open it again to capture")
        with self._recovery.attempt(self._stop):
            if self._reader is None:
                self._start()
            shot = self._next(self._settings.stale_frames)
        self._number += 1
        return Frame(shot.pixels, self._number, shot.arrived_at, "gstreamer")

    def close(self) -> None:
        """End the pipeline; safe to call twice."""
        self._closed = True
        self._stop()

    def _start(self) -> None:
        settings = self._settings
        row = 3 * settings.width
        buffer = bytearray(row * settings.height)
        pipeline = Pipeline(f"{settings.source_elements} ! {settings.sink_elements}")
        self._pipeline = pipeline

        def retrieve() -> _Shot:
            pixels = np.frombuffer(buffer, np.uint8).reshape(settings.height, settings.width, 3)
            return _Shot(pixels.copy(), self._now())

        self._reader = Reader(lambda: pipeline.fill(buffer), retrieve, pipeline.close, "camera gstreamer")

    def _stop(self) -> None:
        if self._pipeline is not None:
            self._pipeline.end()
            self._pipeline = None
        if self._reader is not None:
            self._reader.stop(_STOP_S)
            self._reader = None

    def _next(self, skip: int) -> _Shot:
        if self._reader is None:
            raise CameraError("the GStreamer camera is not started", "open it again to capture")
        shot = self._reader.next(skip, self._settings.timeout_s)
        if shot is None:
            raise CameraTimeout(
                Sentence("no picture from the pipeline within {seconds} s", seconds=f"{self._settings.timeout_s:g}"),
                "check the camera's cable",
            )
        return shot
