"""The Raspberry Pi's camera through picamera2. Not run on hardware by us; tested against picamera_fake."""

import importlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import Field

from leukoscope.cameras.door import CameraDefaults
from leukoscope.cameras.lock import CameraLock
from leukoscope.cameras.planes import rgb_from_yuv420
from leukoscope.cameras.reopening import Recovery, RecoverySeconds
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable
from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.specimen.sample import Source
from leukoscope.system.clock import Clock, utc_now

_log = logging.getLogger("leukoscope")


class Library(Protocol):
    """What is used of the picamera2 module, or of picamera_fake."""

    Picamera2: Any


class PiCameraSettings(FrozenModel):
    """A camera on the Raspberry Pi's ribbon connector."""

    driver: Literal["picamera"] = "picamera"
    camera: int = Field(default=0, ge=0, le=7)
    """Number of the camera, as `rpicam-hello --list-cameras` counts."""
    width: int = Field(default=1280, ge=64, le=8192, multiple_of=2)
    """Pixels across, even."""
    height: int = Field(default=960, ge=64, le=8192, multiple_of=2)
    """Pixels down, even."""
    exposure_us: int = Field(default=8000, ge=20, le=10_000_000)
    """Locked exposure, microseconds."""
    analogue_gain: float = Field(default=1.0, ge=1.0, le=64.0)
    """Locked sensor gain."""
    colour_gains: tuple[float, float] = (1.8, 1.6)
    """Locked white balance (red, blue), each above 0 and at most 32."""
    timeout_s: float = Field(default=5.0, gt=0, le=120)
    """How long to wait for a frame, seconds."""
    recovery_s: RecoverySeconds = 60.0
    """How long a camera that stopped is opened again and again before that is a fault, seconds."""
    preview_width: int | None = Field(default=320, ge=64, le=1024, multiple_of=4)
    """Pixels across of the small picture beside each frame, at most `width`; None for none."""
    lock_folder: Path = Path("/run/lock")
    """Where the file lies that keeps a second program from taking the camera; must be writable."""

    @property
    def preview_size(self) -> tuple[int, int] | None:
        """(width, height) of the small picture, of the frame's form up to a pixel; both even."""
        if self.preview_width is None:
            return None
        width = min(self.preview_width, self.width)
        return width, max(2, 2 * round(width * self.height / self.width / 2))

    def open(self) -> "PiCamera":
        """Open, configure once and start.

        Raises:
            CameraUnavailable: picamera2 is not installed, or there is no such camera, or it is busy.
        """
        try:
            library = importlib.import_module("picamera2")
        except ImportError as problem:
            raise CameraUnavailable(
                f"picamera2 cannot be imported ({problem})",
                "install it with `apt install python3-picamera2` "
                "and make the virtual environment with --system-site-packages",
            ) from problem
        return PiCamera(self, library)


