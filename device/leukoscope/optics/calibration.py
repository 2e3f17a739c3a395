"""The calibration of one light path: its scale and its shading, and from whom they come."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np

from leukoscope.errors import CalibrationError, reason_of
from leukoscope.optics.blank import Light
from leukoscope.optics.calibration_record import CalibrationRecord, KeptFile, WhiteBalance, read_record
from leukoscope.optics.flatfield import FlatField, Gain, gain_of
from leukoscope.optics.quality import QualityLimits
from leukoscope.specimen.frame import Frame, Micrograph
from leukoscope.system.clock import Clock, utc_now
from leukoscope.system.npz import read_arrays

STORED = frozenset({"replay", "file"})
"""Sources of pictures taken earlier: they cannot tell which sensor took them."""
MAX_LEVEL = 1e5
"""Beyond any grey level of a camera, and any gain."""
MAX_EXPOSURE_DRIFT, MAX_GAIN_DRIFT = 0.10, 0.05
"""Cameras settle on slightly other values each time they are opened; a person made a change above this share."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration ready to correct frames."""

    id: str
    measured: bool
    um_per_px: float
    sensor: tuple[int, int] | None = None
    """(rows, cols) it is valid for; None for any."""
    flat_field: FlatField | None = field(default=None, compare=False)
    camera: str | None = None
    """The frames' source it is valid for; None for any."""
    objective: str | None = None
    """The objective it is valid for; None where it was not given."""
    white: WhiteBalance | None = field(default=None, compare=False)
    """The camera settings its colours hold for; None for any."""
    min_sharpness: float | None = None
    """Below it a field of this bench is out of focus; None where no focus series was taken."""

    @classmethod
    def read(cls, path: Path, now: Clock = utc_now) -> Self:
        """Read a calibration and the files it names.

        Raises:
            CalibrationError: a file is missing, malformed or altered, or the time of a part is over.
        """
        record = read_record(path)
        moment = now()
        for name in record.expired(moment):
            part = record.measurements()[name]
            raise CalibrationError(
                f"{path}: its part {name}, measured by {part.by}, was valid until {part.valid_until:%Y-%m-%d} and "
                f"it is {moment:%Y-%m-%d}",
                f"run `leukoscope calibrate {name}`",
            )
        dark, gain = light_path_of(path.parent, record)
        white = None if record.white is None else record.white.gains
        corrected = not (gain is None and dark is None and white is None)
        return cls(
            id=record.id,
            measured=record.origin == "measured",
            um_per_px=record.um_per_px,
            sensor=None if record.sensor is None else (record.sensor.rows, record.sensor.cols),
            flat_field=FlatField(gain, dark, white or (1.0, 1.0, 1.0)) if corrected else None,
            camera=record.camera,
            objective=record.objective,
            white=record.white,
            min_sharpness=None if record.focus is None else record.focus.limit,
        )

    @classmethod
    def of_scale(cls, um_per_px: float) -> Self:
        """A bare scale, for pictures whose light path is not known."""
        return cls(id=f"scale-{um_per_px:g}", measured=False, um_per_px=um_per_px)

    def limits(self, quality: QualityLimits) -> QualityLimits:
        """The gate's limits on this bench: its own for sharpness, unless the settings name one."""
        if self.min_sharpness is None or "min_sharpness" in quality.model_fields_set:
            return quality
        return quality.model_copy(update={"min_sharpness": self.min_sharpness})

    def correct(self, frame: Frame) -> Micrograph:
        """Even the light of a frame and attach the scale.

        Raises:
            CalibrationError: the frame is not of the sensor, size or camera settings this was made for.
        """
        self.refuse_foreign(frame)
        pixels = frame.pixels if self.flat_field is None else self.flat_field.apply(frame.pixels)
        return Micrograph(pixels, self.um_per_px, frame, self.id)

    def refuse_foreign(self, frame: Frame) -> None:
        """Raise unless the frame is of the sensor, size and camera settings this was made for.

        Raises:
            CalibrationError: it is not.
        """
        rows, cols = frame.pixels.shape[:2]
        if self.sensor is not None and self.sensor != (rows, cols):
            raise CalibrationError(
                f"calibration {self.id} is for pictures of {self.sensor[1]}x{self.sensor[0]} pixels, "
                f"the camera gave {cols}x{rows}",
                "set the camera's size, or calibrate for this one",
            )
        if self.camera not in (None, frame.source) and frame.source not in STORED:
            raise CalibrationError(
                f"calibration {self.id} was measured with camera {self.camera}, the frame is from {frame.source}",
                "name this camera's calibration in the settings, or calibrate for it",
            )
        if self.white is not None:
            _refuse_other_settings(self.id, self.white, frame)

    def refuse_other_objective(self, objective: str) -> None:
        """Raise unless this was made for the objective that is on the bench.

        Raises:
            CalibrationError: it was made for another one.
        """
        if self.objective not in (None, objective):
            raise CalibrationError(
                f"calibration {self.id} is for objective {self.objective}, the bench has {objective}",
                "name that objective's calibration in the settings, or calibrate for it",
            )


