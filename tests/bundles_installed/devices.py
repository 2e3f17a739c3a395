"""A bench on a disk, and archives of the classifier that ships under other version numbers."""

import shutil
from pathlib import Path

from leukoscope.inference.bundle import Bundle
from leukoscope.system.assets import find_asset
from tests.bundles_installed.workshop import PUBLIC, archive_of

BENCH = """
site = "bench"
device = "test"
camera = {{ driver = "simulated", dwell_frames = 2, smear = {{ white_per_1000_rbc = 40.0, seed = 3 }} }}
calibration = {{ file = "simulated.toml" }}
displays = [{{ driver = "snapshot", folder = "{folder}/screens" }}]
controls = [{{ driver = "scripted", presses = [{{ action = "toggle", after_s = 0.0 }}] }}]
storage = {{ folder = "{folder}/state" }}
counting = {{ white_cells = 1 }}
reporting = {{ driver = "none" }}
models = {{ keys = ["{key}"] }}
"""


def write_bench(folder: Path) -> Path:
    """A bench whose whole state lies in `folder`; it trusts the workshop's key."""
    path = folder / "bench.toml"
    path.write_text(BENCH.format(folder=folder, key=PUBLIC))
    return path


def real_archive(folder: Path, version: str) -> Path:
    """The classifier that ships, as if it were of this version, in a file."""
    path = folder / f"classifier-{version}.leukoscope"
    path.write_bytes(archive_of(real_bundle(folder, version)))
    return path


def real_bundle(folder: Path, version: str) -> Bundle:
    """The classifier that ships, as if it were of this version, in a folder."""
    shipped = find_asset("models", "classifier")
    copy = shutil.copytree(shipped, folder / f"classifier-{version}", ignore=shutil.ignore_patterns("figures"))
    old = Bundle.read(shipped).manifest.version
    text = (copy / "manifest.toml").read_text()
    (copy / "manifest.toml").write_text(text.replace(f'version = "{old}"', f'version = "{version}"'))
    return Bundle.read(copy)
