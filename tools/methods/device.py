"""All that this tool takes from the device, in one place."""

from collections.abc import Iterator
from functools import cached_property

from leukoscope.analysis.classifier import Classifier, window_around
from leukoscope.analysis.features import measure_features
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.resampling import resample
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellInstance, CellKind
from leukoscope.specimen.frame import Frame, Micrograph, Pixels
from leukoscope.system.assets import find_asset

__all__ = [
    "Calibration",
    "CellInstance",
    "CellKind",
    "Classifier",
    "Frame",
    "Micrograph",
    "MicroscopeSettings",
    "Networks",
    "Pixels",
    "Segmenter",
    "SimulatedCameraSettings",
    "SmearSettings",
    "find_asset",
    "measure_features",
    "read_picture",
    "resample",
    "window_around",
]

ENGINE = OnnxSettings(threads=1)


class Networks:
    """The shipped networks, each opened when it is asked for, on one thread."""

    @cached_property
    def segmenter(self) -> Segmenter:
        """Finds and outlines the cells of a field."""
        bundle = _bundle("segmenter")
        return Segmenter(bundle, ENGINE.open(bundle))

    @cached_property
    def classifier(self) -> Classifier:
        """Names white cells of blood."""
        bundle = _bundle("classifier")
        return Classifier(bundle, ENGINE.open(bundle))

    @cached_property
    def marrow(self) -> Classifier:
        """Names cells of marrow, the erythroid stages apart."""
        bundle = _bundle("marrow")
        return Classifier(bundle, ENGINE.open(bundle))


def network_kb(name: str) -> float:
    """Size of a shipped network's file, 1,000 bytes."""
    bundle = _bundle(name)
    return (bundle.folder / bundle.manifest.files[ENGINE.driver].path).stat().st_size / 1000


def digests() -> Iterator[str]:
    """What tells one version of the shipped networks from another."""
    for name in ("segmenter", "classifier", "marrow"):
        yield _bundle(name).digest(ENGINE.driver)


def _bundle(name: str) -> Bundle:
    return Bundle.read(find_asset("models", name))
