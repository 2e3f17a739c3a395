"""One look at the slide, and one sample made of many looks: the order of things.

Frame ── calibration ──> Micrograph ── gate ──> Quality ── segmenter ──> CellInstance
      ── classifier ──> ClassifiedCell ──> CountedField | RejectedField ──> Tally ──> SampleReport
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leukoscope.analysis.classification import Classifier
from leukoscope.analysis.segmentation import Segmenter
from leukoscope.analysis.tally import Tally
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.motion import NewFieldRule, StageWatcher
from leukoscope.optics.quality import QualityGate
from leukoscope.specimen.field import CountedField, RejectedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Provenance, SampleReport

FinishReason = Literal["enough_cells", "technician", "end_of_pictures", "fault"]


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long each step of a look took, in milliseconds."""

    correct: float
    gate: float
    segment: float
    name: float


@dataclass(frozen=True, slots=True)
class Look:
    """One frame, examined."""

    field: CountedField | RejectedField
    times_ms: StepTimes


class Instrument:
    """The parts that turn a frame into a field; they hold no memory of earlier frames."""

    def __init__(
        self, calibration: Calibration, gate: QualityGate, segmenter: Segmenter, classifier: Classifier
    ) -> None:
        self._calibration = calibration
        self._gate = gate
        self._segmenter = segmenter
        self.classifier = classifier

    def look(self, frame: Frame, *, examine_refused: bool = False) -> Look:
        """Correct, judge, find and name.

        Args:
            frame: as the camera gave it.
            examine_refused: find the cells of a refused field too (they still enter no count).

        Raises:
            CalibrationError: the frame does not fit the calibration.
        """
        marks = [time.perf_counter()]
        micrograph = self._calibration.correct(frame)
        marks.append(time.perf_counter())
        quality = self._gate.assess(micrograph)
        marks.append(time.perf_counter())
        wanted = examine_refused or not quality.flaws
        found = self._segmenter.find_cells(micrograph) if wanted else ()
        marks.append(time.perf_counter())
        cells = self.classifier.name_cells(micrograph, found)
        marks.append(time.perf_counter())
        field = RejectedField(micrograph, quality, cells) if quality.flaws else CountedField(micrograph, quality, cells)
        steps = [1000 * (after - before) for before, after in itertools.pairwise(marks)]
        return Look(field, StepTimes(*steps))


class Waiting(StrEnum):
    """Why a frame was not examined."""

    STAGE_MOVES = "stage_moves"
    SEEN_BEFORE = "seen_before"
    """The place shows too little that is not in the field counted last."""


class Sample:
    """One specimen being counted: asks of each frame whether it is another field, and adds it up."""

    def __init__(
        self,
        instrument: Instrument,
        tally: Tally,
        new_field: NewFieldRule,
        *,
        report_id: str,
        sample_id: str,
        now: Callable[[], datetime],
    ) -> None:
        self._instrument = instrument
        self._watcher = (
            StageWatcher(new_field.max_shift_share, new_field.max_overlap) if new_field.when == "moved" else None
        )
        self._now = now
        self.tally = tally
        self.report_id = report_id
        self.sample_id = sample_id
        self.started_at = now()

    def take(self, frame: Frame) -> Look | Waiting:
        """Examine and add a frame, unless the stage moves or the place was counted already."""
        if self._watcher is not None:
            if not self._watcher.is_still(frame.pixels):
                return Waiting.STAGE_MOVES
            if not self._watcher.is_new(frame.pixels):
                return Waiting.SEEN_BEFORE
        look = self._instrument.look(frame)
        if self._watcher is not None:
            if isinstance(look.field, CountedField):
                self._watcher.remember_counted(frame.pixels)
            elif not self._watcher.is_new_refusal(frame.pixels):
                return look
        self.tally.add(look.field)
        return look

    @property
    def enough(self) -> bool:
        """The stop rule is met."""
        return self.tally.enough

    def finish(self, because: FinishReason, provenance: Provenance) -> SampleReport:
        """The report of everything counted so far."""
        return self.tally.report(
            report_id=self.report_id,
            sample_id=self.sample_id,
            started_at=self.started_at,
            finished_at=self._now(),
            finished_because=because,
            provenance=provenance,
        )
