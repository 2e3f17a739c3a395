"""The device's life: ready, counting, paused, reporting, and what the technician is told meanwhile."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from leukoscope.app import Bench, fault_of, open_bench
from leukoscope.cameras.replay import ReplayCamera
from leukoscope.controls import Action
from leukoscope.displays.album import Album
from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    Hint,
    Looking,
    Ready,
    Screen,
    Sent,
    differential_lines,
    hint_for,
    result_of,
)
from leukoscope.errors import (
    CalibrationError,
    CameraError,
    CameraTimeout,
    ControlError,
    DisplayError,
    LeukoscopeError,
    OutboxError,
    SettingsError,
)
from leukoscope.instrument import FinishReason, Look, Sample, Waiting
from leukoscope.reporting.journal import Journal
from leukoscope.reporting.outbox import Key, State
from leukoscope.reporting.record import record
from leukoscope.settings import BenchSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.field import Flaw, RejectedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import SampleReport, Source

SAMPLE_ID_CHARS = 64
IDLE_S = 0.05
"""Pause between two looks at the button when nothing is counted."""
RESULT_S = 3.0
"""How long the result stands before the screen says what became of the report."""
CAMERA_TRIES = 3
"""Time-outs in a row before a camera counts as failed."""
LOOK_FAULTS = 5
"""Unexpected failures in a row before the device gives up."""
HINT_AFTER_S = 1.5
OUTBOX_RETRY_S = 5.0
FLUSH_S = 15.0
"""How long a program that is to leave waits for its reports to be acknowledged."""

_log = logging.getLogger("leukoscope")


class Phase(StrEnum):
    """What the device is doing."""

    READY = "ready"
    COUNTING = "counting"
    PAUSED = "paused"
    RESULT = "result"


def run_bench(settings: BenchSettings, near: Path, *, samples: int, sample_id: str) -> None:
    """Open a bench and run it until it has reported `samples` samples (0: until told to stop).

    Raises:
        LeukoscopeError: a part is missing or failed; what was counted is in the outbox.
    """
    if len(sample_id) > SAMPLE_ID_CHARS or not sample_id.isprintable():
        raise SettingsError(
            f"--sample-id: expected at most {SAMPLE_ID_CHARS} printable characters, found {sample_id[:40]!r}"
        )
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    with open_bench(settings, near) as bench:
        Service(bench, samples=samples, sample_id=sample_id).run()


class Service:
    """Joins hand, eye and mouth of the instrument; every decision about cells is made elsewhere."""

    def __init__(
        self,
        bench: Bench,
        *,
        samples: int = 0,
        sample_id: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bench = bench
        self._samples_left = samples or None
        self._sample_id = sample_id
        self._now, self._clock_s, self._sleep = now, clock_s, sleep
        self._phase = Phase.READY
        self._sample: Sample | None = None
        self._album: Album | None = None
        self._counting_s = 0.0
        self._resumed_at_s = 0.0
        self._last_flaw: Flaw | None = None
        self._counted_at_s = 0.0
        self._faults = 0
        self._told_skipped = 0
        self._reported: tuple[SampleReport, Key, float] | None = None
        self._running = True

    def run(self) -> None:
        """Until enough samples are reported or somebody quits."""
        self._show_ready()
        while self._running:
            for action in self._actions():
                self._act(action)
            if self._phase is Phase.COUNTING:
                self._count_one_frame()
            else:
                if self._phase is Phase.RESULT:
                    self._show_delivery()
                self._sleep(IDLE_S)
        if self._sample is not None:
            self._finish("technician")
        self._leave()

    def _actions(self) -> list[Action]:
        actions = []
        for control in self._bench.controls:
            try:
                while (action := control.poll()) is not None:
                    actions.append(action)
            except ControlError as error:
                self._complain(error)
        return actions

    def _act(self, action: Action) -> None:
        match action:
            case Action.QUIT:
                self._running = False
            case Action.FINISH if self._sample is not None:
                self._finish("technician")
            case Action.TOGGLE if self._phase is Phase.COUNTING:
                self._counting_s += self._clock_s() - self._resumed_at_s
                self._phase = Phase.PAUSED
                self._show_counting()
            case Action.TOGGLE:
                if self._sample is None:
                    self._begin()
                self._resumed_at_s = self._clock_s()
                self._phase = Phase.COUNTING
                self._show_counting()
            case _:
                self._bench.move_stage(action)

    def _begin(self) -> None:
        report_id = str(uuid.uuid4())
        moment = self._now()
        self._sample = Sample(
            self._bench.instrument,
            self._bench.settings.counting,
            self._bench.settings.new_field,
            report_id=report_id,
            sample_id=self._sample_id or moment.strftime("%Y%m%d-%H%M%S"),
            now=self._now,
        )
        # A name is for one specimen; the next one must not inherit it.
        self._sample_id = ""
        storage = self._bench.settings.storage
        self._album = Album(storage.folder / "fields" / report_id, storage.annotated_fields)
        self._counting_s, self._last_flaw, self._reported = 0.0, None, None
        _log.info("sample %s started, report %s", self._sample.sample_id, report_id)

    def _count_one_frame(self) -> None:
        sample = self._sample
        if sample is None:
            raise RuntimeError("counting without a sample")
        frame = self._capture()
        if frame is None:
            self._finish("end_of_pictures")
            return
        try:
            look = sample.take(frame)
            self._faults = 0
        except CalibrationError as error:
            if self._bench.camera.source is Source.REPLAYED:
                # One odd picture in a folder; a live camera of the wrong size never gives a right one.
                _log.warning("%s: %s", frame.label, error)
                return
            self._finish("camera_fault")
            raise
        except Exception:
            # One picture that breaks the analysis must not cost the sample; a row of them is a defect.
            _log.exception("frame %d could not be examined", frame.number)
            self._faults += 1
            if self._faults >= LOOK_FAULTS:
                self._finish("camera_fault")
                raise
            return
        if isinstance(look, Look):
            self._take_in(look)
            self._show_counting()
        else:
            self._show_hint(look)
        if sample.enough:
            self._finish("enough_cells")

    def _capture(self) -> Frame | None:
        for left in reversed(range(CAMERA_TRIES)):
            try:
                frame = self._bench.camera.capture()
            except CameraTimeout as error:
                _log.warning("%s", error)
                if left:
                    continue
                self._camera_failed(error)
                raise
            except CameraError as error:
                self._camera_failed(error)
                raise
            self._tell_skipped()
            if frame is not None:
                for problem in self._bench.panel.show_field(frame):
                    _log.warning("display: %s", problem)
            return frame
        return None

    def _tell_skipped(self) -> None:
        skipped = self._bench.camera.skipped if isinstance(self._bench.camera, ReplayCamera) else []
        for path, reason in skipped[self._told_skipped :]:
            _log.warning("picture passed over: %s: %s", path.name, reason)
        self._told_skipped = len(skipped)

    def _camera_failed(self, error: CameraError) -> None:
        if self._sample is not None:
            self._finish("camera_fault")
        self._complain(error)

    def _take_in(self, look: Look) -> None:
        field = look.field
        self._last_flaw = field.quality.flaws[0] if isinstance(field, RejectedField) else None
        self._counted_at_s = self._clock_s()
        if self._album is not None:
            try:
                self._album.keep(field)
            except DisplayError as error:
                _log.warning("%s", error)

    def _finish(self, because: FinishReason) -> None:
        sample, self._sample = self._sample, None
        if sample is None:
            return
        report = sample.finish(because, self._bench.provenance())
        key = self._record(report)
        self._bench.sink.wake()
        self._reported = (report, key, self._clock_s())
        self._phase = Phase.RESULT
        self._show(result_of(report, self._bench.short_labels))
        _log.info("sample %s finished (%s): %d white cells", report.sample_id, because, report.white_cells)
        if self._samples_left is not None:
            self._samples_left -= 1
        if self._samples_left == 0 or because == "end_of_pictures":
            self._running = False

    def _record(self, report: SampleReport) -> Key:
        """Put the report where a pulled plug cannot reach it; insist until that is done."""
        while True:
            try:
                key = record(report, self._bench.outbox, self._bench.identity, now=self._now)
                kept = self._bench.outbox.get(key)
                if kept is not None:
                    Journal(self._bench.settings.storage.folder / "reports").write(key, kept.payload)
                return key
            except OutboxError as error:
                self._complain(error)
            except OSError as error:
                self._complain(OutboxError(f"the report cannot be written ({error.strerror}): make room"))
            self._sleep(OUTBOX_RETRY_S)

    def _leave(self) -> None:
        """Wait a while for the broker, and say what became of the last report."""
        if self._reported is None:
            return
        shown_for_s = self._clock_s() - self._reported[2]
        self._bench.sink.flush(FLUSH_S)
        self._sleep(max(0.0, RESULT_S - shown_for_s))
        self._show_delivery()

    def _complain(self, error: LeukoscopeError) -> None:
        _log.error("%s", error)
        self._show(fault_of(error))

    def _show(self, screen: Screen) -> None:
        for error in self._bench.panel.show(screen):
            _log.warning("display: %s", error)

    def _show_ready(self) -> None:
        state = self._bench.sink.state
        broker = BrokerState.CONNECTED if state.connected else BrokerState.OFFLINE
        if self._bench.settings.reporting.driver == "none":
            broker = BrokerState.NONE
        self._show(
            Ready(
                sample_hint=self._sample_id or "Press to start",
                broker=broker,
                source=self._bench.camera.source,
                pending=state.pending,
                warning=self._bench.warning,
            )
        )

    def _show_counting(self) -> None:
        sample = self._sample
        if sample is None:
            return
        tally, rules = sample.tally, self._bench.settings.counting
        running = self._clock_s() - self._resumed_at_s if self._phase is Phase.COUNTING else 0.0
        self._show(
            Counting(
                white_so_far=tally.white_cells,
                white_goal=rules.white_cells,
                fields_counted=tally.fields_counted,
                fields_rejected=tally.fields_rejected,
                last_flaw=self._last_flaw,
                differential=differential_lines(tally.differential(), self._bench.short_labels),
                red_cells=tally.kind_count(CellKind.RBC),
                platelets=tally.kind_count(CellKind.PLATELET),
                elapsed_s=self._counting_s + running,
                paused=self._phase is Phase.PAUSED,
                source=self._bench.camera.source,
            )
        )

    def _show_hint(self, waiting: Waiting) -> None:
        """What the hand has to do, once the last count has been on the screen for a moment."""
        if self._sample is None or self._clock_s() - self._counted_at_s < HINT_AFTER_S:
            return
        if self._last_flaw is not None:
            hint = hint_for(self._last_flaw)
        else:
            hint = Hint.WAIT if waiting is Waiting.STAGE_MOVES else Hint.MOVE
        tally = self._sample.tally
        goal = self._bench.settings.counting.white_cells
        self._show(Looking(hint, tally.white_cells, goal, self._bench.camera.source))

    def _show_delivery(self) -> None:
        if self._reported is None or self._clock_s() - self._reported[2] < RESULT_S:
            return
        report, key, _ = self._reported
        kept = self._bench.outbox.get(key)
        self._show(
            Sent(
                report_id=report.id[:8],
                pending=self._bench.outbox.counts().pending,
                delivery=Delivery.SENT if kept is None or kept.state is State.SENT else Delivery.QUEUED,
                source=report.provenance.source,
            )
        )
