"""Valid input that takes some making: pictures of every kind, benches with every driver, a measured calibration."""

import functools
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from leukoscope.optics.calibration_record import files_of
from leukoscope.optics.calibration_writing import put_in_force
from leukoscope.system.assets import find_asset
from tests.bundles_installed.workshop import PUBLIC
from tests.optics.test_calibration_file import MADE, record_at

BENCHES: Sequence[bytes] = tuple(
    text.encode()
    for text in (
        (Path(__file__).parents[2] / "systemd" / "bench.toml").read_text("utf-8"),
        f"""
site = "bench"
device = "test"
camera = {{ driver = "simulated", path = "serpentine", dwell_frames = 2, smear = {{ seed = 3 }} }}
calibration = {{ file = "simulated.toml", objective = "100x" }}
displays = [{{ driver = "snapshot", folder = "screens", width = 128, height = 64, monochrome = true }},
    {{ driver = "window" }}, {{ driver = "lcd" }}, {{ driver = "terminal" }}]
controls = [{{ driver = "scripted", presses = [{{ action = "toggle", after_s = 0.0 }}] }}, {{ driver = "keyboard" }},
    {{ driver = "button", pin = 17 }}, {{ driver = "window" }}]
storage = {{ folder = "state", annotated_fields = 2 }}
counting = {{ white_cells = 3, interval_width = 0.2 }}
reporting = {{ driver = "none" }}
new_field = {{ when = "every_frame" }}
quality = {{ min_sharpness = 0.1 }}
mode = "marrow"
rules = {{ file = "marrow.toml" }}
models = {{ classifier = "marrow", engine = {{ driver = "litert", threads = 1 }}, keys = ["{PUBLIC}"] }}
""",
        """
site = "ward-3"
device = "scope-2"
calibration = { um_per_px = 0.127 }
storage = { folder = "state" }
[camera]
driver = "replay"
path = "pictures"
[[displays]]
driver = "oled"
[[controls]]
driver = "button"
[reporting]
driver = "mqtt"
host = "broker"
tls = true
protocol = "5"
username = "scope"
""",
    )
)


@dataclass(frozen=True, slots=True)
class MeasuredCalibration:
    """A calibration with every part measured."""

    texts: Sequence[bytes]
    """Its TOML file, and one that came with the software."""
    files: Mapping[str, bytes]
    """What the first names, by file name."""
    at: datetime
    """A moment at which it holds."""


@functools.cache
def measured_calibration() -> MeasuredCalibration:
    """Written as `leukoscope calibrate` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.toml"
        record, files = record_at(path)
        put_in_force(path, record, files)
        shipped = find_asset("calibration", "raspberry-pi-hq-100x.toml").read_bytes()
        stored = {file.name: file.read_bytes() for file in files_of(path).iterdir()}
        return MeasuredCalibration((path.read_bytes(), shipped), stored, MADE + timedelta(days=2))


@functools.cache
def picture_files() -> Sequence[bytes]:
    """Small pictures of every format and depth that is read."""
    rng = np.random.default_rng(7)
    colour = Image.fromarray(rng.integers(0, 256, (18, 26, 3), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 65536, (18, 26), dtype=np.uint16))
    ways: tuple[tuple[Image.Image, str, dict[str, Any]], ...] = (
        (colour, "PNG", {}),
        (colour.convert("P"), "PNG", {"transparency": 3}),
        (colour.convert("RGBA"), "PNG", {}),
        (colour.convert("LA"), "PNG", {}),
        (colour.convert("1"), "PNG", {}),
        (deep, "PNG", {}),
        (colour, "JPEG", {}),
        (colour, "JPEG", {"progressive": True, "quality": 60}),
        (colour.convert("CMYK"), "JPEG", {}),
        (colour, "TIFF", {}),
        (colour, "TIFF", {"compression": "tiff_lzw"}),
        (colour, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (colour.convert("1"), "TIFF", {"compression": "group4"}),
        (deep, "TIFF", {}),
        (colour, "BMP", {}),
        (colour.convert("P"), "BMP", {}),
        (colour, "WEBP", {}),
        (colour.convert("RGBA"), "WEBP", {"lossless": True}),
    )
    files = []
    for picture, kind, options in ways:
        out = io.BytesIO()
        picture.save(out, kind, **options)
        files.append(out.getvalue())
    return files
