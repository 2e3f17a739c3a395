"""The calibration of one light path: its scale and its shading, and from whom they come."""

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, ValidationError

from leukoscope.errors import CalibrationError
from leukoscope.optics.flatfield import FlatField, Gain
from leukoscope.schema import FrozenModel, explain
from leukoscope.specimen.frame import Frame, Micrograph


class SensorSize(FrozenModel):
    """The picture a calibration is valid for."""

    rows: Annotated[int, Field(gt=0)]
    """Pixels."""
    cols: Annotated[int, Field(gt=0)]
    """Pixels."""


class GainFile(FrozenModel):
    """A flat-field gain beside the calibration."""

    path: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class CalibrationRecord(FrozenModel):
    """`<name>.toml` of a calibration."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    """Appears in every report."""
    origin: Literal["nominal", "measured"]
    """Nominal: from data sheets, for any bench of this build. Measured: on this bench."""
    optics: str
    """Camera, objective and tube lens in words."""
    um_per_px: Annotated[float, Field(gt=0.01, lt=2)]
    """Micrometres of specimen per pixel."""
    sensor: SensorSize | None = None
    """Without it any picture size is taken; only meaningful without a flat field."""
    flat_field: GainFile | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration ready to correct frames."""

    id: str
    measured: bool
    um_per_px: float
    sensor: tuple[int, int] | None = None
    """(rows, cols) it is valid for; None for any."""
    flat_field: FlatField | None = field(default=None, compare=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a calibration and the gain file it names.

        Raises:
            CalibrationError: a file is missing, malformed or altered.
        """
        try:
            record = CalibrationRecord.model_validate(tomllib.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            raise CalibrationError(f"no calibration at {path}: check [calibration] in the settings") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise CalibrationError(f"{path} cannot be read: {error}") from error
        except ValidationError as error:
            raise CalibrationError(f"{path}: {explain(error)}") from error
        gain = None if record.flat_field is None else _read_gain(path.parent, record.flat_field)
        return cls(
            id=record.id,
            measured=record.origin == "measured",
            um_per_px=record.um_per_px,
            sensor=None if record.sensor is None else (record.sensor.rows, record.sensor.cols),
            flat_field=None if gain is None else FlatField(gain),
        )

    @classmethod
    def of_scale(cls, um_per_px: float) -> Self:
        """A bare scale, for pictures whose light path is not known."""
        return cls(id=f"scale-{um_per_px:g}", measured=False, um_per_px=um_per_px)

    def correct(self, frame: Frame) -> Micrograph:
        """Even the light of a frame and attach the scale.

        Raises:
            CalibrationError: the frame is not of the size this calibration was made for.
        """
        rows, cols = frame.pixels.shape[:2]
        if self.sensor is not None and self.sensor != (rows, cols):
            raise CalibrationError(
                f"calibration {self.id} is for pictures of {self.sensor[1]}x{self.sensor[0]} pixels, "
                f"the camera gave {cols}x{rows}: set the camera's size, or calibrate for this one"
            )
        pixels = frame.pixels if self.flat_field is None else self.flat_field.apply(frame.pixels)
        return Micrograph(pixels, self.um_per_px, frame, self.id)


def _read_gain(folder: Path, file: GainFile) -> Gain:
    path = folder / file.path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read: {error.strerror}; calibrate again") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise CalibrationError(f"{path} is not the file its calibration names (sha256 differs); calibrate again")
    with np.load(path, allow_pickle=False) as stored:
        gain = np.asarray(stored["gain"], dtype=np.float32)
    if gain.ndim != 3 or gain.shape[2] != 3 or not np.isfinite(gain).all() or float(gain.min()) <= 0:
        raise CalibrationError(f"{path} holds no usable gain (shape {gain.shape}); calibrate again")
    return gain
