"""What a calibration file says: each measured part with who, when, until when, and the picture it was made from."""

import hashlib
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from leukoscope.errors import CalibrationError, reason_of
from leukoscope.schema import FrozenModel, explain, table_of, text_of

Positive = Annotated[float, Field(gt=0, lt=1e5)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Person = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
SEAL = "seal = "
"""How the line of the seal begins."""


class SensorSize(FrozenModel):
    """The picture a calibration is valid for."""

    rows: Annotated[int, Field(gt=0)]
    """Pixels."""
    cols: Annotated[int, Field(gt=0)]
    """Pixels."""


class KeptFile(FrozenModel):
    """A file beside the calibration."""

    path: str
    """From the calibration's folder."""
    sha256: Sha256


class Measurement(FrozenModel):
    """What every measured part tells about itself."""

    by: Person
    """Who measured it."""
    at: AwareDatetime
    valid_until: AwareDatetime
    """After this moment it is refused."""
    pictures: Annotated[int, Field(gt=0)]
    """How many pictures it was made from."""
    picture: KeptFile
    """One of them, as the camera delivered it."""


class DarkLevel(Measurement):
    """What the sensor reads without light."""

    level: KeptFile
    """`level`, grey levels, shape (grid rows, grid cols, 3)."""


class FlatLight(Measurement):
    """The light of blank fields."""

    light: KeptFile
    """`light`, grey levels, shape (grid rows, grid cols, 3), the dark level included."""
    unevenness_before: Annotated[float, Field(ge=0)]
    """How far the light strays from its mean in the worst place and colour, 0-1."""
    unevenness_after: Annotated[float, Field(ge=0)]
    """The same after correction, on pictures that took no part."""


class WhiteBalance(Measurement):
    """What makes empty glass grey, and the camera settings it holds for."""

    gains: tuple[Positive, Positive, Positive]
    """Multipliers of red, green and blue."""
    off_white: Annotated[float, Field(ge=0)]
    """What is left of colour on pictures that took no part, ΔE."""
    exposure_us: int | None = None
    """Exposure time at that time, microseconds; None where the camera does not tell."""
    analogue_gain: float | None = None
    """Sensor gain at that time."""
    colour_gains: tuple[float, float] | None = None
    """The camera's own gains (red, blue) at that time."""


class Scale(Measurement):
    """How `um_per_px` was measured."""

    error_um_per_px: Annotated[float, Field(ge=0)]
    """Half the width of the 95 % interval, the ruling's own tolerance included."""
    spacing_um: Positive
    """Of the ruling, from line to line."""
    lines: Annotated[int, Field(gt=0)]
    """Lines across one picture."""


class Focus(Measurement):
    """The best focus seen on this bench."""

    sharpness: Annotated[float, Field(ge=0, le=1)]
    """As `leukoscope.optics.quality` measures it."""
    limit: Annotated[float, Field(gt=0, le=1)] | None = None
    """Below it a field of this bench is out of focus, unless the settings say otherwise; None where it was not made."""


class CalibrationRecord(FrozenModel):
    """`<name>.toml` of a calibration."""

    seal: Sha256 | None = None
    """Of all other lines; a file written by hand has none."""
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    """Appears in every report."""
    origin: Literal["nominal", "measured"]
    """Whether the scale is nominal (from data sheets, for any bench of this build) or measured on this bench."""
    optics: str
    """Camera, objective and tube lens in words."""
    objective: str | None = None
    """The objective alone, as the bench's settings name it."""
    camera: str | None = None
    """Source of the frames it was made with, such as "picamera"; without it any camera is taken."""
    um_per_px: Annotated[float, Field(gt=0.01, lt=2)]
    """Micrometres of specimen per pixel."""
    sensor: SensorSize | None = None
    """Without it any picture size is taken; only meaningful without a flat field."""
    flat_field: KeptFile | None = None
    """A gain that was not measured on this bench; `flat` takes its place."""
    dark: DarkLevel | None = None
    flat: FlatLight | None = None
    white: WhiteBalance | None = None
    scale: Scale | None = None
    focus: Focus | None = None

    def measurements(self) -> dict[str, Measurement]:
        """Every measured part by the name of its command."""
        parts = {"dark": self.dark, "flat": self.flat, "white": self.white, "scale": self.scale, "focus": self.focus}
        return {name: part for name, part in parts.items() if part is not None}

    def expired(self, now: datetime) -> list[str]:
        """The parts whose time is over; the focus reference corrects no picture and is no reason to refuse one."""
        return [name for name, part in self.measurements().items() if name != "focus" and now > part.valid_until]


def read_record(path: Path) -> CalibrationRecord:
    """Read a calibration file, without asking whether its time is over.

    Raises:
        CalibrationError: it is missing, malformed, or was changed after it was measured.
    """
    try:
        content = path.read_bytes()
        text = text_of(content)
        record = CalibrationRecord.model_validate(table_of(content))
    except FileNotFoundError:
        raise CalibrationError(f"no calibration at {path}", "check [calibration] in the settings") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CalibrationError(
            f"{path} cannot be read ({reason_of(error)})", "check the path, its owner and the disk"
        ) from error
    except ValidationError as error:
        raise CalibrationError(
            f"{path}: {explain(error)}", "calibrate anew, or take the file from its backup"
        ) from error
    if record.seal is None and record.measurements():
        raise CalibrationError(f"{path} lost its seal", f"bring back a copy from {files_of(path)}, or calibrate anew")
    if record.seal not in (None, seal_of(text)):
        raise CalibrationError(
            f"{path} was changed after it was measured (its seal differs)",
            f"bring back a copy from {files_of(path)}, or move it away and calibrate again",
        )
    return record


def files_of(path: Path) -> Path:
    """The folder of what belongs to a calibration file: pictures, light, and the files it has replaced."""
    return path.with_suffix(".files")


def seal_of(text: str) -> str:
    """The SHA-256 of a calibration file without its seal."""
    lines = [line for line in text.splitlines() if not line.startswith(SEAL)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
