"""A video file, frame by frame, with the time at which each is due."""

from pathlib import Path

import cv2
import numpy as np

from leukoscope.errors import CameraError, CameraUnavailable
from leukoscope.specimen.frame import Pixels

_FALLBACK_RATE = 25.0
"""Frames per second of a file that does not say."""


class Video:
    """A video that is open; frames are decoded only when asked for."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            CameraUnavailable: it is no video that OpenCV can read.
        """
        self._path = path
        self._video = cv2.VideoCapture(str(path))
        if not self._video.isOpened():
            raise CameraUnavailable(f"no video can be read from {path}", "check the file")
        rate = self._video.get(cv2.CAP_PROP_FPS)
        self.interval_s = 1 / (rate if 0 < rate < 1000 else _FALLBACK_RATE)
        """Seconds from one frame to the next, on average."""
        self.due_s = 0.0
        """When the frame advanced to last is due, seconds from the beginning."""
        self.stated_frames = max(0, int(self._video.get(cv2.CAP_PROP_FRAME_COUNT)))
        """Frames that the file states, or its index implies; 0 where it does not say."""
        self._number = 0

    @property
    def frames(self) -> int:
        """Frames that were there so far."""
        return self._number

    @property
    def name(self) -> Path:
        """The file's path with the number of the frame behind it, from 1."""
        return self._path.with_name(f"{self._path.name}#{self._number}")

    def advance(self) -> bool:
        """Go on to the next frame without decoding it; False at the end."""
        if not self._video.grab():
            return False
        # The file's own time stamps count, since a rate may vary; some containers have none.
        stamped_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self.due_s = max(self.due_s, stamped_s) if stamped_s > 0 else self._number * self.interval_s
        self._number += 1
        return True

    def picture(self) -> Pixels:
        """The frame advanced to last, RGB (rows, cols, 3).

        Raises:
            CameraError: it cannot be decoded.
        """
        arrived, bgr = self._video.retrieve()
        if not arrived:
            raise CameraError(f"frame {self._number} of {self._path} cannot be decoded", "convert the video anew")
        return np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def close(self) -> None:
        """Release the file."""
        self._video.release()
