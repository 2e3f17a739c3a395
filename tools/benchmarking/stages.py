"""The instrument's own parts in the instrument's order, with a clock between them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarking.clock import Calls, Time, watched
from leukoscope.analysis import segmenter
from leukoscope.analysis.blood_check import not_blood
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.network import Network, Outputs
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.specimen.frame import Frame

STAGES = {
    "correct": "even the light",
    "gate": "judge the quality",
    "resample": "resample to the network's scale",
    "tile": "cut into tiles, join the answers",
    "network": "segmenting network",
    "decode": "grids to boxes",
    "outline": "boxes to outlines",
    "blood": "judge whether it is blood",
    "cut_out": "cut out white cells",
    "name": "naming network",
}
"""Every moment of a look belongs to exactly one of them."""


class TimedNetwork:
    """A network that notes how long it computes."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.engine = network.engine
        self.spent, self.runs, self.pixels = Time(), 0, 0

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        """See `Network.run`."""
        begin = Time.now()
        outputs = self._network.run(picture)
        self.spent += Time.now() - begin
        self.runs += 1
        self.pixels += picture.shape[0] * picture.shape[1]
        return outputs


@dataclass(frozen=True, slots=True)
class TimedLook:
    """One field, examined."""

    stages: Mapping[str, Time]
    """Time per key of STAGES."""
    whole: Time
    cells: int
    tiles: int
    """How often the segmenting network ran."""
    network_px: int
    """Pixels it was given, all tiles together."""


class TimedInstrument:
    """Looks at fields as `Instrument` does."""

    def __init__(self, segmenter: Bundle, classifier: Bundle, engine: EngineSettings) -> None:
        self._finder = TimedNetwork(engine.open(segmenter))
        self._namer = TimedNetwork(engine.open(classifier))
        self._gate = QualityGate(QualityLimits())
        self._segmenter = Segmenter(segmenter, self._finder)
        self._classifier = Classifier(classifier, self._namer)
        self.engine = self._finder.engine

    def look(self, frame: Frame, calibration: Calibration) -> TimedLook:
        """Correct, judge, find and name.

        Raises:
            LeukoscopeError: segmenting no longer takes the steps whose time is asked for.
        """
        found_before, named_before = self._finder.spent, self._namer.spent
        tiles_before, pixels_before = self._finder.runs, self._finder.pixels
        with watched(segmenter, "run_tiled") as tiling, watched(segmenter, "find_boxes") as decoding:
            begin = Time.now()
            micrograph = calibration.correct(frame)
            corrected = Time.now()
            quality = self._gate.assess(micrograph, stain=True)
            judged = Time.now()
            found = self._segmenter.find_cells(micrograph)
            outlined = Time.now()
            not_blood(micrograph, quality, found, stained=True)
            accepted = Time.now()
            cells = self._classifier.name_cells(micrograph, found)
            end = Time.now()
        tiled_from, tiled_to = _once(tiling, "run_tiled")
        _, decoded = _once(decoding, "find_boxes")
        network, name = self._finder.spent - found_before, self._namer.spent - named_before
        stages = {
            "correct": corrected - begin,
            "gate": judged - corrected,
            "resample": tiled_from - judged,
            "tile": tiled_to - tiled_from - network,
            "network": network,
            "decode": decoded - tiled_to,
            "outline": outlined - decoded,
            "blood": accepted - outlined,
            "cut_out": end - accepted - name,
            "name": name,
        }
        tiles, pixels = self._finder.runs - tiles_before, self._finder.pixels - pixels_before
        return TimedLook(stages, end - begin, len(cells), tiles, pixels)


def _once(calls: Calls, name: str) -> tuple[Time, Time]:
    if len(calls.ends) != 1:
        raise LeukoscopeError(
            f"expected segmentation to call {name} once per field, found {len(calls.ends)} calls",
            "fit tools/benchmarking/stages.py to the steps it takes now",
        )
    return calls.begins[0], calls.ends[0]
