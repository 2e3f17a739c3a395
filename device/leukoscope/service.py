"""The device's life: ready, counting, paused, reporting, and what the technician is told meanwhile."""

import logging
import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from leukoscope.analysis.gallery import Gallery
from leukoscope.app import Bench, fault_of, open_bench
from leukoscope.cameras.replay import ReplayCamera
from leukoscope.controls import Action, Event, Identify
from leukoscope.displays.album import Album
from leukoscope.errors import (
    CalibrationError,
    CameraInterrupted,
    ControlError,
    DisplayError,
    LeukoscopeError,
    OutboxError,
    SettingsError,
    TrendError,
)
from leukoscope.host import measurements, uptime_s
from leukoscope.identification import MOST_CHARS
from leukoscope.instrument import FinishReason, Look, Sample
from leukoscope.narrator import Narrator
from leukoscope.nextsample import NextSample
from leukoscope.remote import Remote, Restart, StartSample, UseRules, Wish
from leukoscope.reporting.cells import keep_pictures
from leukoscope.reporting.journal import Journal
from leukoscope.reporting.outbox import Key
from leukoscope.reporting.record import record
from leukoscope.reporting.room import Room
from leukoscope.reporting.status import health
from leukoscope.samplebook import SampleBook
from leukoscope.settings import BenchSettings
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.field import Flaw, RejectedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import SampleReport, Source
from leukoscope.stopping import start_again, stopped_by_signals
from leukoscope.trending.watch import RunWatch
from leukoscope.upkeep.fault_record import FaultRecord, LastFault
from leukoscope.upkeep.lifeline import Lifeline
from leukoscope.upkeep.logs import set_up_logs

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
    if len(sample_id) > MOST_CHARS or not sample_id.isprintable():
        raise SettingsError(
            f"--sample-id: expected at most {MOST_CHARS} printable characters, found {sample_id[:40]!r}"
        )
    # Lines in between would tear a display that is drawn in the same terminal.
    drawn = any(display.driver == "terminal" for display in settings.displays)
    set_up_logs(drawn_over=drawn)
    lifeline = Lifeline.of_this_process()
    with open_bench(settings, near, lifeline) as bench:
        service = Service(bench, near, samples=samples, sample_id=sample_id, lifeline=lifeline)
        bench.ready()
        with stopped_by_signals(service.stop):
            lifeline.ready()
            FaultRecord.of_this_service().clear()
            service.run()
    if service.to_start_again:
        start_again()


