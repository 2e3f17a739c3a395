"""Shows on every display what the device is doing; decides nothing."""

import logging
import math
import time
from collections.abc import Callable

from leukoscope import __version__
from leukoscope.counting.tally import Tally
from leukoscope.displays.fault_text import fault_of
from leukoscope.displays.kept import KeptScreens
from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    Fault,
    Guiding,
    Hint,
    Looking,
    Precision,
    Ready,
    Result,
    Screen,
    Sent,
    Starting,
    differential_lines,
    hint_for,
    pages_of,
    result_of,
)
from leukoscope.displays.wording import specimen
from leukoscope.errors import DisplayError, LeukoscopeError, TrendError
from leukoscope.indicators import Event
from leukoscope.instrument import Look, Sample, Waiting
from leukoscope.outbox.entry import Key, State
from leukoscope.sentence import one_after_another
from leukoscope.service.bench import Bench
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.field import CountedField, Flaw, RejectedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import SampleReport

NOTICE_S = 3.0
"""How long a notice stands when nothing waits for an answer."""

_log = logging.getLogger("leukoscope")


_HINT_OF = {
    Waiting.STAGE_MOVES: Hint.WAIT,
    Waiting.MOVED_TOO_FAST: Hint.SLOWER,
    Waiting.SEEN_BEFORE: Hint.MOVE,
}


