"""Where a bench's own calibration lies, and what a new measurement builds on."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from leukoscope.errors import CalibrationError, SettingsError
from leukoscope.optics.calibration import read_kept
from leukoscope.optics.calibration_record import CalibrationRecord, files_of, read_record
from leukoscope.optics.calibration_writing import Files, named, put_in_force
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame
from leukoscope.system.assets import find_asset


@dataclass(frozen=True, slots=True)
class Site:
    """The calibration of one bench."""

    path: Path
    """The file that is written; a file that came with the software is never touched."""
    base: CalibrationRecord | None
    """What is in force, or would be; None where there is nothing yet."""
    carried_over: Files = field(default_factory=dict)
    """Files that a first own calibration takes over from the one it builds on."""
    named_by_settings: bool = True
    """Whether the settings name the file already."""

    @classmethod
    def of(cls, settings: BenchSettings, bench: Path) -> "Site":
        """The calibration of the bench whose settings file is `bench`.

        Raises:
            CalibrationError: the one in force is corrupt.
        """
        near, file = bench.parent, settings.calibration.file
        if file is not None and (near / file).exists():
            return cls(near / file, read_record(near / file))
        shipped = _shipped(file)
        if file is not None and shipped is None:
            return cls(near / file, None)
        own = near / f"{settings.site}-{settings.device}.toml"
        if own.exists():
            return cls(own, read_record(own), named_by_settings=False)
        if shipped is None:
            scale = settings.calibration.um_per_px
            optics = "not described"
            base = (
                None
                if scale is None
                else CalibrationRecord(id="bare-scale", origin="nominal", optics=optics, um_per_px=scale)
            )
            return cls(own, base, named_by_settings=False)
        base, carried_over = _carried_over(own, shipped)
        return cls(own, base, carried_over, named_by_settings=False)

    @property
    def in_force(self) -> str:
        """The id of what stays in force when a measurement is refused."""
        return "none" if self.base is None else self.base.id

    def expect_own(self, frames: list[Frame]) -> None:
        """Raise unless the frames are of the sensor and size of what they are to be added to.

        Raises:
            CalibrationError: they are foreign.
        """
        if self.base is None:
            return
        sensor, camera = self.base.sensor, self.base.camera
        for frame in frames:
            rows, cols = frame.pixels.shape[:2]
            if sensor is not None and (sensor.rows, sensor.cols) != (rows, cols):
                raise CalibrationError(
                    f"{self.base.id} is for pictures of {sensor.cols}x{sensor.rows} pixels, these have {cols}x{rows}",
                    "for another camera or size let calibration.file in the settings name a new file, then begin "
                    "with `leukoscope calibrate scale`",
                )
            if camera is not None and frame.source not in (camera, "file", "replay"):
                raise CalibrationError(
                    f"{self.base.id} was measured with camera {camera}, these frames are from {frame.source}",
                    "for another camera let calibration.file in the settings name a new file",
                )

    def put_in_force(self, record: CalibrationRecord, files: Files) -> None:
        """Write a calibration with its files; errors as in `optics.calibration_writing.put_in_force`."""
        put_in_force(self.path, record, {**self.carried_over, **files})

    def new_id(self, at: datetime) -> str:
        """The id of a calibration of this bench made at this moment."""
        stem = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in self.path.stem.lower())
        first = f"{stem.strip('-') or 'calibration'}.{at:%Y%m%d-%H%M%S}"
        for new in itertools.chain([first], (f"{first}.{number}" for number in itertools.count(2))):
            # Reports name it, so two calibrations of one second must not share it.
            if new != self.in_force and not (files_of(self.path) / f"{new}.toml").exists():
                return new
        raise AssertionError("counting never ends")

    def how_to_name(self, bench: Path) -> str:
        """What the settings must say so that the file is used; empty where they do."""
        if self.named_by_settings:
            return ""
        return f'It is used once {bench} says: calibration = {{ file = "{self.path.name}" }}'


def _shipped(file: str | None) -> Path | None:
    if file is None:
        return None
    try:
        return find_asset("calibration", file)
    except SettingsError:
        return None


def _carried_over(own: Path, shipped: Path) -> tuple[CalibrationRecord, Files]:
    """A calibration that came with the software, with its gain among the bench's own files."""
    base = read_record(shipped)
    if base.flat_field is None:
        return base, {}
    kept, files = named(own, "nominal-gain", ".npz", read_kept(shipped.parent, base.flat_field))
    return base.model_copy(update={"flat_field": kept}), files