class PiCamera(CameraDefaults):
    """One configuration of two streams, set when it is opened: mode switches run the Pi out of camera memory."""

    def __init__(
        self,
        settings: PiCameraSettings,
        library: Library,
        now: Clock = utc_now,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._library, self._now = settings, library, now
        self._recovery = Recovery(settings.recovery_s, clock, pause)
        self._number = 0
        self._closed = False
        self._lock = CameraLock(settings.lock_folder / f"leukoscope-camera-{settings.camera}.lock")
        self._device: Any = None
        self._lock.take()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def source(self) -> Source:
        """Always live."""
        return Source.LIVE

    def capture(self) -> Frame:
        """A frame whose exposure began after this call, with what the sensor really used.

        Raises:
            CameraInterrupted: no frame within `timeout_s`, as when libcamera logs "Camera frontend has timed
                out", or picamera2 failed; the camera is opened again at the next call.
            CameraError: closed, or failing for longer than `recovery_s`.
        """
        if self._closed:
            raise CameraError(f"Pi camera {self._settings.camera} is closed", "open it again to capture")
        with self._recovery.attempt(self._stop):
            if self._device is None:
                self._start()
            pixels, preview, metadata = self._read()
            self._refuse_other_size(pixels)
        return self._frame(pixels, preview, metadata)

    def close(self) -> None:
        """Stop and release camera and lock; safe to call twice."""
        self._closed = True
        try:
            self._stop()
        finally:
            self._lock.release()

    def _start(self) -> None:
        number = self._settings.camera
        found = self._library.Picamera2.global_camera_info()
        if number >= len(found):
            names = ", ".join(str(camera.get("Model", "?")) for camera in found) or "none"
            raise CameraUnavailable(
                f"no Pi camera {number} (found: {names})",
                "check the ribbon cable; `rpicam-hello --list-cameras` lists what answers",
            )
        try:
            self._device = self._library.Picamera2(number)
            self._device.configure(self._configuration(self._device))
            self._device.start()
        except (RuntimeError, OSError, IndexError) as problem:
            self._stop()
            raise CameraUnavailable(
                f"Pi camera {number} does not start ({_root(problem)})", "does another program hold it?"
            ) from problem

    def _stop(self) -> None:
        device, self._device = self._device, None
        if device is None:
            return
        try:
            device.close()
        except (RuntimeError, OSError) as problem:
            # A camera whose frontend is dead may fail here too; the next attempt to open it reports what matters.
            _log.warning("Pi camera %d did not close: %s", self._settings.camera, problem)

    def _configuration(self, device: Any) -> Any:
        settings, small = self._settings, self._settings.preview_size
        return device.create_still_configuration(
            # picamera2 names formats by their little-endian word: "BGR888" is R, G, B in memory.
            main={"format": "BGR888", "size": (settings.width, settings.height)},
            # The only kind of format that every board makes for its second stream.
            lores=None if small is None else {"format": "YUV420", "size": small},
            # One buffer being read, one being filled.
            buffer_count=2,
            controls={
                "AeEnable": False,
                "AwbEnable": False,
                "ExposureTime": settings.exposure_us,
                "AnalogueGain": settings.analogue_gain,
                "ColourGains": settings.colour_gains,
            },
        )

    def _request(self) -> Any:
        number, timeout_s = self._settings.camera, self._settings.timeout_s
        try:
            return self._device.capture_request(wait=timeout_s, flush=True)
        except TimeoutError as problem:
            # Without this the abandoned job would swallow the next frame.
            self._device.cancel_all_and_flush()
            raise CameraTimeout(
                Sentence(
                    "Pi camera {number} sent no frame within {seconds} s", number=number, seconds=f"{timeout_s:g}"
                ),
                "check the ribbon cable",
            ) from problem
        except (RuntimeError, OSError) as problem:
            raise CameraError(f"Pi camera {number} failed ({problem})", "check the ribbon cable") from problem

    def _read(self) -> tuple[Any, Pixels | None, Mapping[str, Any]]:
        """Both pictures and the metadata of one request, which is given back."""
        small = self._settings.preview_size
        request = self._request()
        try:
            planes: Any = None if small is None else request.make_array("lores")
            pixels, metadata = request.make_array("main"), request.get_metadata()
        except (RuntimeError, OSError) as problem:
            raise CameraError(
                f"Pi camera {self._settings.camera} failed while reading a frame ({problem})", "check the ribbon cable"
            ) from problem
        finally:
            # A request that is not given back starves the camera within a few frames.
            request.release()
        return pixels, None if small is None else rgb_from_yuv420(planes, *small), metadata

    def _refuse_other_size(self, pixels: Any) -> None:
        settings = self._settings
        if pixels.shape != (settings.height, settings.width, 3):
            raise CameraError(
                f"Pi camera {settings.camera} sent {pixels.shape[1]}x{pixels.shape[0]} pixels instead of "
                f"{settings.width}x{settings.height}",
                "choose a size this sensor delivers",
            )

    def _frame(self, pixels: Any, preview: Pixels | None, metadata: Mapping[str, Any]) -> Frame:
        self._number += 1
        gains = metadata.get("ColourGains")
        return Frame(
            pixels=np.ascontiguousarray(pixels, dtype=np.uint8),
            number=self._number,
            captured_at=self._now(),
            source="picamera",
            exposure_us=_or_none(metadata.get("ExposureTime"), int),
            analogue_gain=_or_none(metadata.get("AnalogueGain"), float),
            colour_gains=None if gains is None else (float(gains[0]), float(gains[1])),
            preview=preview,
        )


def _or_none(value: Any, kind: Any) -> Any:
    return None if value is None else kind(value)


def _root(problem: BaseException) -> BaseException:
    """picamera2 wraps what libcamera said in errors of its own."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return problem