class Presenter:
    """Turns what happened into screens; a display that fails is logged and never stops the device."""

    def __init__(self, bench: Bench, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._bench, self._clock_s = bench, clock_s
        self._notice_until_s = -math.inf
        self._last_event: Event | None = None
        self._kept = KeptScreens.of_this_service()
        self._pages: list[Result] = []
        self.faults = list(bench.faults)
        """What was reported as a fault since the last sample began, one line each."""

    def rebuilding(self) -> None:
        """A sample that was cut short is put together again, which takes seconds where it was long."""
        self._show(Starting("Building the slide again", __version__))

    def ready(self, sample_id: str, quota_warning: str = "") -> None:
        """The next press starts a sample; `quota_warning` says how full the outbox is, where that matters."""
        state = self._bench.sink.state
        broker = BrokerState.CONNECTED if state.connected else BrokerState.OFFLINE
        if not state.has_receiver:
            broker = BrokerState.NONE
        source = self._bench.camera.source
        # A fault is shown once; until the technician starts a sample it must not vanish behind this screen.
        standing = one_after_another((quota_warning, *self.alarms(), state.last_error or "", self._bench.warning))
        warning = self.faults[-1] if self.faults else standing
        self._show(Ready(sample_id, broker, source, state.pending, warning, self._bench.settings.mode))
        self._signal(Event.FAULT if self.faults else Event.READY)

    def alarms(self) -> tuple[str, ...]:
        """What the instrument's own trend warns of, one line each; a trend that cannot be read is one."""
        try:
            return self._bench.trend.alarms
        except TrendError as error:
            return (str(error),)

    def counting(
        self,
        sample: Sample,
        last_flaw: Flaw | None,
        elapsed_s: float,
        *,
        paused: bool,
        resumed: bool = False,
        lost: bool = False,
    ) -> None:
        """The live count; `lost` where it is unknown how far the newest field lies from those before it."""
        tally = sample.tally
        self._signal(Event.PAUSED if paused else Event.COUNTING)
        self._show(
            Counting(
                white_so_far=tally.white_cells,
                white_goal=tally.goal,
                fields_counted=tally.fields_counted,
                fields_rejected=tally.fields_rejected,
                last_flaw=last_flaw,
                differential=differential_lines(tally.differential(), self._bench.short_labels),
                red_cells=tally.kind_count(CellKind.RBC),
                platelets=tally.kind_count(CellKind.PLATELET),
                area_mm2=tally.area_um2 / 1e6,
                precision=self._precision(tally),
                elapsed_s=elapsed_s,
                paused=paused,
                source=self._bench.camera.source,
                resumed=resumed,
                mode=self._bench.settings.mode,
                lost=lost,
                unsure=tally.unsure,
                suspects=tally.suspects,
            )
        )

    def looked(self, field: CountedField | RejectedField) -> None:
        """A sound for the technician at the eyepiece."""
        self._signal(Event.REFUSED if isinstance(field, RejectedField) else Event.FIELD_COUNTED)

    def notice(self, title: str, todo: str, name: str, for_s: float = NOTICE_S, *, refused: bool = True) -> None:
        """Something the technician must read before anything else; a fault or a result still comes first.

        Args:
            title: what it is about.
            todo: what to do.
            name: of the specimen.
            for_s: how long it stands, unless it is answered.
            refused: whether it sounds like a refusal.
        """
        self.answered()
        self._show(Guiding(title, todo, specimen(name), None, self._bench.camera.source))
        self._notice_until_s = self._clock_s() + for_s
        if refused:
            self._signal(Event.REFUSED)

    def answered(self) -> None:
        """The notice has done its work."""
        self._notice_until_s = -math.inf

    def hint(self, sample: Sample, last_flaw: Flaw | None, outcome: Waiting | Look) -> None:
        """What is to be done before the next field can be counted; of a look that the place is still refused."""
        if isinstance(outcome, Look):
            hint = hint_for(outcome.field.quality.flaws[0])
        else:
            # Whatever was wrong with a place before, one that was counted is left.
            flaw = None if outcome is Waiting.SEEN_BEFORE else last_flaw
            hint = _HINT_OF[outcome] if flaw is None else hint_for(flaw)
        tally = sample.tally
        screen = Looking(hint, tally.white_cells, tally.goal, self._bench.camera.source, self._bench.settings.mode)
        before = self._bench.panel.shown
        self._show(screen)
        if hint is Hint.SLOWER and before != screen == self._bench.panel.shown:
            # The technician at the eyepiece hears it, once.
            self._signal(Event.REFUSED)

    def _precision(self, tally: Tally) -> Precision | None:
        wanted = tally.least_certain()
        if wanted is None:
            return None
        label = self._bench.short_labels.get(wanted.cell_class, wanted.cell_class)
        return Precision(label, 50 * self._bench.settings.counting.interval_width, wanted.count_more)

    def result(self, report: SampleReport) -> None:
        """The finished sample."""
        self._signal(Event.DONE)
        first, *self._pages = pages_of(result_of(report, self._bench.short_labels))
        self._show(first)

    def turn_page(self) -> bool:
        """Show the next page of the result; False where there is none."""
        if not self._pages:
            return False
        self._show(self._pages.pop(0))
        return True

    def delivery(self, report: SampleReport, key: Key) -> None:
        """What became of its report."""
        kept = self._bench.outbox.get(key)
        # A report that is no longer in the outbox was pruned, and only sent ones are.
        sent = kept is None or kept.state is State.SENT
        state = self._bench.sink.state
        waits = Delivery.QUEUED if state.has_receiver else Delivery.KEPT
        self._show(
            Sent(
                report_id=report.id[:8],
                pending=self._bench.outbox.counts().pending,
                delivery=Delivery.SENT if sent else waits,
                source=report.provenance.source,
                why="" if sent else state.last_error or "",
            )
        )

    def fault(self, error: LeukoscopeError) -> None:
        """A part failed and a person has to do something."""
        if str(error) not in self.faults:
            # A part that stays broken is asked many times a second; once in the journal is enough.
            _log.error("%s", error)
            self.faults.append(str(error))
        self._show(fault_of(error))
        self._signal(Event.FAULT)

    def field(self, frame: Frame) -> None:
        """The live field, where there is a window for it."""
        for error in self._bench.panel.show_field(frame):
            _log.warning("display: %s", error)

    def _show(self, screen: Screen) -> None:
        noticed = self._clock_s() < self._notice_until_s and not isinstance(screen, Fault | Result)
        if noticed or screen == self._bench.panel.shown:
            return
        self._notice_until_s = -math.inf
        self._kept.keep(screen)
        self._bench.page.shown(screen)
        for error in self._bench.panel.show(screen):
            _log.warning("display: %s", error)

    def _signal(self, event: Event) -> None:
        """Signal a state when it begins, and each event within it every time."""
        passing = event in (Event.FIELD_COUNTED, Event.REFUSED)
        if self._bench.signals is None or event == self._last_event:
            return
        if not passing:
            self._last_event = event
        try:
            self._bench.signals.signal(event)
        except DisplayError as error:
            if str(error) not in self.faults:
                _log.warning("signals: %s", error)
                self.faults.append(str(error))
