"""The device's life: ready, counting, paused, reporting, and what the technician is told meanwhile."""

import logging
import math
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from leukoscope.app import Bench
from leukoscope.cameras.replay import ReplayCamera
from leukoscope.controls import Action, Event, Identify
from leukoscope.errors import CalibrationError, CameraInterrupted, ControlError, OutboxError
from leukoscope.filing import Filing
from leukoscope.host import measurements, uptime_s
from leukoscope.instrument import FinishReason, Look, Sample, Waiting
from leukoscope.narrator import Narrator
from leukoscope.nextsample import NextSample
from leukoscope.remote import Remote, Restart, StartSample, UseRules, Wish
from leukoscope.reporting.outbox import Key
from leukoscope.reporting.room import Room
from leukoscope.reporting.status import health
from leukoscope.samplebook import SampleBook
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import SampleReport, Source
from leukoscope.underway import UnderWay
from leukoscope.upkeep.lifeline import Lifeline

REFRESH_S = 1.0
"""How often an idle screen is brought up to date."""
HEALTH_S = 60.0
"""How often the device says how it fares."""
IDLE_S = 0.05
"""Pause between two looks at the button when nothing is counted."""
RESULT_S = 3.0
"""How long the result stands before the screen says what became of the report."""
LOOK_FAULTS = 5
"""Unexpected failures in a row before the device gives up."""
HINT_AFTER_S = 1.5
FLUSH_S = 15.0
"""How long a program that is to leave waits for its reports to be acknowledged."""

_log = logging.getLogger("leukoscope")


class Phase(StrEnum):
    """What the device is doing."""

    READY = "ready"
    COUNTING = "counting"
    PAUSED = "paused"
    RESULT = "result"


