"""Walks a simulated slide and compares what was counted with the cells that were shown."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarking.walks import Walk
from leukoscope.counting.rectangles import overlap_of_each
from leukoscope.counting.tally import CountingRules, Naming, Tally
from leukoscope.instrument import Instrument, Look, Sample, Waiting
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.optics.tracking import NewFieldRule
from leukoscope.service.models import LoadedModels, naming_of
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope, VisibleCell
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.field import CountedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.slide import SlideCell, SlideChange
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.rules.rules_settings import RulesSettings

FOUND = 0.3
"""Overlap of boxes from which a cell that was counted is a cell that is there."""
IN_FOCUS_UM = 0.6
"""A field farther out of focus than this is not taken as shown."""
FRAMES_PER_S = 15.0
LOOK_S = 0.1
"""How long the instrument is busy with a field, and sees no other frame."""

Truth = tuple[VisibleCell, ...]


@dataclass(slots=True)
class Score:
    """What became of the cells of one kind."""

    shown: int = 0
    """Cells that were whole in at least one picture at rest and in focus."""
    missed: int = 0
    twice: int = 0
    """Counted beyond once."""
    added_up: int = 0
    """Counted beyond once if the same fields were simply added up."""
    imagined: int = 0
    """Counted where there is none."""

    def add(self, other: "Score") -> None:
        """Join two walks."""
        self.shown += other.shown
        self.missed += other.missed
        self.twice += other.twice
        self.added_up += other.added_up
        self.imagined += other.imagined


@dataclass(frozen=True, slots=True)
class Walked:
    """What one walk gave."""

    frames: int
    fields: int
    patches: int
    lost_frames: int
    """Frames at rest or moving whose place was not known."""
    scores: dict[CellKind, Score]


class _Ledger(Tally):
    """A tally that keeps the cells it was given."""

    def __init__(self, naming: Naming, rules: Rules) -> None:
        super().__init__(naming, CountingRules(white_cells=10_000), rules)
        self.known: dict[int, SlideCell] = {}

    def amend(self, change: SlideChange) -> None:
        """As any tally, and keeps them."""
        super().amend(change)
        for key in change.dropped:
            self.known.pop(key, None)
        self.known.update({cell.id: cell for cell in change.cells})


def walk_slide(models: LoadedModels, walk: Walk, smear: SmearSettings, scope: MicroscopeSettings) -> Walked:
    """Count along a walk, frame by frame as a camera would deliver them.

    Args:
        models: what finds and names.
        walk: how the slide is moved.
        smear: what is on the slide.
        scope: through what it is seen; the walk turns its focus.
    """
    calibration = Calibration.of_scale(scope.um_per_px)
    instrument = Instrument(calibration, QualityGate(QualityLimits()), models.segmenter, models.classifier)
    ledger = _Ledger(naming_of(models.classifier_bundle), RulesSettings().open())
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    sample = Sample(instrument, ledger, NewFieldRule(), report_id="walk", sample_id="walk", now=lambda: begin)
    stage = Stage(lambda: 0.0)
    microscope = SimulatedMicroscope(Smear(smear), stage, scope)
    width_um = scope.width * scope.um_per_px
    shown: dict[str, CellKind] = {}
    looks: list[tuple[CountedField, Truth]] = []
    seconds, number, lost = 0.0, 0, 0
    was_resting = False
    while seconds < walk.seconds:
        moment = walk.at(seconds)
        stage.move_to(moment.right * width_um, moment.down * width_um)
        microscope.refocus(moment.defocus_um)
        pixels, truth = microscope.look()
        number += 1
        frame = Frame(pixels, number, begin + timedelta(seconds=seconds), "simulated")
        if moment.resting and was_resting and abs(microscope.defocus_um) < IN_FOCUS_UM:
            shown |= {one.cell.id: one.kind for one in truth if not one.touches_border}
        was_resting = moment.resting
        outcome = sample.take(frame)
        lost += outcome is Waiting.MOVED_TOO_FAST
        if isinstance(outcome, Look) and isinstance(outcome.field, CountedField):
            looks.append((outcome.field, truth))
            seconds += LOOK_S
        seconds += 1 / FRAMES_PER_S
    return Walked(number, len(looks), sample.patches, lost, _scores(shown, looks, ledger))


def _scores(
    shown: dict[str, CellKind], looks: list[tuple[CountedField, Truth]], ledger: _Ledger
) -> dict[CellKind, Score]:
    names = [_true_cells(field, truth) for field, truth in looks]
    counted: dict[CellKind, Counter[str | None]] = {kind: Counter() for kind in CellKind}
    for cell in ledger.known.values():
        if cell.counted:
            detection = cell.detection
            counted[detection.kind][names[detection.field - 1].get(detection.box.as_xyxy())] += 1
    added: dict[CellKind, Counter[str]] = {kind: Counter() for kind in CellKind}
    for (field, _), true in zip(looks, names, strict=True):
        for one in field.cells:
            found = true.get(one.instance.box.as_xyxy())
            if found is not None and not one.instance.touches_border:
                added[one.instance.kind][found] += 1
    scores = {}
    for kind in CellKind:
        there = {key for key, its_kind in shown.items() if its_kind is kind}
        mine = counted[kind]
        scores[kind] = Score(
            shown=len(there),
            missed=len(there - set(mine)),
            twice=sum(count - 1 for key, count in mine.items() if key is not None),
            added_up=sum(count - 1 for count in added[kind].values()),
            imagined=mine[None],
        )
    return scores


def _true_cells(field: CountedField, truth: Truth) -> dict[tuple[int, int, int, int], str]:
    """Which true cell each box of a field shows, where it shows one."""
    boxes = np.array([_corners(one.instance.box.as_xyxy()) for one in field.cells], dtype=np.float64).reshape(-1, 4)
    true = np.array([_corners(one.box.as_xyxy()) for one in truth], dtype=np.float64).reshape(-1, 4)
    overlap = overlap_of_each(boxes[:, None], true[None])
    found = {}
    for one, row in zip(field.cells, overlap, strict=True):
        if row.size and row.max() >= FOUND:
            found[one.instance.box.as_xyxy()] = truth[int(row.argmax())].cell.id
    return found


def _corners(xyxy: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return xyxy[1], xyxy[0], xyxy[3], xyxy[2]
