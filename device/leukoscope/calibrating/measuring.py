"""What every measured part of a calibration has in common: who, when, from which picture, and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leukoscope.calibrating.site_calibration import Site
from leukoscope.optics.calibration import STORED
from leukoscope.optics.calibration_record import CalibrationRecord, KeptFile, SensorSize
from leukoscope.optics.calibration_writing import Files, named, picture_file
from leukoscope.specimen.frame import Frame


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who calibrates, when, and for how long it holds."""

    by: str
    at: datetime
    valid: timedelta
    optics: str | None = None
    """Camera, objective and tube lens in words; None leaves what was said before."""
    objective: str | None = None
    """The objective alone; None leaves what was said before."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A calibration that passed its check."""

    record: CalibrationRecord
    files: Files
    words: tuple[str, ...]
    """What was measured, line by line."""
    todo: str
    """What comes next."""


def facts_of(
    site: Site, part: str, pictures: int, shown: Frame, attribution: Attribution
) -> tuple[dict[str, Any], Mapping[str, bytes]]:
    """What every part tells about itself, and the file of the picture it shows."""
    kept, files = named(site.path, part, ".png", picture_file(shown.pixels))
    at = attribution.at.replace(microsecond=0)
    facts: dict[str, str | int | datetime | KeptFile] = {
        "by": attribution.by,
        "at": at,
        "valid_until": at + attribution.valid,
        "pictures": pictures,
        "picture": kept,
    }
    return facts, files


def renewed(
    site: Site, base: CalibrationRecord, frames: Sequence[Frame], attribution: Attribution, **changed: object
) -> CalibrationRecord:
    """A record with some parts changed, for the sensor that took the frames, under an id of its own."""
    rows, cols = frames[0].pixels.shape[:2]
    live = frames[0].source not in STORED
    named_now = {"optics": attribution.optics, "objective": attribution.objective}
    return base.model_copy(
        update={
            "seal": None,
            "id": site.new_id(attribution.at),
            "sensor": SensorSize(rows=rows, cols=cols),
            # Stored pictures do not tell which camera took them.
            "camera": frames[0].source if live else base.camera,
            **{key: value for key, value in named_now.items() if value is not None},
            **changed,
        }
    )
