"""Finds and opens the networks that the settings name, and says what their names are worth."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from leukoscope import __version__
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.bundles.installing import refuse_other_answers
from leukoscope.bundles.startup import FoundBundle, Startup
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.network import Network
from leukoscope.instrument import Instrument
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.settings import ModelSettings
from leukoscope.specimen.frame import Frame, Micrograph, Pixels
from leukoscope.specimen.sample import BundleIdentity
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.summary import NOT_VERIFIED, Naming


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """Both networks, and what reports say about them."""

    segmenter: Segmenter
    classifier: Classifier
    segmenter_identity: BundleIdentity
    classifier_identity: BundleIdentity
    classifier_bundle: Bundle
    """What the classifier's folder says about its classes and its validation."""


def open_models(models: ModelSettings, near: Path | None = None, startup: Startup | None = None) -> LoadedModels:
    """Load both bundles.

    Args:
        models: what the settings say.
        near: the folder of the settings file.
        startup: a start of a device with bundles of its own, which counts nothing before both golden pairs are
            replayed; without it only those beside the settings file and those of the software are looked at.

    Raises:
        SettingsError: a bundle is not where the settings say.
        BundleError: a bundle is altered or of the wrong kind, or decides otherwise than it must.
        EngineUnavailable: the runtime is not installed.
    """
    on_device = startup is not None
    startup = startup or Startup(near, __version__)
    with startup.opening(models.segmenter) as found:
        first, first_network = _open_bundle(models, found, prove=on_device)
        segmenter = Segmenter(first, first_network)
    with startup.opening(models.classifier) as found:
        second, second_network = _open_bundle(models, found, prove=on_device)
        classifier = Classifier(second, second_network)
    engine = models.engine.driver
    identities = [
        BundleIdentity(bundle.manifest.name, bundle.manifest.version, bundle.digest(engine), engine)
        for bundle in (first, second)
    ]
    return LoadedModels(
        segmenter=segmenter,
        classifier=classifier,
        segmenter_identity=identities[0],
        classifier_identity=identities[1],
        classifier_bundle=second,
    )


def open_classifier(models: ModelSettings, enlarged: float = 1.0) -> Classifier:
    """The classifier alone, shown cells so many times as large; errors as in `open_models`."""
    with Startup(None, __version__).opening(models.classifier) as found:
        return Classifier(*_open_bundle(models, found, prove=False), enlarged=enlarged)


def open_segmenter(models: ModelSettings) -> Segmenter:
    """The segmenter alone; errors as in `open_models`."""
    with Startup(None, __version__).opening(models.segmenter) as found:
        return Segmenter(*_open_bundle(models, found, prove=False))


def micrograph_of_scale(name: str, pixels: Pixels, um_per_px: float) -> Micrograph:
    """A stored picture (rows, cols, 3) of which nothing is known but the scale."""
    return Calibration.of_scale(um_per_px).correct(Frame(pixels, 1, datetime.now(UTC), "file", label=name))


def open_instrument_for_pictures(models: ModelSettings, um_per_px: float, enlarged: float = 1.0) -> Instrument:
    """An instrument for stored pictures, of which nothing is known but the scale; errors as in `open_models`.

    Its classifier is shown cells `enlarged` times as large (`optics.reference`).
    """
    segmenter, classifier = open_segmenter(models), open_classifier(models, enlarged)
    return Instrument(Calibration.of_scale(um_per_px), QualityGate(QualityLimits()), segmenter, classifier)


def _open_bundle(models: ModelSettings, found: FoundBundle, *, prove: bool) -> tuple[Bundle, Network]:
    bundle = Bundle.read(found.folder)
    network = models.engine.open(bundle)
    if found.on_trial or prove:
        refuse_other_answers(bundle, network)
    return bundle, network


def naming_of(bundle: Bundle) -> Naming:
    """What a classifier's bundle says about its classes; of a bench that is not verified.

    Raises:
        BundleError: it is no classifier's.
    """
    facts = bundle.manifest.classifier
    if facts is None:
        raise BundleError(f"bundle {bundle.manifest.name} is no classifier", "check models.classifier in the settings")
    return Naming(
        facts.classes,
        facts.groups,
        not_verified=expectation(facts),
        false_suspects={key: FalseShare(limit.false_share) for key, limit in facts.suspect.items()},
    )


def expectation(facts: ClassifierFacts) -> str:
    """What to expect of a bench that the laboratory has not verified, in one sentence."""
    if not facts.left_out:
        return f"{NOT_VERIFIED}; leukoscope verify shows what is missing"
    worst, best = (round(100 * share) for share in (min(facts.left_out.values()), max(facts.left_out.values())))
    return (
        f"this bench is not verified: in laboratories that it had not seen the classifier named {worst} to {best} of "
        "100 cells right; leukoscope verify shows what is missing for a corrected differential"
    )
