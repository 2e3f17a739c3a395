"""The main loop of the running device: ready, counting, paused, reporting."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

from leukoscope.controls import Action, Event, Identify
from leukoscope.errors import CameraInterrupted, ControlError, OutboxError
from leukoscope.instrument import FinishReason, Sample
from leukoscope.messages.live_state import Doing, UnderWay
from leukoscope.outbox.quota import Quota
from leukoscope.reviewing.desk import Desk, desk_of
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.service.acquisition import Acquisition
from leukoscope.service.bench import Bench
from leukoscope.service.event_journal import InterruptedSample
from leukoscope.service.next_sample import NextSample
from leukoscope.service.notices import NoticeTitle, NoticeTodo
from leukoscope.service.presenter import Presenter
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.service.report_filing import ReportFiling
from leukoscope.service.sample_log import SampleLog
from leukoscope.service.sample_run import SampleRun
from leukoscope.service.telemetry import Telemetry
from leukoscope.specimen.sample import Provenance
from leukoscope.statistics.rules import Rules
from leukoscope.system.clock import Clock, utc_now
from leukoscope.system.watchdog import Watchdog

REFRESH_S = 1.0
"""How often an idle screen is brought up to date."""
CODE_S = 120.0
"""How long the code that makes the page's first administrator is shown."""
IDLE_S = 0.05
"""Pause between two looks at the button when nothing is counted."""

_log = logging.getLogger("leukoscope")


