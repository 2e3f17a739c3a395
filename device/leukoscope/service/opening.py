"""The one place that knows every concrete part: from settings to a bench that is open."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar

from leukoscope import __version__
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.startup import Startup
from leukoscope.cameras import Camera
from leukoscope.cameras.held import held
from leukoscope.controls import Control
from leukoscope.delivery.sink import Sink
from leukoscope.displays import Display
from leukoscope.displays.fault_text import fault_of
from leukoscope.displays.language import words_of
from leukoscope.displays.panel import Panel
from leukoscope.displays.state import Starting, Step
from leukoscope.errors import (
    CalibrationError,
    DisplayError,
    LeukoscopeError,
)
from leukoscope.indicators import Event, Indicator
from leukoscope.instrument import Instrument
from leukoscope.messages.identity import Identity
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.ownership import owned
from leukoscope.outbox.recovery import GONE, lost_outbox, restore
from leukoscope.outbox.report_copies import repair
from leukoscope.outbox.store import Outbox
from leukoscope.quality_control.history import History
from leukoscope.quality_control.trend import Trend
from leukoscope.reviewing.checked_cells import BenchConditions, calibration_with
from leukoscope.sentence import Sentence, Verbatim, one_after_another
from leukoscope.service.bench import Bench
from leukoscope.service.bench_naming import adopted_reference, camera_of, naming_on
from leukoscope.service.live_view import BenchFacts
from leukoscope.service.models import LoadedModels, open_models
from leukoscope.service.page_door import ALLOWED, PageDoor
from leukoscope.settings import BenchSettings, identity_of
from leukoscope.specimen.sample import Provenance, SizeReference, Source
from leukoscope.system.clock import utc_now
from leukoscope.system.host import boot_id, clock_synchronised
from leukoscope.system.lock_digest import lock_digest
from leukoscope.system.mounts import kept_in_memory
from leukoscope.system.page_folder import page_folder
from leukoscope.system.watchdog import Progressing, Watchdog

MOST_SENT = 10_000
"""Versions of reports that were acknowledged and stay in the outbox; their files in reports/ stay for good."""
SETTLING_FRAMES = 6
"""The first frames of a live camera may still be exposed otherwise than asked for."""
STUCK_S = 300.0
"""A thread that is late by this stands still; a name server alone may keep one waiting for a minute."""
_log = logging.getLogger("leukoscope")

Part = TypeVar("Part", Camera, Display, Control, Indicator, PageDoor)


@contextmanager
def open_bench(settings: BenchSettings, near: Path, watchdog: Watchdog) -> Iterator[Bench]:
    """Open every part of a bench, displays first so that they can tell what goes wrong with the others.

    Args:
        settings: what a settings file said.
        near: the folder of that file.
        watchdog: hears of each step.

    Raises:
        LeukoscopeError: a part is missing; the error names it, and it has been shown.
    """
    with ExitStack() as stack:
        displays = [_closing(stack, display.open()) for display in settings.displays]
        panel = Panel(displays, words_of(settings.language))
        signals = None if settings.signals is None else _closing(stack, settings.signals.open())
        try:
            yield _open_parts(settings, near, stack, panel, signals, watchdog)
        except LeukoscopeError as error:
            panel.show(fault_of(error))
            if signals is not None:
                with suppress(DisplayError):
                    signals.signal(Event.FAULT)
            raise


def _open_parts(
    settings: BenchSettings,
    near: Path,
    stack: ExitStack,
    panel: Panel,
    signals: Indicator | None,
    watchdog: Watchdog,
) -> Bench:
    def signal(step: str) -> None:
        watchdog.starting(step)
        panel.show(Starting(step, __version__))

    signal(Step.OUTBOX)
    outbox = _open_outbox(settings, stack)
    faults = tuple(_faults_of_storage(outbox, settings))
    for found in faults:
        _log.error("%s", found)
    # The next screen after the first sample tells it again.
    warnings: list[str] = [*faults]
    if kept_in_memory(settings.storage.folder):
        warnings.append("Results are kept in memory and lost at power-off")
    signal(Step.NETWORKS)
    startup = Startup(near, __version__, BundleStore(settings.storage.bundles, settings.models.keys))
    models = open_models(settings.models, near, startup)
    stack.callback(startup.forgive)
    warnings += startup.warnings
    signal(Step.CALIBRATION)
    calibration = settings.calibration.open(near)
    if not calibration.measured:
        warnings.append("Calibration is nominal")
    signal(Step.RULES)
    rules = settings.rules.open(near, settings.mode)
    reference, size_warning = adopted_reference(settings, calibration, models.segmenter_identity.sha256)
    calibrated = calibration_with(calibration.id, reference)
    now = BenchConditions(models.classifier_identity.sha256, calibrated, camera_of(settings))
    _, naming_warning = naming_on(models.classifier_bundle, settings.storage.folder, now)
    warnings += [found for found in (size_warning, naming_warning) if found]
    signal(Step.CAMERA)
    camera = _open_camera(settings, calibration, stack)
    signal(Step.CONTROLS)
    controls = tuple(_closing(stack, control.open(panel.keys)) for control in settings.controls)
    identity = identity_of(settings)
    commands = CommandInbox(outbox, identity, settings.commands.allow, now=utc_now)
    sink: Sink = settings.reporting.open(outbox, identity, now=utc_now, rng=Random(), commands=commands)
    sink.start()
    stack.callback(sink.stop)
    page = _closing(stack, _page_door(settings, calibration, outbox, identity))
    watchdog.watch(Progressing("Broker", lambda: sink.late_s, STUCK_S))

    return Bench(
        settings=settings,
        camera=camera,
        controls=controls,
        panel=panel,
        signals=signals,
        instrument=Instrument(
            calibration,
            QualityGate(calibration.limits(settings.quality)),
            models.segmenter,
            models.classifier if reference is None else models.classifier.showing_cells(reference.enlarged),
        ),
        naming=lambda: naming_on(models.classifier_bundle, settings.storage.folder, now)[0],
        rules=rules,
        outbox=outbox,
        trend=Trend(History(settings.storage.folder)),
        sink=sink,
        commands=commands,
        page=page,
        identity=identity,
        short_labels={one.key: one.short for one in models.classifier.classes},
        faults=faults,
        warning=one_after_another(warnings),
        idle_view=panel.shows_field and camera.repeatable,
        provenance=lambda: provenance_of(settings, models, calibration, camera, reference),
        ready=startup.confirm,
    )


def _open_outbox(settings: BenchSettings, stack: ExitStack) -> Outbox:
    settings.storage.make_folder()
    stack.enter_context(owned(settings.storage.folder))
    outbox = stack.enter_context(Outbox.open(settings.storage.outbox))
    outbox.prune(datetime.now(UTC), max_sent=MOST_SENT, keep_unsigned=settings.storage.keep_unsigned)
    return outbox


def _open_camera(settings: BenchSettings, calibration: Calibration, stack: ExitStack) -> Camera:
    camera = _closing(stack, held(settings.camera, calibration.white).open())
    if camera.source is Source.LIVE:
        # A camera that opens need not send anything; stored and simulated frames would be used up by asking.
        _expect_frame(camera, calibration)
    return camera


def _page_door(settings: BenchSettings, calibration: Calibration, outbox: Outbox, identity: Identity) -> PageDoor:
    facts = BenchFacts(
        calibration=calibration.id,
        calibration_measured=calibration.measured,
        least_sharpness=calibration.limits(settings.quality).min_sharpness,
        um_per_px=calibration.um_per_px,
    )
    inbox = CommandInbox(outbox, identity, ALLOWED, now=utc_now, through="on the page")
    folder = page_folder(settings.storage.folder, settings.web.live_folder) if settings.has_page else None
    return PageDoor.open(folder, facts, inbox, utc_now)


def _faults_of_storage(outbox: Outbox, settings: BenchSettings) -> Iterator[str]:
    """Restore what an outbox has lost and repair the files of reports, and say what was found."""
    reports = settings.storage.folder / "reports"
    try:
        lost = lost_outbox(outbox, reports)
        if lost is not None:
            count = restore(outbox, reports, datetime.now(UTC), lost=lost, identity=identity_of(settings))
            what = "deleted" if lost == GONE else "damaged"
            begun_anew = Sentence(f"The outbox was {what}; {{count}} reports are sent again", count=count)
            yield begun_anew if lost == GONE else begun_anew.and_also(", the old one is {name}", name=Verbatim(lost))
        if foreign := repair(outbox, reports, datetime.now(UTC)).foreign:
            yield Sentence(
                "Files in {folder} differ from the outbox: {count}; leukoscope audit verify names them",
                folder=Verbatim(reports.name),
                count=foreign,
            )
    except OSError as error:
        if isinstance(error, LeukoscopeError):
            raise
        yield Sentence(
            "The files of reports in {folder} cannot be kept ({why}): check its owner and make room",
            folder=Verbatim(reports),
            why=error.strerror,
        )


def _expect_frame(camera: Camera, calibration: Calibration) -> None:
    """A frame the calibration was made for, after the few that a sensor needs to settle on its settings."""
    for left in reversed(range(SETTLING_FRAMES)):
        frame = camera.capture()
        try:
            if frame is not None:
                calibration.refuse_foreign(frame)
            return
        except CalibrationError:
            if not left:
                raise


def provenance_of(
    settings: BenchSettings,
    models: LoadedModels,
    calibration: Calibration,
    camera: Camera,
    reference: SizeReference | None = None,
) -> Provenance:
    """What a report made now has to say about its origin."""
    return Provenance(
        site=settings.site,
        device=settings.device,
        software_version=__version__,
        segmenter=models.segmenter_identity,
        classifier=models.classifier_identity,
        calibration_id=calibration.id,
        calibration_measured=calibration.measured,
        um_per_px=calibration.um_per_px,
        source=camera.source,
        clock_synchronised=clock_synchronised(),
        boot_id=boot_id(),
        dependencies=lock_digest(),
        camera=camera_of(settings),
        size_reference=reference,
    )


def _closing(stack: ExitStack, part: Part) -> Part:
    stack.callback(part.close)
    return part
