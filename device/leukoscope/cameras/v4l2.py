"""USB and CSI cameras through Video4Linux and OpenCV. Not run on hardware by us."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from pydantic import Field

from leukoscope.cameras.door import CameraDefaults
from leukoscope.cameras.reader import Reader
from leukoscope.cameras.reopening import Recovery, RecoverySeconds
from leukoscope.cameras.v4l2_locking import lock_controls, lock_picture
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable
from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.specimen.sample import Source
from leukoscope.system.clock import Clock, utc_now

SILENT_S = 2
"""Seconds after which OpenCV gives up waiting inside one read; its own default is 10."""
RELEASE_S = SILENT_S + 1.0
"""Seconds a silent device may take to be let go of."""


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

    def retrieve(self) -> tuple[bool, Any]:
        """Decode the frame grabbed last, BGR."""

    def release(self) -> None:
        """Let go of the device."""


class V4l2CameraSettings(FrozenModel):
    """A camera under /dev/video*."""

    driver: Literal["v4l2"] = "v4l2"
    device: int | str = 0
    """Number of /dev/video*, or a path; /dev/v4l/by-id/… stays the same when the camera is plugged in anew."""
    width: int = Field(default=640, ge=16, le=8192)
    """Pixels across; the camera must deliver exactly this."""
    height: int = Field(default=480, ge=16, le=8192)
    """Pixels down; the camera must deliver exactly this."""
    pixel_format: str | None = Field(default=None, min_length=4, max_length=4)
    """Four letters such as "MJPG" or "YUYV", read back after setting; None leaves the camera's own."""
    exposure_us: int | None = Field(default=None, ge=100, le=10_000_000)
    """Locked exposure, microseconds, in steps of 100, read back to within 10 %; None leaves it automatic."""
    white_balance_k: int | None = Field(default=None, ge=1000, le=20_000)
    """Locked white balance, kelvin, read back to within 10 %; None leaves it automatic."""
    stale_frames: int = Field(default=1, ge=0, le=10)
    """Frames passed over at each capture: the one under way may have begun before the stage came to rest."""
    timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long to wait for a frame, seconds."""
    recovery_s: RecoverySeconds = 60.0
    """How long a camera that stopped or was unplugged is opened again and again before that is a fault, seconds."""

    def open(self) -> "V4l2Camera":
        """Open the device and lock what the settings name.

        Raises:
            CameraUnavailable: it is missing or busy, or refuses a format, a size, an exposure or a white balance.
        """
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        # OpenCV reads this once, when it first waits for a frame.
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(SILENT_S))
        return V4l2Camera(self, lambda device: cv2.VideoCapture(device, backend))


@dataclass(frozen=True, slots=True)
class _Shot:
    bgr: Any
    arrived_at: datetime
    exposure_us: int | None


class V4l2Camera(CameraDefaults):
    """Frames from one video device, which may be unplugged and come back."""

    def __init__(
        self,
        settings: V4l2CameraSettings,
        connect: Callable[[int | str], VideoCapture],
        now: Clock = utc_now,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._connect, self._now = settings, connect, now
        self._recovery = Recovery(settings.recovery_s, clock, pause)
        self._number = 0
        self._closed = False
        # Elsewhere than on Linux a camera is not a file.
        self._was_there = Path(self._place).exists()
        self._reader: Reader[_Shot] | None = None
        self._leaving: Reader[_Shot] | None = None
        self._reader = self._opened()

    @property
    def source(self) -> Source:
        """Always live."""
        return Source.LIVE

    def capture(self) -> Frame:
        """A frame that began after this call; a camera that was away is opened and locked anew.

        Raises:
            CameraInterrupted: silent for `timeout_s`, unplugged, failed, or of another size: ask again.
            CameraError: closed, or away for longer than `recovery_s`.
        """
        if self._closed:
            raise CameraError(f"the camera at {self._place} is closed", "open it again to capture")
        with self._recovery.attempt(self._drop):
            if self._reader is None:
                self._reader = self._opened()
            shot = self._reader.next(self._settings.stale_frames, self._settings.timeout_s)
            if shot is None:
                raise CameraTimeout(
                    Sentence(
                        "the camera at {place} sent no frame within {seconds} s",
                        place=self._place,
                        seconds=f"{self._settings.timeout_s:g}",
                    ),
                    "check its cable",
                )
            pixels = self._checked(shot.bgr)
        self._number += 1
        return Frame(
            pixels=pixels,
            number=self._number,
            captured_at=shot.arrived_at,
            source=f"v4l2:{self._settings.device}",
            exposure_us=shot.exposure_us,
        )

    def close(self) -> None:
        """Release the device; safe to call twice. One that is silent is released as soon as it lets go."""
        self._closed = True
        self._drop()
        if self._leaving is not None:
            self._leaving.stop(RELEASE_S)

    @property
    def _place(self) -> str:
        device = self._settings.device
        return f"/dev/video{device}" if isinstance(device, int) else device

    def _drop(self) -> None:
        if self._reader is not None:
            self._reader.stop(0)
            self._leaving, self._reader = self._reader, None

    def _opened(self) -> Reader[_Shot]:
        if self._leaving is not None and not self._leaving.stop(RELEASE_S):
            raise CameraUnavailable(f"the camera at {self._place} is silent and still held", "unplug it and plug it in")
        self._leaving = None
        self._refuse_missing()
        capture = self._connect(self._settings.device)
        try:
            if not capture.isOpened():
                self._refuse_missing()
                raise self._not_open()
            lock_picture(capture, self._settings, self._place)
            lock_controls(capture, self._settings, self._place)
        except BaseException:
            capture.release()
            raise
        return Reader(
            lambda: self._grab(capture), lambda: self._retrieve(capture), capture.release, f"camera {self._place}"
        )

    def _not_open(self) -> CameraUnavailable:
        there = self._was_there or Path(self._place).exists()
        happened = "is there but does not open" if there else "is not there"
        todo = "does another program hold it?" if there else "is it plugged in?"
        return CameraUnavailable(
            f"the camera at {self._place} {happened}", f"{todo} `leukoscope doctor` lists what answers"
        )

    def _refuse_missing(self) -> None:
        """A device that has been a file and is none now; OpenCV would only complain on standard error."""
        self._was_there = self._was_there or Path(self._place).exists()
        if self._was_there and not Path(self._place).exists():
            raise CameraUnavailable(Sentence("the camera at {place} is gone", place=self._place), "plug it in")

    def _grab(self, capture: VideoCapture) -> bool:
        try:
            arrived = capture.grab()
        except cv2.error as problem:
            raise CameraError(f"the camera at {self._place} failed ({problem})", "plug it in anew") from problem
        if not arrived:
            self._refuse_missing()
        return arrived

    def _retrieve(self, capture: VideoCapture) -> _Shot:
        try:
            arrived, bgr = capture.retrieve()
        except cv2.error as problem:
            raise CameraError(f"the camera at {self._place} failed ({problem})", "plug it in anew") from problem
        if not arrived or bgr is None:
            raise CameraError(f"the camera at {self._place} sent a frame that cannot be decoded", "check its cable")
        return _Shot(bgr, self._now(), self._exposure_us(capture))

    def _exposure_us(self, capture: VideoCapture) -> int | None:
        if self._settings.exposure_us is None:
            return None
        return round(capture.get(cv2.CAP_PROP_EXPOSURE) * 100) or None

    def _checked(self, bgr: Any) -> Pixels:
        expected = (self._settings.height, self._settings.width, 3)
        if bgr.shape != expected:
            raise CameraError(
                f"the camera at {self._place} sent {bgr.shape[1]}x{bgr.shape[0]} pixels instead of "
                f"{expected[1]}x{expected[0]}",
                "another program may have changed it",
            )
        return np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)
