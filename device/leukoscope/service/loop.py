"""The main loop of the running device: reads controls and commands, counts a frame or waits, turn by turn."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from leukoscope.controls import Action, Event, Identify
from leukoscope.errors import CameraInterrupted, ControlError, OutboxError
from leukoscope.outbox.quota import Quota
from leukoscope.reviewing.desk import Desk, desk_of
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.service.acquisition import Acquisition
from leukoscope.service.bench import Bench
from leukoscope.service.commandable_bench import CommandableBench
from leukoscope.service.next_sample import NextSample
from leukoscope.service.notices import NoticeTitle, NoticeTodo
from leukoscope.service.presenter import Presenter
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.service.report_filing import ReportFiling
from leukoscope.service.sample_log import SampleLog
from leukoscope.service.sample_sequence import SampleSequence, Shown
from leukoscope.service.telemetry import Telemetry
from leukoscope.system.clock import Clock, utc_now
from leukoscope.system.watchdog import Watchdog

REFRESH_S = 1.0
"""How often an idle screen is brought up to date."""
CODE_S = 120.0
"""How long the code that makes the page's first administrator is shown."""
IDLE_S = 0.05
"""Pause between two looks at the button when nothing is counted."""


class Service:
    """The main loop: what presses and scans mean now, and what is done between them."""

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
        self._presenter = presenter = Presenter(bench, clock_s)
        self._acquisition = Acquisition(bench.camera, presenter, clock_s, bench.page)
        self._telemetry = Telemetry(bench, self._quota, presenter, now, clock_s, sleep)
        self._sample_log = SampleLog(bench, presenter.fault, now)
        filing = ReportFiling(presenter, self._watchdog, now, sleep=sleep, leaving=lambda: self._stopped)
        self._samples = SampleSequence(
            bench,
            self._sample_log,
            self._acquisition,
            self._telemetry,
            filing,
            presenter,
            samples=samples,
            now=now,
            clock_s=clock_s,
        )
        self._confirm_s = bench.settings.samples.confirm_s
        self._next = NextSample(sample_id, self._sample_log, presenter, self._confirm_s, clock_s)
        self._commandable = device = CommandableBench(
            bench,
            self._samples,
            self._sample_log,
            self._next,
            self._quota,
            presenter,
            now=now,
            restart=self._start_again,
        )
        self._remote = RemoteCommands(near, bench.commands, device, _desk_of(bench), bench.sink.wake, device)
        self._asked_at_page = RemoteCommands(near, bench.page.inbox, device, under_way=device)
        self._now, self._clock_s, self._sleep = now, clock_s, sleep
        self._discard_asked_s = -math.inf
        self._refreshed_at_s = -REFRESH_S
        self._stopped = False

    @property
    def nothing_counted(self) -> str:
        """As in `SampleSequence`."""
        return self._samples.nothing_counted

    def run(self) -> None:
        """Count until enough samples are reported or the technician quits.

        Raises:
            LeukoscopeError: a part failed; what was counted until then is reported first.
        """
        samples = self._samples
        try:
            samples.recover()
            while not (self._stopped or samples.ended):
                self._turn()
                self._watchdog.turn(samples.status, busy=samples.under_way is not None)
            if self.to_start_again or self.to_calibrate:
                self._watchdog.becoming("starting again")
            else:
                self._watchdog.leaving()
            samples.finish("technician")
        except Exception:
            # Whatever broke, what was counted before it is worth a report.
            samples.finish("fault")
            raise
        finally:
            self._sample_log.close()
        self._telemetry.leave()

    def stop(self) -> None:
        """Leave at the next turn; a sample under way is finished and reported with what it has."""
        self._stopped = True

    def _start_again(self) -> None:
        self.to_start_again = True
        self.stop()

    def _turn(self) -> None:
        for event in self._events():
            if isinstance(event, Identify):
                self._identify(event)
            else:
                self._act(event)
        self._execute_commands()
        self._telemetry.turn()
        try:
            if self._samples.counting:
                self._samples.count_one_frame()
            else:
                self._idle()
        except CameraInterrupted as error:
            # The camera is being opened again, for a bounded time; controls and broker go on meanwhile.
            self._presenter.fault(error)
            self._sleep(IDLE_S)

    def _idle(self) -> None:
        if self._clock_s() - self._refreshed_at_s >= REFRESH_S:
            self._refreshed_at_s = self._clock_s()
            if self._samples.under_way is not None:
                self._samples.under_way.show_on(self._presenter)
            elif self._samples.shown is Shown.NOTHING:
                self._next.show(self._quota.warning())
            elif self._samples.shown is Shown.DELIVERY:
                # The result stays until a press; what became of its report is brought up to date.
                self._telemetry.publish()
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
        if (sample := self._samples.sample) is not None:
            if identify.complete and identify.sample_id:
                self._presenter.notice(
                    NoticeTitle.IN_PROGRESS,
                    Sentence(NoticeTodo.FINISH, sample=Verbatim(sample.sample_id)),
                    identify.sample_id,
                )
            return
        # A code read while the result is shown belongs to the next sample: the next press begins it.
        self._samples.shown = Shown.NOTHING
        if self._next.receive(identify):
            self._next.show(self._quota.warning())

    def _act(self, action: Action) -> None:
        asked_s, self._discard_asked_s = self._discard_asked_s, -math.inf
        if asked_s > -math.inf:
            self._presenter.answered()
        samples = self._samples
        match action:
            case Action.DISCARD if self._clock_s() - asked_s <= self._confirm_s:
                samples.discard()
            case Action.DISCARD:
                self._ask_discard()
            case Action.QUIT:
                self.stop()
            case Action.FINISH if samples.under_way is not None:
                samples.finish("technician")
            case Action.TOGGLE if samples.counting:
                samples.pause()
            case Action.TOGGLE if samples.under_way is not None:
                samples.go_on()
            case Action.TOGGLE if samples.shown is not Shown.NOTHING:
                self._turn_page()
            case Action.TOGGLE if (full := self._commandable.why_full()) is not None:
                self._presenter.fault(full)
            case Action.TOGGLE:
                self._commandable.start_sample(self._next.take(self._now()))
            case _:
                self._bench.move_stage(action)

    def _turn_page(self) -> None:
        """The next page of the result, what became of its report, and then ready for another sample."""
        if self._presenter.turn_page():
            return
        if self._samples.shown is Shown.RESULT:
            self._samples.shown = Shown.DELIVERY
            self._telemetry.publish()
            return
        self._samples.shown = Shown.NOTHING
        self._next.show(self._quota.warning())

    def _ask_discard(self) -> None:
        """Nothing is thrown away by one wrong press; meanwhile nothing is counted."""
        sample = self._samples.sample
        if sample is None:
            if self._next.is_named:
                # A wrong scan is taken back.
                self._next.forget()
            elif self._bench.settings.calibration.file is not None:
                self.to_calibrate = True
                self.stop()
            return
        self._samples.pause()
        self._discard_asked_s = self._clock_s()
        self._presenter.notice(NoticeTitle.DISCARD, NoticeTodo.AGAIN, sample.sample_id, self._confirm_s)

    def _execute_commands(self) -> None:
        """Carry out the commands that came over MQTT, or from the page in the browser."""
        page, samples = self._bench.page, self._samples
        try:
            # What came over MQTT first: a full disk may end this before the page is answered.
            self._remote.carry_out()
            page.turn(samples.doing, samples.named, self._presenter.alarms())
            self._asked_at_page.carry_out()
            page.answer()
            if (code := page.code()) and samples.under_way is None:
                self._presenter.notice(NoticeTitle.PAGE_CODE, NoticeTodo.TYPE_IT, code, CODE_S, refused=False)
        except OutboxError as error:
            # A command that cannot be answered is shown here, and must not end the counting.
            self._presenter.fault(error)


def _desk_of(bench: Bench) -> Desk:
    settings = bench.settings
    rules = settings.samples.pattern, settings.signing.rule
    return desk_of(bench.outbox, settings.storage.folder, bench.identity, utc_now, *rules)
