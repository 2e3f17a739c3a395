"""`leukoscope doctor`: tries each part of the bench for real and says what to do about what fails."""

from collections.abc import Iterator
from pathlib import Path

from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.doctor.board import check_memory, check_power, check_temperature
from leukoscope.doctor.drivers import check_of
from leukoscope.doctor.finding import Finding, tried
from leukoscope.doctor.light import check_camera
from leukoscope.doctor.networks import check_engines, check_networks
from leukoscope.doctor.parts import check_calibration, check_clock
from leukoscope.doctor.storage import check_storage, check_wear
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.settings import BenchSettings, ModelSettings, identity_of
from leukoscope.system.host import board_name

__all__ = ["Finding", "check_bench", "check_desk"]


def check_desk() -> Iterator[Finding]:
    """What can be checked without a bench: the bundles on both engines, the clock and the board."""
    for engine in (OnnxSettings(), LitertSettings()):
        yield from check_networks(ModelSettings(engine=engine), None, None)
    yield tried("clock", check_clock)
    yield from _board()


def check_bench(
    settings: BenchSettings, near: Path, *, remember: bool = False, running: bool = False
) -> Iterator[Finding]:
    """Every part a settings file names, and the board under it.

    Args:
        settings: the bench.
        near: the folder of its file.
        remember: keep how fast the networks run now, for later checks to compare with.
        running: the bench runs and holds camera, displays, controls and lamps; they are left out.
    """
    folder = settings.storage.folder
    store = BundleStore(settings.storage.bundles, settings.models.keys)
    yield from check_networks(settings.models, near, folder, store, remember=remember)
    yield tried("engine", lambda: check_engines(settings.models, near, store))
    yield tried("rules", lambda: _rules(settings, near))
    yield tried("calibration", lambda: check_calibration(settings, near))
    if not running:
        yield tried("camera", lambda: check_camera(settings, near))
    yield tried("storage", lambda: check_storage(settings.storage))
    yield tried("card", lambda: check_wear(folder))
    identity, outbox = identity_of(settings), settings.storage.outbox
    held = () if running else (*settings.displays, *settings.controls, settings.signals)
    for part in (*held, settings.reporting):
        if (check := check_of(part, identity, outbox)) is not None:
            yield tried(check.part, check.run)
    yield tried("clock", check_clock)
    yield from _board()


def _rules(settings: BenchSettings, near: Path) -> str:
    rules = settings.rules.open(near, settings.mode)
    return Sentence(
        "{id} {version} for {mode}, {cells} cells to count",
        id=Verbatim(rules.id),
        version=rules.version,
        mode=rules.mode,
        cells=settings.counting.white_cells,
    )


def _board() -> Iterator[Finding]:
    yield tried("board", lambda: Verbatim(board_name()) or "this board does not tell its name")
    yield tried("temperature", check_temperature)
    yield tried("power", check_power)
    yield tried("memory", check_memory)