@contextmanager
def faults_on_record() -> Iterator[None]:
    """Keep whatever ends the device, its settings included, for the fault screen that comes after it."""
    kept = FaultRecord.of_this_service()
    kept.begin()
    try:
        yield
    except LeukoscopeError as error:
        fault = fault_of(error)
        kept.write(LastFault(fault.part, fault.happened, fault.todo))
        raise
    except Exception as error:
        kept.write(LastFault("Instrument", f"{type(error).__name__}: {error}", "Run leukoscope support"))
        raise
    finally:
        kept.end()


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
        self._narrator = Narrator(bench, clock_s)
        self._book = SampleBook(bench, self._narrator.fault, now)
        self._samples_left = samples or None
        self._confirm_s = bench.settings.samples.confirm_s
        self._next = NextSample(sample_id, self._book, self._narrator, self._confirm_s, clock_s)
        self._now, self._clock_s, self._sleep = now, clock_s, sleep
        self._phase = Phase.READY
        self._sample: Sample | None = None
        self._album: Album | None = None
        self._gallery = Gallery(bench.settings.cells)
        self._watch = RunWatch()
        self._counting_s = 0.0
        self._resumed_at_s = 0.0
        self._discard_asked_s = -math.inf
        self._cut_short = False
        self._last_flaw: Flaw | None = None
        self._counted_at_s = 0.0
        self._refreshed_at_s = -REFRESH_S
        self._health_at_s = -HEALTH_S
        self._tenth = 0
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
            self._lifeline.leaving()
            self._finish("technician")
        except Exception:
            # Whatever broke, what was counted before it is worth a report.
            self._finish("fault")
            raise
        finally:
            self._book.close()
        self._leave()

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
                self._narrator.notice("Sample under way", f"Finish {self._sample.sample_id} first", said.sample_id)
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
                if self._sample is None:
                    self._begin()
                self._narrator.answered()
                self._cut_short = False
                self._resumed_at_s = self._clock_s()
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
        self._counting_s = self._elapsed_s()
        self._phase = Phase.PAUSED

    def _ask_discard(self) -> None:
        """Nothing is thrown away by one slip of the hand; meanwhile nothing is counted."""
        if self._sample is None:
            # A wrong scan is taken back.
            self._next.forget()
            return
        if self._phase is Phase.COUNTING:
            self._pause()
        self._discard_asked_s = self._clock_s()
        self._tell_count()
        self._narrator.notice("Discard?", "Again to discard it", self._sample.sample_id, self._confirm_s)

    def _discard(self) -> None:
        """Throw the sample away; nothing is reported, and the register says so."""
        sample, self._sample = self._sample, None
        if sample is None:
            return
        self._book.discarded(sample)
        _log.warning("sample discarded by the technician, report %s", sample.report_id)
        self._phase = Phase.READY
        self._narrator.notice("Discarded", sample.sample_id, "Nothing is reported", refused=False)

    def _begin(self) -> None:
        sample = self._new_sample(str(uuid.uuid4()), self._next.take(self._now()))
        self._book.begin(sample)
        _log.info("sample started, report %s", sample.report_id)

    def _new_sample(self, report_id: str, sample_id: str, pictures: str = "") -> Sample:
        self._sample = Sample(
            self._bench.instrument,
            self._bench.new_tally(),
            self._bench.settings.new_field,
            report_id=report_id,
            sample_id=sample_id,
            now=self._now,
            keep=self._keep,
        )
        storage = self._bench.settings.storage
        self._gallery = Gallery(self._bench.settings.cells)
        self._album = Album(storage.folder / "fields" / (report_id + pictures), storage.annotated_fields)
        self._watch = RunWatch()
        self._narrator.faults.clear()
        self._counting_s, self._last_flaw, self._reported, self._tenth = 0.0, None, None, 0
        return self._sample

    def _resume(self) -> None:
        """Go on with a sample that a power cut ended, once the hand says so."""
        found = self._book.interrupted()
        if found is None:
            return
        self._narrator.rebuilding()
        times = 1 + sum("resumed" in event for event in found.events)
        sample = self._new_sample(found.header["report_id"], found.header["sample_id"], f"-resumed-{times}")
        self._counting_s = max((event.get("elapsed_s", 0.0) for event in found.events), default=0.0)
        self._phase = Phase.PAUSED
        self._book.go_on(found, sample)
        _log.warning(
            "a sample was cut short and goes on with %d fields, report %s",
            sample.tally.fields_counted,
            sample.report_id,
        )
        self._cut_short = True
        self._tell_count()
        if sample.enough:
            # Only its report was missing.
            self._finish("enough_cells")

    def _keep(self, event: Mapping[str, Any], durable: bool) -> None:
        self._book.keep({**event, "elapsed_s": round(self._elapsed_s(), 1)}, durable)

    def _elapsed_s(self) -> float:
        """Seconds that this sample has been counted for."""
        running = self._phase is Phase.COUNTING
        return self._counting_s + (self._clock_s() - self._resumed_at_s if running else 0.0)

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
            raise
        except Exception:
            # One picture that breaks the analysis must not cost the sample; a row of them is a defect.
            _log.exception("frame %d could not be examined", frame.number)
            self._faults += 1
            if self._faults >= LOOK_FAULTS:
                raise
            return
        if isinstance(look, Look):
            self._narrator.looked(look.field)
            self._take_in(look)
            self._tell_count()
        elif self._clock_s() - self._counted_at_s >= HINT_AFTER_S:
            self._narrator.hint(sample, self._last_flaw, look)
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

    def _take_in(self, look: Look) -> None:
        field = look.field
        if self._sample is not None:
            try:
                self._gallery.add(field, self._sample.tally.fields_counted)
            except OSError as error:
                _log.warning("pictures of cells: %s", error)
        self._watch.take(field, look.times_ms.total)
        self._last_flaw = field.quality.flaws[0] if isinstance(field, RejectedField) else None
        self._counted_at_s = self._clock_s()
        self._log_progress()
        if self._album is not None:
            try:
                self._album.keep(field)
            except DisplayError as error:
                _log.warning("%s", error)

    def _log_progress(self) -> None:
        """A line at every tenth of the goal, for whoever reads the journal."""
        if self._sample is None:
            return
        tally, goal = self._sample.tally, self._bench.settings.counting.white_cells
        tenth = min(10, 10 * tally.white_cells // goal)
        if tenth > self._tenth:
            self._tenth = tenth
            _log.info(
                "%d of %d white cells in %d fields, %d refused",
                tally.white_cells,
                goal,
                tally.fields_counted,
                tally.fields_rejected,
            )

    def _finish(self, because: FinishReason) -> None:
        sample, self._sample = self._sample, None
        if sample is None:
            return
        report = sample.finish(because, self._bench.provenance())
        cells = sample.tally.white_cell_records()
        key = self._record(report, cells)
        self._book.reported(sample, because)
        self._keep_trend(report)
        self._bench.sink.wake()
        self._post_health()
        self._reported = (report, key, self._clock_s())
        self._phase = Phase.RESULT
        self._narrator.result(report)
        self._keep_pictures(report, cells)
        _log.info("report %s finished (%s): %d white cells", report.id, because, report.white_cells)
        if self._samples_left is not None:
            self._samples_left -= 1
        if self._samples_left == 0 or because == "end_of_pictures":
            self._running = False

    def _record(self, report: SampleReport, cells: Sequence[CellRecord]) -> Key:
        """Put the report where a pulled plug cannot reach it; insist until that is done.

        Raises:
            OutboxError: there is no place for it and the program was told to stop; the report is in the log.
        """
        while True:
            try:
                key = record(
                    report,
                    self._bench.outbox,
                    self._bench.identity,
                    now=self._now,
                    cells=cells,
                    grounds=self._bench.grounds,
                )
                kept = self._bench.outbox.get(key)
                if kept is not None:
                    Journal(self._bench.settings.storage.folder / "reports").write(key, kept.payload)
                return key
            except OutboxError as error:
                failure = error
            except OSError as error:
                failure = OutboxError(f"the report cannot be written ({error.strerror}): make room")
            self._narrator.fault(failure)
            if not self._running:
                # systemd kills what does not stop; the journal is the last place that may hold it.
                _log.critical("a report that could not be kept: %r", report)
                raise failure
            self._lifeline.turn("waiting for room to keep a report", busy=True)
            self._sleep(OUTBOX_RETRY_S)

    def _keep_pictures(self, report: SampleReport, cells: Sequence[CellRecord]) -> None:
        """Pictures are for looking at; what cannot be kept is told and never in the report's way."""
        try:
            pictures = self._gallery.pictures(cells)
            keep_pictures(report, pictures, self._bench.outbox, self._bench.identity, now=self._now)
        except OutboxError as error:
            self._narrator.fault(error)

    def _keep_trend(self, report: SampleReport) -> None:
        """What the sample said about the instrument; a result is never lost for it."""
        try:
            self._bench.trend.add(self._watch.run_of(report, self._now()))
        except TrendError as error:
            _log.warning("%s", error)

    def _leave(self) -> None:
        """Wait a while for the broker, and say what became of the last report."""
        if self._reported is None:
            return
        shown_for_s = self._clock_s() - self._reported[2]
        self._bench.sink.flush(FLUSH_S)
        self._sleep(max(0.0, RESULT_S - shown_for_s))
        self._tell_delivery()

    def _tell_count(self) -> None:
        if self._sample is None:
            return
        paused = self._phase is not Phase.COUNTING
        self._narrator.counting(
            self._sample, self._last_flaw, self._elapsed_s(), paused=paused, resumed=self._cut_short
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
