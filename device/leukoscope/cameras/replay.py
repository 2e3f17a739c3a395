"""Plays back a folder of pictures, one picture or a video file, in order and once."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from pydantic import Field

from leukoscope.cameras.door import CameraDefaults
from leukoscope.cameras.picture_files import left_out, pictures_in
from leukoscope.cameras.picture_kinds import SUFFIXES
from leukoscope.cameras.pictures import MAX_PIXELS, read_pages
from leukoscope.cameras.video import Video
from leukoscope.errors import CameraError, CameraUnavailable, PictureError
from leukoscope.schema import FrozenModel
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.specimen.sample import Source
from leukoscope.system.clock import Clock, utc_now


class ReplayCameraSettings(FrozenModel):
    """Pictures that were taken before."""

    driver: Literal["replay"] = "replay"
    path: Path
    """A folder of pictures, one picture, or a video file."""
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=80_000_000)
    """Larger pictures are skipped and reported; pixels per picture."""
    pace: Literal["video_clock", "as_fast_as_possible"] = "video_clock"
    """How a video is played: by its own clock from the first capture on, so that a slow reader misses frames as with
    a live camera; or each frame in turn, however long that takes. Pictures in a folder always come in turn."""

    def open(self) -> "ReplayCamera":
        """A camera at the first picture.

        Raises:
            CameraUnavailable: there is nothing at the path that could be replayed.
        """
        return ReplayCamera(self)


CUT_SHORT_SHARE, CUT_SHORT_FRAMES = 0.03, 3
"""A recording is cut short when more than this share of the frames it states is missing, and more than so many: some
containers state an estimate."""


class ReplayCamera(CameraDefaults):
    """Delivers each readable picture once; what it had to pass over is in `skipped`."""

    repeatable = False

    def __init__(
        self,
        settings: ReplayCameraSettings,
        now: Clock = utc_now,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._now = settings, now
        self._clock, self._pause = clock, pause
        self.skipped: list[tuple[Path, str]] = []
        """Pictures passed over so far, each with the reason."""
        self.stills = settings.path.is_dir() or settings.path.suffix.lower() in SUFFIXES
        """Stored pictures; the frames of a recording show a stage that moves."""
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
            CameraError: closed, not one of the pictures could be read, or a recording ends before its last frame.
        """
        if self._closed:
            raise CameraError("the replay is closed", "open it again to capture")
        for name, pixels in self._pictures:
            self._number += 1
            return Frame(pixels, self._number, self._now(), "replay", label=name.name)
        if self._number == 0:
            path, reason = self.skipped[0] if self.skipped else (self._settings.path, "it holds no frame")
            raise CameraError(
                f"nothing could be replayed; the first problem was {path.name}: {reason}",
                "see what the file holds, or give another",
            )
        return None

    def close(self) -> None:
        """Forget the pictures and release the video; safe to call twice."""
        self._closed = True
        self._pictures = iter(())

    def _begin(self, path: Path) -> Iterator[tuple[Path, Pixels]]:
        if path.is_dir():
            pictures = pictures_in(path)
            if not pictures:
                kinds = " ".join(sorted(suffix[1:] for suffix in SUFFIXES))
                raise CameraUnavailable(
                    f"no pictures to replay in {path}: expected files of type {kinds}", "give another folder"
                )
            self.skipped += [(other, "left out, it is of a kind that is not read") for other in left_out(path)]
            return self._read(pictures)
        if not path.exists():
            raise CameraUnavailable(f"nothing to replay at {path}", "check `path` in the camera settings")
        if path.suffix.lower() in SUFFIXES:
            return self._read([path])
        kinds = " ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        try:
            video = Video(path)
        except CameraUnavailable as problem:
            raise CameraUnavailable(
                f"{path} is neither a video nor a picture of type {kinds}", "convert it first"
            ) from problem
        return self._each(video) if self._settings.pace == "as_fast_as_possible" else self._live(video)

    def _each(self, video: Video) -> Iterator[tuple[Path, Pixels]]:
        with closing(video):
            while video.advance():
                yield video.name, video.picture()
            _refuse_cut_short(video)

    def _live(self, video: Video) -> Iterator[tuple[Path, Pixels]]:
        """The frame that would be on a screen now; waits for one that is not due yet."""
        with closing(video):
            begun_s = self._clock()
            while video.advance():
                elapsed_s = self._clock() - begun_s
                if video.due_s + video.interval_s <= elapsed_s:
                    continue
                if video.due_s > elapsed_s:
                    self._pause(video.due_s - elapsed_s)
                yield video.name, video.picture()
            _refuse_cut_short(video)

    def _read(self, pictures: list[Path]) -> Iterator[tuple[Path, Pixels]]:
        for path in pictures:
            try:
                for name, pixels in read_pages(path, self._settings.max_pixels):
                    yield path.with_name(name), pixels
            except PictureError as problem:
                self.skipped.append((path, str(problem)))


def _refuse_cut_short(video: Video) -> None:
    missing = video.stated_frames - video.frames
    if missing > max(CUT_SHORT_FRAMES, CUT_SHORT_SHARE * video.stated_frames):
        raise CameraError(
            f"the recording ends after {video.frames} of {video.stated_frames} frames, it was cut short",
            "copy it again from its source",
        )
