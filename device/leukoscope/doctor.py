"""`leukoscope doctor`: tries each part of the bench for real and says what to do about what fails."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from leukoscope import __version__
from leukoscope.analysis.golden import replay
from leukoscope.assets import find_asset
from leukoscope.bundles.startup import find_bundle
from leukoscope.bundles.store import BundleStore
from leukoscope.controls.button import ButtonSettings
from leukoscope.controls.scanner import ScannerSettings
from leukoscope.displays import DisplaySettings
from leukoscope.displays.lcd import LcdSettings
from leukoscope.displays.oled import OledSettings
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Starting
from leukoscope.errors import LeukoscopeError, OutboxError
from leukoscope.host import clock_synchronised
from leukoscope.inference import EngineSettings
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.calibration import read_kept
from leukoscope.optics.calibration_record import read_record
from leukoscope.reporting.mqtt import MqttSettings
from leukoscope.reporting.outbox import Outbox
from leukoscope.settings import BenchSettings, StorageSettings, identity_of
from leukoscope.signals import News, SignalSettings
from leukoscope.specimen.frame import Frame

LOW_SPACE_MIB = 200
"""Free space below which a site should act: an outbox of thousands of reports fits into far less."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    part: str
    good: bool
    text: str
    """What was seen and, when not good, what to do."""


def check_models(
    engines: tuple[EngineSettings, ...],
    segmenter: str,
    classifier: str,
    near: Path | None = None,
    store: BundleStore | None = None,
) -> Iterator[Finding]:
    """Verify each bundle's files and replay its golden pair on each engine."""
    for name in (segmenter, classifier):
        for engine in engines:
            yield _try(f"{name}, {engine.driver}", partial(_golden, name, engine, near, store))


def check_desk() -> Iterator[Finding]:
    """What can be checked without a bench: the bundles on both engines, and the clock."""
    yield from check_models((OnnxSettings(), LitertSettings()), "segmenter", "classifier")
    yield _clock()


def check_bench(settings: BenchSettings, near: Path) -> Iterator[Finding]:
    """Every part a settings file names.

    Args:
        settings: the bench.
        near: the folder of its file.
    """
    models = settings.models
    store = BundleStore(settings.storage.bundles)
    yield from check_models((models.engine,), models.segmenter, models.classifier, near, store)
    yield _try("calibration", lambda: _calibration(settings, near))
    yield _try("camera", lambda: _camera(settings, near))
    yield _try("storage", lambda: _storage(settings.storage))
    for display in settings.displays:
        # The others need a desktop or the terminal this is printed on.
        if isinstance(display, OledSettings | LcdSettings):
            yield _try(f"display {display.driver}", partial(_display, display))
    for control in settings.controls:
        if isinstance(control, ButtonSettings):
            yield _try("button", partial(_button, control))
        if isinstance(control, ScannerSettings):
            yield _try("scanner", partial(_scanner, control))
    if settings.signals is not None:
        yield _try("signals", partial(_signals, settings.signals))
    if isinstance(settings.reporting, MqttSettings):
        mqtt = settings.reporting
        yield _try("broker", lambda: mqtt.probe(identity_of(settings)))
    yield _clock()


def _try(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, check())
    except LeukoscopeError as error:
        return Finding(part, False, str(error))


def _golden(name: str, engine: EngineSettings, near: Path | None, store: BundleStore | None) -> str:
    found = find_bundle(name, near, store, __version__)
    bundle = Bundle.read(found.folder)
    network = engine.open(bundle)
    check = replay(bundle, network)
    origin = "" if not found.installed else ", installed, on trial" if found.on_trial else ", installed"
    text = (
        f"{bundle.manifest.version}{origin}, {network.engine}: {check.agreed} of {check.decisions} golden decisions, "
        f"{check.ms_per_run:.1f} ms a run"
    )
    if not check.passed:
        raise LeukoscopeError(f"{text}, {check.surplus} surplus: choose the other engine, or reinstall the bundle")
    return text


def _calibration(settings: BenchSettings, near: Path) -> str:
    calibration = settings.calibration.open(near)
    origin = "measured" if calibration.measured else "nominal, not measured on this bench"
    told = f"{calibration.id}: {calibration.um_per_px:.4g} µm/px, {origin}"
    if settings.calibration.file is None:
        return told
    path = find_asset("calibration", settings.calibration.file, near)
    parts = read_record(path).measurements()
    for name, part in parts.items():
        # Pictures correct nothing, so only here is asked whether they are still what was measured on.
        read_kept(path.parent, part.picture)
        told += f"; {name} by {part.by} on {part.at:%Y-%m-%d}, until {part.valid_until:%Y-%m-%d}"
    return told


def _camera(settings: BenchSettings, near: Path) -> str:
    camera = settings.camera.open()
    try:
        frame = camera.capture()
    finally:
        camera.close()
    if frame is None:
        raise LeukoscopeError("the camera gave no frame: is the folder empty?")
    _refuse_foreign(settings, near, frame)
    rows, cols = frame.pixels.shape[:2]
    return f"{frame.source}: a frame of {cols}x{rows} pixels, mean brightness {frame.pixels.mean():.0f} of 255"


def _refuse_foreign(settings: BenchSettings, near: Path, frame: Frame) -> None:
    try:
        calibration = settings.calibration.open(near)
    except LeukoscopeError:
        return  # told under its own heading
    calibration.refuse_foreign(frame)


def _storage(storage: StorageSettings) -> str:
    """Looks and tries, and leaves nothing behind: a doctor run as root must not own the outbox."""
    folder = storage.folder
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    try:
        with tempfile.TemporaryFile(dir=there) as trial:
            trial.write(b"leukoscope")
            trial.flush()
            os.fsync(trial.fileno())
        free_mib = shutil.disk_usage(there).free // 2**20
    except OSError as error:
        raise OutboxError(f"{there} cannot be written ({error.strerror}): check owner, mount and free space") from error
    if free_mib < LOW_SPACE_MIB:
        raise OutboxError(f"{there} has {free_mib} MiB free, expected {LOW_SPACE_MIB}: make room")
    if not storage.outbox.exists():
        return f"{folder}: can be written, {free_mib} MiB free, no outbox yet"
    with Outbox.open(storage.outbox, owner=False) as outbox:
        counts = outbox.counts()
    return (
        f"{folder}: {free_mib} MiB free; outbox: {counts.pending} waiting, {counts.sent} sent, {counts.refused} refused"
    )


def _button(settings: ButtonSettings) -> str:
    button = settings.open()
    try:
        button.poll()
    finally:
        button.close()
    return f"pin BCM {settings.pin} can be read"


def _scanner(settings: ScannerSettings) -> str:
    scanner = settings.open()
    scanner.close()
    return f"{settings.device}: answers, layout {settings.layout}"


def _signals(settings: SignalSettings) -> str:
    signals = settings.open()
    signals.tell(News.DONE)
    signals.close()
    return "green lamp lit and three sounds made, where there are such parts: did you see and hear them?"


def _display(settings: DisplaySettings) -> str:
    display = settings.open()
    try:
        display.show(draw(Starting("leukoscope doctor", __version__), display.size, display.monochrome))
    finally:
        display.close()
    return f"{display.size[0]}x{display.size[1]} pixels, took a picture"


def _clock() -> Finding:
    match clock_synchronised():
        case True:
            return Finding("clock", True, "synchronised")
        case False:
            return Finding("clock", True, "not synchronised: reports say so; connect to a time server if you can")
        case None:
            return Finding("clock", True, "this system cannot tell whether it is synchronised")
