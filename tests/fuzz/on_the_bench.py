"""What a site writes and a camera takes: pictures, settings, calibrations, rules."""

import functools
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from leukoscope.cameras.pictures import read_picture
from leukoscope.counting.tally import CountingRules, Naming, Tally
from leukoscope.inference.bundle import Bundle
from leukoscope.optics.calibration import Calibration, grid_from
from leukoscope.optics.calibration_record import SEAL, files_of, seal_of
from leukoscope.optics.flatfield import FlatField, gain_of
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame, Micrograph
from leukoscope.statistics.rules import SHIPPED, Rules
from leukoscope.system.assets import find_asset
from tests.fuzz.mutations import with_png_checksums
from tests.fuzz.seeds import BENCHES, measured_calibration, picture_files
from tests.fuzz.target import Target, of_bytes, of_toml, repacked
from tests.messages.examples import NOW, PROVENANCE


def _spoilt_picture(rng: Random) -> bytes:
    content = of_bytes(picture_files)(rng)
    return with_png_checksums(content) if rng.random() < 0.5 and content.startswith(b"\x89PNG") else content


def _read_picture(content: bytes, folder: Path) -> None:
    path = folder / "picture.png"
    path.write_bytes(content)
    pixels = read_picture(path)
    assert pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8
    if pixels.size < 300_000:
        frame = Frame(pixels, 1, NOW, "file")
        QualityGate(QualityLimits()).assess(Micrograph(pixels, 0.1, frame, "none"))


def _read_settings(content: bytes, folder: Path) -> None:
    path = folder / "bench.toml"
    path.write_bytes(content)
    BenchSettings.read(path)


def _sealed(content: bytes) -> bytes:
    try:
        text = "".join(line for line in content.decode().splitlines(keepends=True) if not line.startswith(SEAL))
    except UnicodeDecodeError:
        return content
    return f'{SEAL}"{seal_of(text)}"\n{text}'.encode()


def _calibrations() -> Sequence[bytes]:
    return measured_calibration().texts


def _spoilt_calibration(rng: Random) -> bytes:
    content = of_toml(_calibrations)(rng)
    return _sealed(content) if rng.random() < 0.8 else content


def _read_calibration(content: bytes, folder: Path) -> None:
    path = folder / "own.toml"
    path.write_bytes(content)
    files_of(path).mkdir()
    for name, stored in measured_calibration().files.items():
        (files_of(path) / name).write_bytes(stored)
    _correct(Calibration.read(path, now=lambda: measured_calibration().at))


def _correct(calibration: Calibration) -> None:
    rows, cols = calibration.sensor or (12, 16)
    if rows * cols > 100_000:
        return
    pixels = np.full((rows, cols, 3), 200, dtype=np.uint8)
    calibration.correct(Frame(pixels, 1, NOW, "file"))


@functools.cache
def _grids() -> Sequence[bytes]:
    return [
        content
        for name, content in measured_calibration().files.items()
        if name.startswith("flat") and name.endswith("npz")
    ]


def _spoilt_grid(rng: Random) -> bytes:
    """Half of the cases are spoilt inside the zip archive, whose checksums are right then."""
    if rng.random() < 0.5:
        return of_bytes(_grids)(rng)
    return repacked(rng.choice(_grids()), rng)


def _read_grid(content: bytes, folder: Path) -> None:
    light = grid_from(content, "light", folder / "light.npz")
    if light.size < 100_000:
        FlatField(gain_of(np.maximum(light, 1))).apply(np.full((12, 16, 3), 200, dtype=np.uint8))


@functools.cache
def _rules() -> Sequence[bytes]:
    return [(SHIPPED / f"{mode}.toml").read_bytes() for mode in ("blood", "marrow")]


def _read_rules(content: bytes, folder: Path) -> None:
    path = folder / "rules.toml"
    path.write_bytes(content)
    rules = Rules.read(path)
    bundle = Bundle.read(find_asset("models", "classifier" if rules.mode == "blood" else "marrow"))
    facts = bundle.manifest.classifier
    assert facts is not None
    Tally(Naming(facts.classes, facts.groups), CountingRules(), rules).report(
        report_id="r",
        sample_id="s",
        started_at=NOW,
        finished_at=NOW,
        provenance=PROVENANCE,
        finished_because="technician",
    )


BENCH_TARGETS = (
    Target("pictures", _spoilt_picture, _read_picture, picture_files),
    Target("settings", of_toml(lambda: BENCHES), _read_settings, lambda: BENCHES),
    Target("calibrations", _spoilt_calibration, _read_calibration, _calibrations),
    Target("calibration grids", _spoilt_grid, _read_grid, _grids),
    Target("rules", of_toml(_rules), _read_rules, _rules, 0.5),
)
