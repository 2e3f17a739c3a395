"""What a bench knows of its classifier's mistakes: its verification, or what to expect without one."""

from dataclasses import replace
from pathlib import Path

from leukoscope import __version__
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.startup import FoundBundle, find_bundle
from leukoscope.errors import CalibrationError, OutboxError, ReviewError
from leukoscope.inference.bundle import Bundle
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.learnt_size import LearntSize
from leukoscope.reviewing.bench_record import FILE, BenchRecord
from leukoscope.reviewing.checked_cells import BenchConditions, calibration_with
from leukoscope.reviewing.verification_progress import VerificationProgress
from leukoscope.service.event_journal import find_interrupted
from leukoscope.service.models import naming_of
from leukoscope.settings import BenchSettings, ModelSettings
from leukoscope.specimen.sample import SizeReference
from leukoscope.statistics.blast_findings import FALSELY_NAMED
from leukoscope.statistics.misclassification import Correction
from leukoscope.statistics.summary import Naming


def camera_of(settings: BenchSettings) -> str:
    """Driver, which of several, and size of the pictures, as reports name the camera."""
    values = settings.camera.model_dump(mode="json")
    which = [str(values[key]) for key in ("camera", "device", "sensor", "pipeline") if values.get(key) is not None]
    size = f"{values['width']}x{values['height']}" if "width" in values and "height" in values else ""
    return " ".join(part for part in (settings.camera.driver, *which, size) if part)[:200]


def adopted_reference(
    settings: BenchSettings, calibration: Calibration, segmenter: str
) -> tuple[SizeReference | None, str]:
    """The size at which cells are shown from now on, and what the technician should know; "" for nothing.

    What was learnt comes in force at a start without a sample in progress, so that no sample is named in two ways.

    Args:
        settings: the bench.
        calibration: in force.
        segmenter: sha256 of the one in force.
    """
    if not learns_cell_size(settings):
        return None, ""
    storage = settings.storage
    try:
        learnt = LearntSize.read(storage.folder, calibration.id, segmenter)
        if learnt.complete and not learnt.in_force and not find_interrupted(storage.in_progress):
            learnt = learnt.model_copy(update={"in_force": True})
            learnt.write(storage.folder)
        return learnt.reference, ""
    except (CalibrationError, OutboxError) as error:
        return None, f"Cells are shown as they are: {error}"


def learns_cell_size(settings: BenchSettings) -> bool:
    """Whether the classifier is shown cells as large as the bench's first specimens teach."""
    return settings.models.cell_size == "learnt" and settings.mode == "blood"


def conditions_of(settings: BenchSettings, near: Path) -> BenchConditions:
    """What a report made now would be made with; errors as those of the bundle and the calibration."""
    calibration = settings.calibration.open(near)
    return BenchConditions(
        bundle_of(settings, near).digest(settings.models.engine.driver),
        calibration_with(calibration.id, _learnt_reference(settings, calibration, near)),
        camera_of(settings),
    )


def models_for_pictures(settings: BenchSettings, near: Path) -> tuple[ModelSettings, float]:
    """The bench's networks in force, by their folders, and how much larger its classifier is shown a cell.

    Errors as those of the bundles and the calibration.
    """
    reference = _learnt_reference(settings, settings.calibration.open(near), near)
    models = settings.models
    in_force = {
        "segmenter": str(_found(models.segmenter, settings, near).folder),
        "classifier": str(_found(models.classifier, settings, near).folder),
    }
    return models.model_copy(update=in_force), 1.0 if reference is None else reference.enlarged


def _learnt_reference(settings: BenchSettings, calibration: Calibration, near: Path) -> SizeReference | None:
    if not learns_cell_size(settings):
        return None
    segmenter = _bundle_called(settings.models.segmenter, settings, near).digest(settings.models.engine.driver)
    return LearntSize.read(settings.storage.folder, calibration.id, segmenter).reference


def bundle_of(settings: BenchSettings, near: Path) -> Bundle:
    """The classifier in force; errors as in `service.models.open_models`."""
    return _bundle_called(settings.models.classifier, settings, near)


def _bundle_called(name: str, settings: BenchSettings, near: Path) -> Bundle:
    return Bundle.read(_found(name, settings, near).folder)


def _found(name: str, settings: BenchSettings, near: Path) -> FoundBundle:
    return find_bundle(name, near, BundleStore(settings.storage.bundles), __version__)


def naming_on(bundle: Bundle, storage: Path, now: BenchConditions) -> tuple[Naming, str]:
    """The naming of a classifier on a bench, and what the technician should know; "" for nothing.

    Args:
        bundle: the classifier's.
        storage: the folder of the bench's results.
        now: what its reports are made with.
    """
    naming, facts = naming_of(bundle), bundle.manifest.classifier
    try:
        progress = BenchRecord.read(storage / FILE).progress(now)
    except ReviewError as error:
        return replace(naming, not_verified=f"the bench's verification is damaged. {naming.not_verified}"), str(error)
    if facts is None:
        return naming, ""
    correction = progress.correction(bundle, facts)
    if correction is None:
        if not progress.cells and progress.expired:
            why = "its verification has expired with the classifier, the calibration or the camera"
            return replace(naming, not_verified=f"{why}: {naming.not_verified}"), "The verification has expired"
        return naming, ""
    return with_verification(naming, correction, progress), ""


def with_verification(naming: Naming, correction: Correction, progress: VerificationProgress) -> Naming:
    """The naming of a classifier with what a bench's checked cells say of it."""
    return replace(
        naming,
        correction=correction,
        verification=progress.verification,
        false_suspects=progress.false_suspects(naming.false_suspects),
        false_names=progress.false_names(naming.false_suspects, FALSELY_NAMED),
    )
