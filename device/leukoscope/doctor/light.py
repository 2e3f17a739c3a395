"""The camera and the light in front of it: a frame, its exposure, dead pixels, and whether the lamp grows dim."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leukoscope.cameras.held import held
from leukoscope.errors import CameraError, LeukoscopeError
from leukoscope.optics.calibration import STORED, Calibration, grid_from, read_kept
from leukoscope.optics.calibration_record import read_record
from leukoscope.optics.levels import Levels
from leukoscope.optics.quality import SATURATED
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.system.assets import find_asset

FRAMES = 3
"""A pixel is dead when it is so in each of so many frames; noise is not."""
ISOLATED = 40
"""Grey levels beyond all eight neighbours: no objective draws a point of a single pixel."""
MOST_DEAD_SHARE = 1e-4
DIM = 0.75
"""Share of the light that was there at calibration, below which the lamp is at its end or was turned down."""


def check_camera(settings: BenchSettings, near: Path) -> str:
    """Take a few frames and judge them.

    Raises:
        CameraError: there is none, it is over- or underexposed, or the sensor has many dead pixels.
        CalibrationError: the calibration was made for another camera.
    """
    frames = _take(settings, near)
    frame = frames[0]
    _refuse_foreign(settings, near, frame)
    rows, cols = frame.pixels.shape[:2]
    text = Sentence(
        "{camera}: a frame of {size} pixels, mean brightness {mean} of 255",
        camera=Verbatim(frame.source),
        size=f"{cols}x{rows}",
        mean=f"{frame.pixels.mean():.0f}",
    )
    if frame.source in STORED:
        return text
    background = Levels.of(np.ascontiguousarray(frame.pixels[..., 1])).percentile(97)
    clipped = float((frame.pixels >= SATURATED).all(axis=2).mean())
    limits = settings.quality
    if background < limits.min_brightness:
        raise CameraError(
            Sentence(
                "{text}; background {found}, expected {least}",
                text=text,
                found=f"{background:.0f}",
                least=f"{limits.min_brightness:.0f}",
            ),
            "is the lamp on? Turn it up, or lengthen the exposure",
        )
    if clipped > limits.max_saturated_share:
        raise CameraError(
            Sentence("{text}; {share} of it clipped", text=text, share=f"{clipped:.0%}"),
            "turn the lamp down, or shorten the exposure",
        )
    dead = dead_pixels([one.pixels for one in frames])
    if dead > MOST_DEAD_SHARE * rows * cols:
        raise CameraError(
            Sentence("{text}; {dead} dead pixels", text=text, dead=dead), "calibrate dark again, or replace the sensor"
        )
    judged = Sentence("{text}, {share} clipped, {dead} dead pixels", text=text, share=f"{clipped:.1%}", dead=dead)
    lamp = _lamp(settings, near, background)
    return judged if lamp is None else Sentence("{judged}, {lamp}", judged=judged, lamp=lamp)


def dead_pixels(pictures: Sequence[Pixels]) -> int:
    """Pixels that stand out from all eight neighbours in each picture, in the same colour; all of shape (r, c, 3)."""
    isolated = np.ones(pictures[0].shape, dtype=bool)
    for picture in pictures:
        high, low = _extremes_around(picture)
        isolated &= (picture.astype(np.int16) - high > ISOLATED) | (low - picture.astype(np.int16) > ISOLATED)
    return int(isolated.any(axis=2).sum())


def _extremes_around(picture: Pixels) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """The brightest and the darkest of each pixel's eight neighbours."""
    rows, cols = picture.shape[:2]
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="reflect").astype(np.int16)
    around = [
        padded[row : row + rows, col : col + cols] for row in range(3) for col in range(3) if (row, col) != (1, 1)
    ]
    return np.maximum.reduce(around), np.minimum.reduce(around)


def _take(settings: BenchSettings, near: Path) -> list[Frame]:
    calibration = _calibration(settings, near)
    camera = held(settings.camera, None if calibration is None else calibration.white).open()
    try:
        first = camera.capture()
        if first is None:
            raise LeukoscopeError("the camera gave no frame", "is the folder empty?")
        more = [] if first.source in STORED else [camera.capture() for _ in range(FRAMES - 1)]
    finally:
        camera.close()
    return [first, *(frame for frame in more if frame is not None)]


def _lamp(settings: BenchSettings, near: Path, background: float) -> Sentence | None:
    """How bright it is beside the blank field of the calibration; None where none was measured.

    Raises:
        CameraError: it is far dimmer.
    """
    if settings.calibration.file is None:
        return None
    try:
        path = find_asset("calibration", settings.calibration.file, near)
        flat = read_record(path).flat
        if flat is None:
            return None
        light = grid_from(read_kept(path.parent, flat.light), "light", path)
    except LeukoscopeError:
        return None  # reported under the calibration's own heading
    share = background / max(1.0, float(np.median(light[..., 1])))
    if share < DIM:
        raise CameraError(
            Sentence("the light is at {share} of what it was at calibration", share=f"{share:.0%}"),
            "turn the lamp up or replace it, then run `leukoscope calibrate flat`",
        )
    return Sentence("light at {share} of what it was at calibration", share=f"{share:.0%}")


def _refuse_foreign(settings: BenchSettings, near: Path, frame: Frame) -> None:
    calibration = _calibration(settings, near)
    if calibration is not None:
        calibration.refuse_foreign(frame)


def _calibration(settings: BenchSettings, near: Path) -> Calibration | None:
    try:
        return settings.calibration.open(near)
    except LeukoscopeError:
        return None  # reported under its own heading