class Service:
    """The main loop: reads controls and commands, counts one frame per turn, and files reports."""

    def __init__(
        self,
        bench: Bench,
        near: Path,
        *,
        samples: int = 0,
        sample_id: str = "",
        now: Clock = utc_now,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        watchdog: Watchdog | None = None,
    ) -> None:
        self._bench = bench
        self._watchdog = watchdog or Watchdog.of_this_process()
        storage = bench.settings.storage
        self._quota = Quota(bench.outbox, storage.outbox_max_mib * 2**20, keep_unsigned=storage.keep_unsigned)
        self.to_start_again = False
        """A command asks to start again."""
        self.to_calibrate = False
        """A very long press before any sample: the technician wants the calibrations."""
        self._presenter = Presenter(bench, clock_s)
        self._acquisition = Acquisition(bench.camera, self._presenter, clock_s, bench.page)
        self._telemetry = Telemetry(bench, self._quota, self._presenter, now, clock_s, sleep)
        self._sample_log = SampleLog(bench, self._presenter.fault, now)
        self._rules = bench.rules
        self._remote = RemoteCommands(near, bench.commands, self, _desk_of(bench), bench.sink.wake, self)
        self._asked_at_page = RemoteCommands(near, bench.page.inbox, self, under_way=self)
        self._samples_left = samples or math.inf
        self._filing = ReportFiling(
            self._presenter, self._watchdog, now, sleep=sleep, leaving=lambda: not self._running
        )
        self._confirm_s = bench.settings.samples.confirm_s
        self._next = NextSample(sample_id, self._sample_log, self._presenter, self._confirm_s, clock_s)
        self._now, self._clock_s, self._sleep = now, clock_s, sleep
        self._under_way: SampleRun | None = None
        self._result_shown = False
        """No other sample has been named or begun since the last was reported."""
        self._delivery_shown = False
        """The pages of the result have been turned to what became of its report."""
        self._discard_asked_s = -math.inf
        self._refreshed_at_s = -REFRESH_S
        self._running = True
        self._counted = 0
        self.nothing_counted = ""
        """Why no field was counted, where the pictures ended or all samples were reported and none was."""

    def run(self) -> None:
        """Count until enough samples are reported or the technician quits.

        Raises:
            LeukoscopeError: a part failed; what was counted until then is reported first.
        """
        try:
            self._resume()
            while self._running:
                self._turn()
                self._watchdog.turn(self._status(), busy=self._sample is not None)
            if self.to_start_again or self.to_calibrate:
                self._watchdog.becoming("starting again")
            else:
                self._watchdog.leaving()
            self._finish("technician")
        except Exception:
            # Whatever broke, what was counted before it is worth a report.
            self._finish("fault")
            raise
        finally:
            self._sample_log.close()
        self._telemetry.leave()

    @property
    def _sample(self) -> Sample | None:
        return None if self._under_way is None else self._under_way.sample

    @property
    def _doing(self) -> Doing:
        if self._under_way is None:
            return "result" if self._result_shown else "ready"
        return "counting" if self._under_way.counting else "paused"

    @property
    def _named(self) -> UnderWay | None:
        """Which sample is under way."""
        sample = self._sample
        return None if sample is None else UnderWay(report=sample.report_id, sample_id=sample.sample_id)

    def _status(self) -> str:
        """What the device does, in a line without a name of a specimen."""
        if self._under_way is None:
            return self._doing
        tally = self._under_way.sample.tally
        return f"{self._doing}: {tally.white_cells} white cells in {tally.fields_counted} fields"

    def _turn(self) -> None:
        for event in self._events():
            if isinstance(event, Identify):
                self._identify(event)
            else:
                self._act(event)
        self._execute_commands()
        self._telemetry.turn()
        try:
            if self._under_way is not None and self._under_way.counting:
                self._count_one_frame(self._under_way)
            else:
                self._idle()
        except CameraInterrupted as error:
            # The camera is being opened again, for a bounded time; controls and broker go on meanwhile.
            self._presenter.fault(error)
            self._sleep(IDLE_S)

    def stop(self) -> None:
        """Leave at the next turn; a sample under way is finished and reported with what it has."""
        self._running = False

    def _idle(self) -> None:
        if self._clock_s() - self._refreshed_at_s >= REFRESH_S:
            self._refreshed_at_s = self._clock_s()
            if self._under_way is not None:
                self._under_way.show_on(self._presenter)
            elif self._result_shown:
                # The result stays until a press; what became of its report is brought up to date.
                if self._delivery_shown:
                    self._telemetry.publish()
            else:
                self._next.show(self._quota.warning())
        if self._bench.idle_view or (self._bench.page.watched and self._bench.camera.repeatable):
            frame = self._acquisition.capture()
            if frame is not None:
                self._bench.page.live(frame)
        self._sleep(IDLE_S)

    def _events(self) -> list[Event]:
        events = []
        for control in self._bench.controls:
            try:
                while (event := control.poll()) is not None:
                    events.append(event)
            except ControlError as error:
                self._presenter.fault(error)
        return events

    def _identify(self, identify: Identify) -> None:
        """What the next sample is called; one that is under way keeps its name."""
        if self._sample is not None:
            if identify.complete and identify.sample_id:
                self._presenter.notice(
                    NoticeTitle.IN_PROGRESS,
                    Sentence(NoticeTodo.FINISH, sample=Verbatim(self._sample.sample_id)),
                    identify.sample_id,
                )
            return
        # A code read while the result is shown belongs to the next sample: the next press begins it.
        self._result_shown = False
        if self._next.receive(identify):
            self._next.show(self._quota.warning())

    def _act(self, action: Action) -> None:
        asked_s, self._discard_asked_s = self._discard_asked_s, -math.inf
        if asked_s > -math.inf:
            self._presenter.answered()
        match action:
            case Action.DISCARD if self._clock_s() - asked_s <= self._confirm_s:
                self._discard()
            case Action.DISCARD:
                self._ask_discard()
            case Action.QUIT:
                self._running = False
            case Action.FINISH if self._sample is not None:
                self._finish("technician")
            case Action.TOGGLE if self._under_way is not None and self._under_way.counting:
                self.pause_sample()
            case Action.TOGGLE if self._under_way is not None:
                self.resume_sample()
            case Action.TOGGLE if self._result_shown:
                self._turn_page()
            case Action.TOGGLE if (full := self.why_full()) is not None:
                self._presenter.fault(full)
            case Action.TOGGLE:
                self.start_sample(self._next.take(self._now()))
            case _:
                self._bench.move_stage(action)

    def _turn_page(self) -> None:
        """The next page of the result, what became of its report, and then ready for another sample."""
        if self._presenter.turn_page():
            return
        if not self._delivery_shown:
            self._delivery_shown = True
            self._telemetry.publish()
            return
        self._result_shown = False
        self._next.show(self._quota.warning())

    def _execute_commands(self) -> None:
        """Carry out the commands that came over MQTT, or from the page in the browser."""
        try:
            # What came over MQTT first: a full disk may end this before the page is answered.
            self._remote.carry_out()
            self._bench.page.turn(self._doing, self._named, self._presenter.alarms())
            self._asked_at_page.carry_out()
            self._bench.page.answer()
            if (code := self._bench.page.code()) and self._under_way is None:
                self._presenter.notice(NoticeTitle.PAGE_CODE, NoticeTodo.TYPE_IT, code, CODE_S, refused=False)
        except OutboxError as error:
            # A command that cannot be answered is shown here, and must not end the counting.
            self._presenter.fault(error)

    @property
    def rules(self) -> Rules:
        """In force from the next sample on; a sample keeps those it began with."""
        return self._rules

    @property
    def in_sample(self) -> bool:
        """Whether a sample is being counted or paused."""
        return self._under_way is not None

    @property
    def report_under_way(self) -> str | None:
        """The id of the report that the sample being counted or paused will have; None without one."""
        return None if self._sample is None else self._sample.report_id

    def provenance(self) -> Provenance:
        """The origin of a report made now."""
        return self._bench.provenance()

    def why_full(self) -> OutboxError | None:
        """Why the outbox has no room for another report; None when it has."""
        return self._quota.why_full(self._now())

    def objection(self, sample_id: str) -> str | None:
        """Why no specimen may be called so at this site; None when it may."""
        return self._sample_log.objection(sample_id)

    def used_before(self, sample_id: str) -> bool:
        """Whether a sample of this name was begun and not discarded."""
        return self._sample_log.used_before(sample_id)

    def start_sample(self, sample_id: str) -> str:
        """Begin to count; returns the id that the report will have."""
        self._presenter.answered()
        self._next.forget()
        under_way = self._begin(sample_id)
        under_way.go_on()
        under_way.show_on(self._presenter)
        return under_way.sample.report_id

    def pause_sample(self) -> None:
        """Look at nothing more until it is resumed."""
        if self._under_way is not None:
            self._under_way.pause()
            self._under_way.show_on(self._presenter)

    def resume_sample(self) -> None:
        """Go on with a sample that is paused."""
        if self._under_way is not None and not self._under_way.counting:
            self._presenter.answered()
            self._under_way.go_on()
            self._under_way.show_on(self._presenter)

    def finish_sample(self) -> None:
        """Report what is counted so far."""
        self._finish("technician")

    @property
    def counting(self) -> bool:
        """A sample is being counted, not paused."""
        return self._under_way is not None and self._under_way.counting

    def discard_sample(self) -> None:
        """Throw the sample away; nothing of it is reported."""
        self._discard()

    def use_rules(self, rules: Rules) -> None:
        """Judge by these from the next sample on."""
        self._rules = rules

    def restart(self) -> None:
        """Leave at the next turn and start again."""
        self.to_start_again = True
        self.stop()

    def _ask_discard(self) -> None:
        """Nothing is thrown away by one wrong press; meanwhile nothing is counted."""
        if self._under_way is None:
            if self._next.is_named:
                # A wrong scan is taken back.
                self._next.forget()
            elif self._bench.settings.calibration.file is not None:
                self.to_calibrate = True
                self.stop()
            return
        self._under_way.pause()
        self._discard_asked_s = self._clock_s()
        self._under_way.show_on(self._presenter)
        self._presenter.notice(NoticeTitle.DISCARD, NoticeTodo.AGAIN, self._under_way.sample.sample_id, self._confirm_s)

    def _discard(self) -> None:
        """Throw the sample away; nothing is reported, and the register says so."""
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return
        sample = under_way.sample
        self._sample_log.discarded(sample)
        under_way.forget_pictures()
        _log.warning("sample discarded by the technician, report %s", sample.report_id)
        self._presenter.notice(NoticeTitle.DISCARDED, NoticeTodo.NOTHING, sample.sample_id, refused=False)

    def _begin(self, sample_id: str, before: InterruptedSample | None = None) -> SampleRun:
        # It is under way before anything is written down, so that it is reported whatever breaks then.
        under_way = self._under_way = SampleRun(
            self._bench, self._rules, self._sample_log, sample_id, self._now, self._clock_s, before
        )
        self._presenter.faults.clear()
        self._telemetry.forget()
        self._result_shown = False
        under_way.begin()
        return under_way

    def _resume(self) -> None:
        """Go on with a sample that a power cut ended, once the technician confirms it."""
        found = self._sample_log.interrupted()
        if found is None:
            return
        self._presenter.rebuilding()
        under_way = self._begin(found.header["sample_id"], found)
        under_way.show_on(self._presenter)
        if under_way.sample.enough:
            # Only its report was missing.
            self._finish("enough_cells")

    def _count_one_frame(self, under_way: SampleRun) -> None:
        frame = self._acquisition.capture()
        if frame is None:
            self._finish("end_of_pictures")
            return
        self._acquisition.examine(frame, under_way)
        if under_way.sample.enough:
            self._finish("enough_cells")

    def _finish(self, because: FinishReason) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return
        sample = under_way.sample
        report = sample.finish(because, self._bench.provenance())
        cells = sample.tally.white_cell_records()
        key = self._filing.report(self._bench, report, cells, under_way.grounds)
        self._sample_log.reported(sample, because)
        self._filing.trend(self._bench, under_way.watch.run_of(report, self._now()))
        self._filing.cell_sizes(self._bench, report, sample.tally.cell_sizes())
        self._telemetry.send(report, key)
        self._result_shown, self._delivery_shown = True, False
        self._presenter.result(report)
        self._filing.pictures(self._bench, report, under_way.gallery.pictures(cells))
        under_way.keep_fields()
        _log.info("report %s finished (%s): %d white cells", report.id, because, report.white_cells)
        self._samples_left -= 1
        self._counted += report.fields_counted
        if self._samples_left == 0 or because == "end_of_pictures":
            self._running = False
            self.nothing_counted = "" if self._counted else under_way.why_nothing(report)


def _desk_of(bench: Bench) -> Desk:
    settings = bench.settings
    rules = settings.samples.pattern, settings.signing.rule
    return desk_of(bench.outbox, settings.storage.folder, bench.identity, utc_now, *rules)
