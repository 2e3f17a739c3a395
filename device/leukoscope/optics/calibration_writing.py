"""Puts a new calibration in force at once and as a whole; until then, and if anything fails, the old one stays."""

import contextlib
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tomli_w

from leukoscope.errors import CalibrationError
from leukoscope.optics.blank import Light
from leukoscope.optics.calibration import light_path_of
from leukoscope.optics.calibration_record import CalibrationRecord, KeptFile, files_of, read_record, seal_of
from leukoscope.specimen.frame import Pixels
from leukoscope.system.durable_files import sync_folder, unfinished_name, write_synced

Files = Mapping[str, bytes]
"""Content by path, from the calibration's folder."""


def named(path: Path, stem: str, suffix: str, content: bytes) -> tuple[KeptFile, Files]:
    """Where a file that belongs to the calibration at `path` is to lie; its name depends on its content."""
    sha256 = hashlib.sha256(content).hexdigest()
    place = f"{files_of(path).name}/{stem}-{sha256[:12]}{suffix}"
    return KeptFile(path=place, sha256=sha256), {place: content}


def grid_file(name: str, grid: Light) -> bytes:
    """A grid as the content of an .npz file."""
    content = io.BytesIO()
    grids: dict[str, Any] = {name: grid}
    np.savez_compressed(content, **grids)
    return content.getvalue()


def picture_file(pixels: Pixels) -> bytes:
    """An RGB picture as the content of a PNG file."""
    _, content = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return content.tobytes()


def put_in_force(path: Path, record: CalibrationRecord, files: Files) -> None:
    """Write the files, then the calibration that names them; the one it replaces is kept under its id.

    The new calibration is written aside, read back, and renamed into place only when that went well.

    Raises:
        CalibrationError: something cannot be written or read back; the old calibration is still in force.
    """
    aside = unfinished_name(path)
    made: list[Path] = []
    try:
        files_of(path).mkdir(parents=True, exist_ok=True)
        for place, content in files.items():
            _write(path.parent / place, content, made)
        if path.exists():
            old = path.read_bytes()
            _write(files_of(path) / f"{read_record(path).id}.toml", old, made)
        _write(aside, as_toml(record).encode(), made)
        light_path_of(path.parent, read_record(aside))
        sync_folder(files_of(path))
        aside.replace(path)
    except (OSError, CalibrationError) as error:
        for one in made:
            with contextlib.suppress(OSError):
                one.unlink(missing_ok=True)
        why = error if isinstance(error, CalibrationError) else error.strerror
        raise CalibrationError(f"{path} cannot be written ({why})", "check owner, mount and free space") from error
    # The new one is in force. Should this fail, a power cut may bring back the old one, as whole as the new.
    with contextlib.suppress(OSError):
        sync_folder(path.parent)


def _write(path: Path, content: bytes, made: list[Path]) -> None:
    if path.exists() and path.read_bytes() == content:
        return  # it may be in force
    # Noted first: a disk that fills up leaves half a file behind.
    made.append(path)
    write_synced(path, content)


def as_toml(record: CalibrationRecord) -> str:
    """The text of a calibration file, sealed."""
    content = tomli_w.dumps(record.model_dump(exclude_none=True, exclude={"seal"}))
    text = f"# Written by `leukoscope calibrate`; a change by hand breaks the seal.\n{content}"
    # Top-level keys of a TOML file come before its first table.
    return tomli_w.dumps({"seal": seal_of(text)}) + text