def light_path_of(folder: Path, record: CalibrationRecord) -> tuple[Light | None, Gain | None]:
    """The dark level and the gain a record names, None where it names none.

    Raises:
        CalibrationError: a file is missing, altered or unusable.
    """
    dark = None if record.dark is None else _read_grid(folder, record.dark.level, "level")
    if record.flat is not None:
        light = _read_grid(folder, record.flat.light, "light")
        return dark, gain_of(light, dark)
    if record.flat_field is None:
        return dark, None
    gain = _read_grid(folder, record.flat_field, "gain")
    if float(gain.min()) <= 0:
        raise CalibrationError(f"{folder / record.flat_field.path} holds a gain of 0 or less", "calibrate again")
    return dark, gain


def read_kept(folder: Path, file: KeptFile) -> bytes:
    """The content of a file that belongs to a calibration.

    Raises:
        CalibrationError: it is missing or altered.
    """
    path = folder / file.path
    try:
        if path.exists() and not path.is_file():
            raise CalibrationError(f"{path} is no file", "calibrate again")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, CalibrationError):
            raise
        raise CalibrationError(f"{path} cannot be read ({reason_of(error)})", "calibrate again") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise CalibrationError(f"{path} is not the file its calibration names (sha256 differs)", "calibrate again")
    return content


def grid_from(content: bytes, name: str, where: Path) -> Light:
    """A grid per place and colour from the content of an .npz file.

    Raises:
        CalibrationError: it holds none of this name; `where` is named.
    """
    try:
        stored = read_arrays(content)[name]
    except (KeyError, ValueError) as error:
        raise CalibrationError(f"{where} holds no {name}", "calibrate again") from error
    grid = stored.astype(np.float32) if stored.dtype.kind in "iuf" and (np.abs(stored) < MAX_LEVEL).all() else None
    if grid is None or grid.ndim != 3 or grid.shape[2] != 3 or not grid.size:
        raise CalibrationError(
            f"{where} holds no usable {name} ({stored.dtype}, shape {stored.shape})", "calibrate again"
        )
    return grid


def _read_grid(folder: Path, file: KeptFile, name: str) -> Light:
    return grid_from(read_kept(folder, file), name, folder / file.path)


def _refuse_other_settings(name: str, white: WhiteBalance, frame: Frame) -> None:
    red_blue, now_red_blue = white.colour_gains or (None, None), frame.colour_gains or (None, None)
    for what, then, now, drift in (
        ("an exposure of {:g} us", white.exposure_us, frame.exposure_us, MAX_EXPOSURE_DRIFT),
        ("a sensor gain of {:.2f}", white.analogue_gain, frame.analogue_gain, MAX_GAIN_DRIFT),
        ("a red gain of {:.2f}", red_blue[0], now_red_blue[0], MAX_GAIN_DRIFT),
        ("a blue gain of {:.2f}", red_blue[1], now_red_blue[1], MAX_GAIN_DRIFT),
    ):
        # Multiplied out: a camera may tell a gain of 0, such as that of a colour it does not have.
        if then is not None and now is not None and abs(now - then) > drift * then:
            raise CalibrationError(
                f"calibration {name} has its white balance from {what.format(then)}, the camera uses "
                f"{what.format(now)}",
                "set it back, or run `leukoscope calibrate white`",
            )
