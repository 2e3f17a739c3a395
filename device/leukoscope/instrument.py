"""One look at the slide, and one sample made of many looks: the order of things.

Frame ── calibration ──> Micrograph ── gate ──> Quality ── segmenter ──> CellInstance
      ── classifier ──> ClassifiedCell ──> CountedField | RejectedField ──> Tally ──> SampleReport
"""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from leukoscope.analysis.blood_check import not_blood
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.counting.detections import field_detections
from leukoscope.counting.field_record import FieldRecord, as_event, place_as_list, read_event
from leukoscope.counting.slide_map import SlideMap
from leukoscope.counting.tally import Tally
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate
from leukoscope.optics.tracking import NewFieldRule, StageTracker
from leukoscope.specimen.field import CountedField, RejectedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.place import Place
from leukoscope.specimen.sample import Provenance, SampleReport

FinishReason = Literal["enough_cells", "technician", "end_of_pictures", "fault"]

Keep = Callable[[Mapping[str, Any], bool], None]
"""Writes down an event; the second says whether it must be on the disk before anything else happens."""


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long each step of a look took, in milliseconds."""

    correct: float
    gate: float
    segment: float
    name: float

    @property
    def total(self) -> float:
        """The whole look."""
        return self.correct + self.gate + self.segment + self.name


@dataclass(frozen=True, slots=True)
class Look:
    """One frame, examined."""

    field: CountedField | RejectedField
    times_ms: StepTimes
    again: bool = False
    """A place that was refused before, and still is: it is not counted or signalled as another refusal."""


class Instrument:
    """The parts that turn a frame into a field; they hold no memory of earlier frames."""

    def __init__(
        self, calibration: Calibration, gate: QualityGate, segmenter: Segmenter, classifier: Classifier
    ) -> None:
        self._calibration = calibration
        self._gate = gate
        self._segmenter = segmenter
        self.classifier = classifier

    def refuse_foreign(self, frame: Frame) -> None:
        """Raise unless the frame is what the calibration was made for; costs nothing.

        Raises:
            CalibrationError: it is of another sensor, size or camera setting.
        """
        self._calibration.refuse_foreign(frame)

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
        quality = self._gate.assess(micrograph, stain=True)
        marks.append(time.perf_counter())
        wanted = examine_refused or not quality.flaws
        found = self._segmenter.find_cells(micrograph) if wanted else ()
        if not quality.flaws:
            why = not_blood(micrograph, quality, found, stained=self._gate.judges_stain)
            if why is not None:
                quality = replace(quality, flaws=(why,))
                found = found if examine_refused else ()
        marks.append(time.perf_counter())
        cells = self.classifier.name_cells(micrograph, found)
        marks.append(time.perf_counter())
        field = RejectedField(micrograph, quality, cells) if quality.flaws else CountedField(micrograph, quality, cells)
        steps = [1000 * (after - before) for before, after in itertools.pairwise(marks)]
        return Look(field, StepTimes(*steps))


class Waiting(StrEnum):
    """Why a frame was not examined."""

    STAGE_MOVES = "stage_moves"
    MOVED_TOO_FAST = "moved_too_fast"
    """The stage moves so fast that its place on the slide is lost."""
    SEEN_BEFORE = "seen_before"
    """The place shows too little that no counted field has shown."""


class Sample:
    """One specimen being counted: asks of each frame whether it shows more of the slide, and adds it up."""

    def __init__(
        self,
        instrument: Instrument,
        tally: Tally,
        new_field: NewFieldRule,
        *,
        report_id: str,
        sample_id: str,
        now: Callable[[], datetime],
        keep: Keep = lambda event, durable: None,
        stills: bool = False,
    ) -> None:
        """Begin with nothing counted.

        Args:
            instrument: what finds and names.
            tally: what adds up, empty.
            new_field: when a frame is counted.
            report_id: of the report that will come of it.
            sample_id: what the specimen is called.
            now: the time of day.
            keep: gets what `replay` needs to build the same sample again after a power cut.
            stills: frames are pictures that were taken one by one, as `Camera.stills`.
        """
        self._instrument = instrument
        self._new_field = new_field
        self._tracker: StageTracker | None = None
        if new_field.when == "moved":
            self._tracker = StageTracker(new_field.max_shift_share, stills=stills)
        self._slide = SlideMap(instrument.classifier.decide)
        self._now, self._keep = now, keep
        self.tally = tally
        self.report_id = report_id
        self.sample_id = sample_id
        self.started_at = now()
        self.resumed = 0

    def replay(self, events: Iterable[Mapping[str, Any]], started_at: datetime) -> None:
        """Take in what an interrupted sample kept, and go on from there."""
        self.started_at = started_at
        for event in events:
            if "field" in event:
                self._count_again(read_event(event["field"]))
            elif "join" in event:
                self._put(event["join"]["patch"], Place(*event["join"]["at"]))
            elif "refused" in event:
                self.tally.refuse_for(event["refused"])
            else:
                self.resumed += 1
        self.resumed += 1
        self._keep({"resumed": self._now().isoformat()}, True)

    def _count_again(self, field: FieldRecord) -> None:
        placed = self._slide.add_seen(field.seen, field.place)
        self.tally.add(placed.change)
        if self._tracker is not None and field.picture is not None:
            self._tracker.know(placed.place, field.picture, (field.seen.rows, field.seen.cols))

    def take(self, frame: Frame) -> Look | Waiting:
        """Examine and add a frame, unless the stage moves or the place was counted already.

        Raises:
            CalibrationError: the frame does not fit the calibration, whether the stage moves or not.
        """
        self._instrument.refuse_foreign(frame)
        if self._tracker is None:
            look = self._instrument.look(frame)
            if isinstance(look.field, RejectedField):
                return self._refuse(look.field, look)
            self._count(look.field, None)
            return look
        track = self._tracker.follow(frame.pixels, frame.preview)
        if not track.still:
            lost = track.place is None and self._slide.patches > 0
            return Waiting.MOVED_TOO_FAST if lost else Waiting.STAGE_MOVES
        if track.place is not None and not self._is_new(track.place, frame):
            return Waiting.SEEN_BEFORE
        look = self._instrument.look(frame)
        if isinstance(look.field, RejectedField):
            return self._refuse(look.field, look)
        return look if self._add(look.field, track.place, self._tracker) else Waiting.SEEN_BEFORE

    def _add(self, field: CountedField, place: Place | None, tracker: StageTracker) -> bool:
        """Add a field where it lies; False when it turns out to show nothing new."""
        if place is None:
            place = tracker.recognise()
            if place is not None and not self._is_new(place, field.micrograph.frame):
                tracker.settle(place)
                return False
        place = self._count(field, place)
        tracker.remember(place)
        if self._slide.patches > 1:
            self._join(place, tracker)
        return True

    def _count(self, field: CountedField, place: Place | None) -> Place:
        """Add it to slide and tally, and write it down; returns where it lies by its cells."""
        seen = field_detections(field, self._slide.fields + 1)
        placed = self._slide.add_seen(seen, place)
        self.tally.add(placed.change)
        picture = None if self._tracker is None else self._tracker.picture
        self._keep({"field": as_event(FieldRecord(seen, place, picture))}, True)
        return placed.place

    def _join(self, place: Place, tracker: StageTracker) -> None:
        """Two patches become one when a field of the newer one shows a part of the older one."""
        elsewhere = tracker.recognise(elsewhere_than=place.patch)
        if elsewhere is None:
            return
        corner = elsewhere.moved(-place.row, -place.col)
        if self._put(place.patch, corner):
            self._keep({"join": {"patch": place.patch, "at": place_as_list(corner)}}, True)

    def _put(self, patch: int, corner: Place) -> bool:
        """Put a patch where it turned out to lie; False where its cells say that it does not."""
        placed = self._slide.join(patch, corner)
        if placed is None:
            return False
        self.tally.amend(placed.change)
        if self._tracker is not None:
            self._tracker.join(patch, placed.place)
        return True

    def _is_new(self, place: Place, frame: Frame) -> bool:
        rows, cols = frame.pixels.shape[:2]
        return self._slide.new_share(place, rows, cols) >= self._new_field.min_new_share

    def _refuse(self, field: RejectedField, look: Look) -> Look:
        """A place is looked at again and again while the technician focuses; it is refused once."""
        if self._tracker is not None and self._tracker.refuses_again():
            return replace(look, again=True)
        self.tally.refuse(field)
        # The gate refuses many fields while the technician focuses, and losing one does no harm.
        self._keep({"refused": [flaw.value for flaw in field.quality.flaws]}, False)
        return look

    @property
    def patches(self) -> int:
        """Parts of the slide whose distance from each other is not known."""
        return self._slide.patches

    @property
    def places(self) -> Mapping[int, Place]:
        """Where each counted field lies, by its number, from 1."""
        return self._slide.places

    @property
    def enough(self) -> bool:
        """The stop rule is met."""
        return self.tally.enough

    def finish(self, because: FinishReason, provenance: Provenance) -> SampleReport:
        """The report of everything counted so far."""
        report = self.tally.report(
            report_id=self.report_id,
            sample_id=self.sample_id,
            started_at=self.started_at,
            finished_at=self._now(),
            finished_because=because,
            provenance=provenance,
            patches=None if self._tracker is None else self._slide.patches,
        )
        return replace(report, resumed=self.resumed)