class Service:
    """Joins hand, eye and mouth of the instrument; every decision about cells is made elsewhere."""

    def __init__(
        self,
        bench: Bench,
        near: Path,
        *,
        samples: int = 0,
        sample_id: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        lifeline: Lifeline | None = None,
    ) -> None:
        self._bench = bench
        self._lifeline = lifeline or Lifeline.of_this_process()
        self._room = Room(bench.outbox, bench.settings.storage.outbox_max_mib * 2**20)
        self._remote = Remote(near, lambda: self._bench, lambda: self._sample, lambda: self._room.why_full(self._now()))
        self.to_start_again = False
        """Somebody has asked for it."""
        self.to_calibrate = False
        """A very long press before any sample: the technician wants the calibrations."""
        self._narrator = Narrator(bench, clock_s)
        self._book = SampleBook(bench, self._narrator.fault, now)
        self._samples_left = samples or None
        self._filing = Filing(self._narrator, self._lifeline, now, sleep=sleep, leaving=lambda: not self._running)
        self._confirm_s = bench.settings.samples.confirm_s
        self._next = NextSample(sample_id, self._book, self._narrator, self._confirm_s, clock_s)
        self._now, self._clock_s, self._sleep = now, clock_s, sleep
        self._phase = Phase.READY
        self._under_way: UnderWay | None = None
        self._discard_asked_s = -math.inf
        self._counted_at_s = 0.0
        self._refreshed_at_s = -REFRESH_S
        self._health_at_s = -HEALTH_S
        self._faults = 0
        self._told_skipped = 0
        self._reported: tuple[SampleReport, Key, float] | None = None
        self._running = True

    def run(self) -> None:
        """Until enough samples are reported or somebody quits.

        Raises:
            LeukoscopeError: a part failed; what was counted until then is reported first.
        """
        try:
            self._resume()
            while self._running:
                self._turn()
                self._lifeline.turn(self._status(), busy=self._sample is not None)
            if self.to_start_again or self.to_calibrate:
                self._lifeline.becoming("starting again")
            else:
                self._lifeline.leaving()
            self._finish("technician")
        except Exception:
            # Whatever broke, what was counted before it is worth a report.
            self._finish("fault")
            raise
        finally:
            self._book.close()
        self._leave()

    @property
    def _sample(self) -> Sample | None:
        return None if self._under_way is None else self._under_way.sample

    def _status(self) -> str:
        """What the device does, in a line without a name of a specimen."""
        if self._sample is None:
            return self._phase.value
        tally = self._sample.tally
        return f"{self._phase.value}: {tally.white_cells} white cells in {tally.fields_counted} fields"

    def _turn(self) -> None:
        for event in self._events():
            if isinstance(event, Identify):
                self._identify(event)
            else:
                self._act(event)
        self._obey()
        if self._clock_s() - self._health_at_s >= HEALTH_S:
            self._post_health()
        try:
            if self._phase is Phase.COUNTING:
                self._count_one_frame()
            else:
                self._idle()
        except CameraInterrupted as error:
            # The camera is being opened again, for a bounded time; hand and broker go on meanwhile.
            self._narrator.fault(error)
            self._sleep(IDLE_S)

    def stop(self) -> None:
        """Leave at the next turn; a sample under way is finished and reported with what it has."""
        self._running = False

    def _post_health(self) -> None:
        self._health_at_s = self._clock_s()
        try:
            counts = self._bench.outbox.counts()
        except OutboxError as error:
            # A store that cannot be read now is told, and must not end the counting.
            self._narrator.fault(error)
            return
        self._bench.sink.post_health(
            health(
                self._bench.identity,
                at=self._now(),
                uptime_s=uptime_s(),
                reports={"pending": counts.pending, "sent": counts.sent, "refused": counts.refused},
                measurements=measurements(self._bench.settings.storage.folder),
                faults=[*self._narrator.faults, *self._narrator.alarms()],
            )
        )

    def _idle(self) -> None:
        if self._clock_s() - self._refreshed_at_s >= REFRESH_S:
            self._refreshed_at_s = self._clock_s()
            if self._phase is Phase.READY:
                self._next.tell(self._room.warning())
            elif self._phase is Phase.PAUSED:
                self._tell_count()
            elif self._phase is Phase.RESULT:
                self._tell_delivery()
        if self._bench.idle_view:
            self._capture()
        self._sleep(IDLE_S)

    def _events(self) -> list[Event]:
        events = []
        for control in self._bench.controls:
            try:
                while (event := control.poll()) is not None:
                    events.append(event)
            except ControlError as error:
                self._narrator.fault(error)
        return events

    def _identify(self, said: Identify) -> None:
        """What the next sample is called; one that is under way keeps its name."""
        if self._sample is not None:
            if said.complete and said.sample_id:
                self._narrator.notice("In progress", f"Finish {self._sample.sample_id} first", said.sample_id)
            return
        if self._next.hear(said):
            self._phase = Phase.READY
            self._next.tell(self._room.warning())

    def _act(self, action: Action) -> None:
        asked_s, self._discard_asked_s = self._discard_asked_s, -math.inf
        if asked_s > -math.inf:
            self._narrator.answered()
        match action:
            case Action.DISCARD if self._clock_s() - asked_s <= self._confirm_s:
                self._discard()
            case Action.DISCARD:
                self._ask_discard()
            case Action.QUIT:
                self._running = False
            case Action.FINISH if self._sample is not None:
                self._finish("technician")
            case Action.TOGGLE if self._phase is Phase.COUNTING:
                self._pause()
                self._tell_count()
            case Action.TOGGLE if self._sample is None and (full := self._room.why_full(self._now())):
                self._narrator.fault(OutboxError(full))
            case Action.TOGGLE:
                self._narrator.answered()
                (self._under_way or self._begin()).go_on()
                self._phase = Phase.COUNTING
                self._tell_count()
            case _:
                self._bench.move_stage(action)

    def _obey(self) -> None:
        """Do what was commanded from afar."""
        try:
            for wish in self._remote.wishes():
                self._grant(wish)
        except OutboxError as error:
            # What cannot be answered is told here, and must not end the counting.
            self._narrator.fault(error)

    def _grant(self, wish: Wish) -> None:
        match wish:
            case StartSample(sample_id):
                self._next.call(sample_id)
                self._act(Action.TOGGLE)
            case UseRules(rules):
                self._bench = replace(self._bench, rules=rules)
            case Restart():
                self.to_start_again = True
                self.stop()

    def _pause(self) -> None:
        if self._under_way is not None:
            self._under_way.pause()
        self._phase = Phase.PAUSED

    def _ask_discard(self) -> None:
        """Nothing is thrown away by one slip of the hand; meanwhile nothing is counted."""
        if self._sample is None:
            if self._next.is_named:
                # A wrong scan is taken back.
                self._next.forget()
            elif self._bench.settings.calibration.file is not None:
                self.to_calibrate = True
                self.stop()
            return
        if self._phase is Phase.COUNTING:
            self._pause()
        self._discard_asked_s = self._clock_s()
        self._tell_count()
        self._narrator.notice("Discard?", "Again to discard it", self._sample.sample_id, self._confirm_s)

    def _discard(self) -> None:
        """Throw the sample away; nothing is reported, and the register says so."""
        sample, self._under_way = self._sample, None
        if sample is None:
            return
        self._book.discarded(sample)
        _log.warning("sample discarded by the technician, report %s", sample.report_id)
        self._phase = Phase.READY
        self._narrator.notice("Discarded", "Nothing is reported", sample.sample_id, refused=False)

    def _begin(self) -> UnderWay:
        begun = self._new_sample(str(uuid.uuid4()), self._next.take(self._now()))
        self._book.begin(begun.sample)
        _log.info("sample started, report %s", begun.sample.report_id)
        return begun

    def _new_sample(self, report_id: str, sample_id: str, times_resumed: int = 0) -> UnderWay:
        self._under_way = UnderWay(
            self._bench,
            report_id,
            sample_id,
            self._book.keep,
            self._now,
            self._clock_s,
            times_resumed=times_resumed,
        )
        self._narrator.faults.clear()
        self._reported = None
        return self._under_way

    def _resume(self) -> None:
        """Go on with a sample that a power cut ended, once the hand says so."""
        found = self._book.interrupted()
        if found is None:
            return
        self._narrator.rebuilding()
        times = 1 + sum("resumed" in event for event in found.events)
        under_way = self._new_sample(found.header["report_id"], found.header["sample_id"], times)
        under_way.counted_before(found.events)
        self._phase = Phase.PAUSED
        sample = under_way.sample
        self._book.go_on(found, sample)
        _log.warning(
            "a sample was cut short and goes on with %d fields, report %s",
            sample.tally.fields_counted,
            sample.report_id,
        )
        self._tell_count()
        if sample.enough:
            # Only its report was missing.
            self._finish("enough_cells")

    def _count_one_frame(self) -> None:
        under_way = self._under_way
        if under_way is None:
            raise RuntimeError("counting without a sample")
        sample = under_way.sample
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
            raise
        except Exception:
            # One picture that breaks the analysis must not cost the sample; a row of them is a defect.
            _log.exception("frame %d could not be examined", frame.number)
            self._faults += 1
            if self._faults >= LOOK_FAULTS:
                raise
            return
        if isinstance(look, Look) and not look.again:
            self._narrator.looked(look.field)
            under_way.take_in(look)
            self._counted_at_s = self._clock_s()
            self._tell_count()
        elif look is Waiting.MOVED_TOO_FAST or self._clock_s() - self._counted_at_s >= HINT_AFTER_S:
            self._narrator.hint(sample, under_way.last_flaw, look)
        if sample.enough:
            self._finish("enough_cells")

    def _capture(self) -> Frame | None:
        frame = self._bench.camera.capture()
        self._tell_skipped()
        if frame is not None:
            self._narrator.field(frame)
        return frame

    def _tell_skipped(self) -> None:
        skipped = self._bench.camera.skipped if isinstance(self._bench.camera, ReplayCamera) else []
        for path, reason in skipped[self._told_skipped :]:
            _log.warning("picture passed over: %s: %s", path.name, reason)
        self._told_skipped = len(skipped)

    def _finish(self, because: FinishReason) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return
        sample = under_way.sample
        report = sample.finish(because, self._bench.provenance())
        cells = sample.tally.white_cell_records()
        key = self._filing.report(self._bench, report, cells)
        self._book.reported(sample, because)
        self._filing.trend(self._bench, under_way.watch.run_of(report, self._now()))
        self._bench.sink.wake()
        self._post_health()
        self._reported = (report, key, self._clock_s())
        self._phase = Phase.RESULT
        self._narrator.result(report)
        self._filing.pictures(self._bench, report, under_way.gallery.pictures(cells))
        _log.info("report %s finished (%s): %d white cells", report.id, because, report.white_cells)
        if self._samples_left is not None:
            self._samples_left -= 1
        if self._samples_left == 0 or because == "end_of_pictures":
            self._running = False

    def _leave(self) -> None:
        """Wait a while for the broker, and say what became of the last report."""
        if self._reported is None:
            return
        shown_for_s = self._clock_s() - self._reported[2]
        self._bench.sink.flush(FLUSH_S)
        self._sleep(max(0.0, RESULT_S - shown_for_s))
        self._tell_delivery()

    def _tell_count(self) -> None:
        one = self._under_way
        if one is not None:
            self._narrator.counting(
                one.sample,
                one.last_flaw,
                one.elapsed_s,
                paused=not one.counting,
                resumed=one.cut_short,
                lost=one.lost,
            )

    def _tell_delivery(self) -> None:
        if self._reported is None or self._clock_s() - self._reported[2] < RESULT_S:
            return
        try:
            if full := self._room.why_full(self._now()):
                raise OutboxError(full)
            self._narrator.delivery(*self._reported[:2])
        except OutboxError as error:
            self._narrator.fault(error)
