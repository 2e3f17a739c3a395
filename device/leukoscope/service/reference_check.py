"""Counts a reference that should be the same every time: stored pictures, or a slide that is kept for it."""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from leukoscope import __version__
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.startup import Startup
from leukoscope.cameras import Camera
from leukoscope.cameras.held import held
from leukoscope.cameras.picture_files import find_pictures
from leukoscope.cameras.replay import ReplayCameraSettings
from leukoscope.counting.tally import Tally
from leukoscope.errors import TrendError
from leukoscope.instrument import Instrument, Look, Sample
from leukoscope.optics.quality import QualityGate
from leukoscope.optics.tracking import NewFieldRule
from leukoscope.quality_control.run_record import Run
from leukoscope.quality_control.sample_metrics import SampleMetrics
from leukoscope.service.models import naming_of, open_models
from leukoscope.service.opening import provenance_of
from leukoscope.settings import BenchSettings

EVERY_PICTURE = NewFieldRule(when="every_frame")
WAIT_S = 120.0
"""How long a check waits for the slide to be moved on."""


def count_pictures(settings: BenchSettings, near: Path, pictures: Path, now: Callable[[], datetime]) -> Run:
    """Count every picture of a folder; errors as in `count_slide`."""
    camera = ReplayCameraSettings(path=pictures).open()
    try:
        return _count(settings, near, camera, f"pictures {_digest(pictures)}", None, EVERY_PICTURE, now)
    finally:
        camera.close()


def count_slide(settings: BenchSettings, near: Path, slide: str, fields: int, now: Callable[[], datetime]) -> Run:
    """Count so many fields of a slide under the bench's camera.

    Args:
        settings: the bench.
        near: the folder of its file.
        slide: what the slide is called.
        fields: looks at the slide, refused ones included.
        now: the time of day.

    Raises:
        LeukoscopeError: a part cannot be opened, or failed.
        TrendError: nothing could be counted.
    """
    camera = held(settings.camera, settings.calibration.open(near).white).open()
    try:
        return _count(settings, near, camera, f"slide {slide}", fields, settings.new_field, now)
    finally:
        camera.close()


def _count(
    settings: BenchSettings,
    near: Path,
    camera: Camera,
    reference: str,
    fields: int | None,
    new_field: NewFieldRule,
    now: Callable[[], datetime],
) -> Run:
    # The networks in force on this device; to open them for a check is no start of it.
    startup = Startup(near, __version__, BundleStore(settings.storage.bundles, settings.models.keys))
    models = open_models(settings.models, near, startup)
    startup.forgive()
    calibration = settings.calibration.open(near)
    instrument = Instrument(
        calibration, QualityGate(calibration.limits(settings.quality)), models.segmenter, models.classifier
    )
    tally = Tally(naming_of(models.classifier_bundle), settings.counting, settings.rules.open(near, settings.mode))
    sample = Sample(instrument, tally, new_field, report_id="", sample_id=reference, now=now)
    watch = SampleMetrics()
    looked, moved_at_s = 0, time.monotonic()
    while fields is None or looked < fields:
        frame = camera.capture()
        if frame is None:
            break
        look = sample.take(frame)
        if isinstance(look, Look):
            watch.take(look.field, look.times_ms.total)
            looked, moved_at_s = looked + 1, time.monotonic()
        elif time.monotonic() - moved_at_s > WAIT_S:
            raise TrendError(f"only {looked} of {fields} fields were seen", "move the slide on, field by field")
    if not looked:
        raise TrendError(
            f"nothing could be counted of {reference}: expected pictures of a smear",
            "put the reference smear under the objective",
        )
    report = sample.finish("end_of_pictures", provenance_of(settings, models, calibration, camera))
    return watch.run_of(report, now(), reference=reference)


def _digest(folder: Path) -> str:
    """A name for exactly these pictures."""
    digest = hashlib.sha256()
    for path in sorted(find_pictures([folder])):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
