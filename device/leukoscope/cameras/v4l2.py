"""USB and CSI cameras through Video4Linux and OpenCV. Not run on hardware by us."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.cameras.door import Now, utc_now
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable
from leukoscope.schema import FrozenModel
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source

_MANUAL, _AUTOMATIC = 1, 3
"""Values of V4L2_CID_EXPOSURE_AUTO: manual, and aperture priority (what webcams call automatic)."""
_EXPOSURE_UNIT_US = 100
"""V4L2_CID_EXPOSURE_ABSOLUTE counts in 100 microseconds."""


class VideoCapture(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's spelling)
        """Whether a device answered."""

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        """Ask for a property; True where the driver accepted it."""

    def get(self, propId: int) -> float:  # noqa: N803
        """A property's value, 0 where it is unknown."""

    def grab(self) -> bool:
        """Take the next frame without decoding it."""

    def read(self) -> tuple[bool, Any]:
        """Take and decode the next frame, BGR."""

    def release(self) -> None:
        """Let go of the device."""


class V4l2CameraSettings(FrozenModel):
    """A camera under /dev/video*."""

    driver: Literal["v4l2"] = "v4l2"
    device: int | str = 0
    """Number of /dev/video*, or a path; /dev/v4l/by-id/… stays the same when other cameras come and go."""
    width: int = Field(default=640, ge=16, le=8192)
    """Pixels across; the camera must deliver exactly this."""
    height: int = Field(default=480, ge=16, le=8192)
    """Pixels down; the camera must deliver exactly this."""
    pixel_format: str | None = Field(default=None, min_length=4, max_length=4)
    """Four letters such as "MJPG" or "YUYV"; None leaves the camera's own."""
    exposure_us: int | None = Field(default=None, ge=100, le=10_000_000)
    """Locked exposure, microseconds, in steps of 100; None leaves it automatic."""
    stale_frames: int = Field(default=1, ge=0, le=10)
    """Frames thrown away before each capture: the driver may still hold one from before the stage moved."""
    timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long to wait for a frame, seconds. OpenCV itself notices a silent device only after 10 s."""

    def open(self) -> "V4l2Camera":
        """Open the device and lock its size and exposure.

        Raises:
            CameraUnavailable: it is missing or busy, or refuses the size or the exposure.
        """
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        return V4l2Camera(self, lambda device: cv2.VideoCapture(device, backend))


class V4l2Camera:
    """Frames from one video device."""

    def __init__(
        self,
        settings: V4l2CameraSettings,
        connect: Callable[[int | str], VideoCapture],
        now: Now = utc_now,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._now, self._clock, self._pause = settings, now, clock, pause
        self._number = 0
        # Elsewhere than on Linux a camera is not a file.
        self._was_there = Path(self._place).exists()
        self._capture: VideoCapture | None = connect(settings.device)
        try:
            self._configure(self._capture)
        except CameraUnavailable:
            self.close()
            raise

    @property
    def source(self) -> Source:
        """Always live."""
        return Source.LIVE

    def capture(self) -> Frame:
        """A frame that began after this call.

        Raises:
            CameraTimeout: no frame came within `timeout_s`.
            CameraError: closed, unplugged, or the frame has another size than asked for.
        """
        if self._capture is None:
            raise CameraError(f"the camera at {self._place} is closed: open it again to capture")
        try:
            for _ in range(self._settings.stale_frames):
                self._capture.grab()
            bgr = self._next(self._capture)
        except cv2.error as problem:
            raise CameraError(f"the camera at {self._place} failed ({problem}): start again") from problem
        expected = (self._settings.height, self._settings.width, 3)
        if bgr.shape != expected:
            raise CameraError(
                f"the camera at {self._place} sent {bgr.shape[1]}x{bgr.shape[0]} pixels instead of "
                f"{expected[1]}x{expected[0]}: another program may have changed it"
            )
        self._number += 1
        return Frame(
            pixels=np.ascontiguousarray(bgr[..., ::-1]),
            number=self._number,
            captured_at=self._now(),
            source=f"v4l2:{self._settings.device}",
            exposure_us=self._exposure_us(self._capture),
        )

    def close(self) -> None:
        """Release the device; safe to call twice."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    @property
    def _place(self) -> str:
        device = self._settings.device
        return f"/dev/video{device}" if isinstance(device, int) else device

    def _configure(self, capture: VideoCapture) -> None:
        settings = self._settings
        if not capture.isOpened():
            what = (
                "is there but does not open: does another program hold it?"
                if self._was_there
                else "is not there: is it plugged in?"
            )
            raise CameraUnavailable(f"the camera at {self._place} {what} `leukoscope doctor` lists what answers")
        if settings.pixel_format is not None:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.pixel_format))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        # Not every backend knows this one; `stale_frames` covers for it.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        found = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        if found != (settings.width, settings.height):
            raise CameraUnavailable(
                f"the camera at {self._place} offers {found[0]}x{found[1]} pixels instead of "
                f"{settings.width}x{settings.height}: set `width` and `height` to a size it has"
            )
        self._set_exposure(capture)

    def _set_exposure(self, capture: VideoCapture) -> None:
        wanted = self._settings.exposure_us
        if wanted is None:
            capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC)
            return
        manual = capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        if not (manual and capture.set(cv2.CAP_PROP_EXPOSURE, round(wanted / _EXPOSURE_UNIT_US))):
            raise CameraUnavailable(
                f"the camera at {self._place} refuses a locked exposure of {wanted} us: "
                "leave `exposure_us` out, or use a camera with manual exposure"
            )

    def _exposure_us(self, capture: VideoCapture) -> int | None:
        if self._settings.exposure_us is None:
            return None
        return round(capture.get(cv2.CAP_PROP_EXPOSURE) * _EXPOSURE_UNIT_US) or None

    def _next(self, capture: VideoCapture) -> NDArray[np.uint8]:
        deadline = self._clock() + self._settings.timeout_s
        while True:
            arrived, bgr = capture.read()
            if arrived and bgr is not None:
                return np.asarray(bgr, dtype=np.uint8)
            if self._was_there and not Path(self._place).exists():
                raise CameraError(f"the camera at {self._place} is gone: plug it in and start again")
            if self._clock() >= deadline:
                raise CameraTimeout(
                    f"the camera at {self._place} sent no frame within {self._settings.timeout_s:g} s: "
                    "check its cable, then start again"
                )
            self._pause(0.02)
