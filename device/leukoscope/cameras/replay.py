"""Plays back a folder of pictures, one picture or a video file, in order and once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from leukoscope.cameras.door import Now, utc_now
from leukoscope.cameras.pictures import MAX_PIXELS, SUFFIXES, find_pictures, read_picture
from leukoscope.errors import CameraError, CameraUnavailable, PictureError
from leukoscope.schema import FrozenModel
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.specimen.sample import Source


class ReplayCameraSettings(FrozenModel):
    """Pictures that were taken before."""

    driver: Literal["replay"] = "replay"
    path: Path
    """A folder of pictures, one picture, or a video file."""
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=80_000_000)
    """Larger pictures are skipped, and told; pixels per picture."""

    def open(self) -> "ReplayCamera":
        """A camera at the first picture.

        Raises:
            CameraUnavailable: there is nothing at the path that could be replayed.
        """
        return ReplayCamera(self)


class ReplayCamera:
    """Delivers each readable picture once; what it had to pass over is in `skipped`."""

    def __init__(self, settings: ReplayCameraSettings, now: Now = utc_now) -> None:
        self._settings, self._now = settings, now
        self.skipped: list[tuple[Path, str]] = []
        """Pictures passed over so far, each with the reason."""
        self._number = 0
        self._closed = False
        self._pictures = self._begin(settings.path)

    @property
    def source(self) -> Source:
        """Always replayed."""
        return Source.REPLAYED

    def capture(self) -> Frame | None:
        """The next readable picture, or None after the last.

        Raises:
            CameraError: closed, or not one of the pictures could be read.
        """
        if self._closed:
            raise CameraError("the replay is closed: open it again to capture")
        for name, pixels in self._pictures:
            self._number += 1
            return Frame(pixels, self._number, self._now(), "replay", label=name.name)
        if self._number == 0:
            path, reason = self.skipped[0] if self.skipped else (self._settings.path, "it holds no frame")
            raise CameraError(f"nothing could be replayed; the first problem was {path.name}: {reason}")
        return None

    def close(self) -> None:
        """Forget the pictures and release the video; safe to call twice."""
        self._closed = True
        self._pictures = iter(())

    def _begin(self, path: Path) -> Iterator[tuple[Path, Pixels]]:
        if path.is_dir():
            pictures = find_pictures(path)
            if not pictures:
                kinds = " ".join(sorted(suffix[1:] for suffix in SUFFIXES))
                raise CameraUnavailable(f"no pictures to replay in {path}: expected files of type {kinds}")
            return self._read(pictures)
        if not path.exists():
            raise CameraUnavailable(f"nothing to replay at {path}: check `path` in the camera settings")
        if path.suffix.lower() in SUFFIXES:
            return self._read([path])
        return _play(path)

    def _read(self, pictures: list[Path]) -> Iterator[tuple[Path, Pixels]]:
        for path in pictures:
            try:
                yield path, read_picture(path, self._settings.max_pixels)
            except PictureError as problem:
                self.skipped.append((path, str(problem)))


def _play(path: Path) -> Iterator[tuple[Path, Pixels]]:
    """Frames of a video, opened at once so that a bad file is told when the camera is opened."""
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        kinds = " ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise CameraUnavailable(f"{path} is neither a video nor a picture of type {kinds}: convert it first")
    return _frames(path, video)


def _frames(path: Path, video: cv2.VideoCapture) -> Iterator[tuple[Path, Pixels]]:
    try:
        number = 0
        while True:
            arrived, bgr = video.read()
            if not arrived:
                return
            number += 1
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            yield path.with_name(f"{path.name}#{number}"), np.ascontiguousarray(rgb, dtype=np.uint8)
    finally:
        video.release()
