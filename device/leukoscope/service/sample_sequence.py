"""The samples of a running bench, one after the other: begun, paused, counted, reported or thrown away."""

import logging
import math
from collections.abc import Callable
from enum import Enum, auto

from leukoscope.instrument import FinishReason, Sample
from leukoscope.messages.live_state import Doing, UnderWay
from leukoscope.service.acquisition import Acquisition
from leukoscope.service.bench import Bench
from leukoscope.service.event_journal import InterruptedSample
from leukoscope.service.notices import NoticeTitle, NoticeTodo
from leukoscope.service.presenter import Presenter
from leukoscope.service.report_filing import ReportFiling
from leukoscope.service.sample_log import SampleLog
from leukoscope.service.sample_run import SampleRun
from leukoscope.service.telemetry import Telemetry
from leukoscope.statistics.rules import Rules
from leukoscope.system.clock import Clock

_log = logging.getLogger("leukoscope")


class Shown(Enum):
    """What of the last sample still stands on the displays."""

    NOTHING = auto()
    """Another sample has been named or begun since, or its pages have been turned to the end."""
    RESULT = auto()
    DELIVERY = auto()
    """What became of its report."""


class SampleSequence:
    """Begins samples, goes on with them and reports them; at most one is under way."""

    def __init__(
        self,
        bench: Bench,
        sample_log: SampleLog,
        acquisition: Acquisition,
        telemetry: Telemetry,
        filing: ReportFiling,
        presenter: Presenter,
        *,
        samples: int,
        now: Clock,
        clock_s: Callable[[], float],
    ) -> None:
        """`samples` is how many are reported before the device leaves; 0 for as many as come."""
        self._bench, self._sample_log, self._acquisition = bench, sample_log, acquisition
        self._telemetry, self._filing, self._presenter = telemetry, filing, presenter
        self._now, self._clock_s = now, clock_s
        self._left = samples or math.inf
        self._counted = 0
        self.rules: Rules = bench.rules
        """In force from the next sample on; a sample keeps those it began with."""
        self.under_way: SampleRun | None = None
        """Counting or paused."""
        self.shown = Shown.NOTHING
        self.ended = False
        """The pictures ended, or as many samples as were asked for are reported."""
        self.nothing_counted = ""
        """Why no field was counted, where the pictures ended or all samples were reported and none was."""

    @property
    def sample(self) -> Sample | None:
        """The one under way."""
        return None if self.under_way is None else self.under_way.sample

    @property
    def counting(self) -> bool:
        """A sample is being counted, not paused."""
        return self.under_way is not None and self.under_way.counting

    @property
    def doing(self) -> Doing:
        """What the device does, for a page in the browser."""
        if self.under_way is None:
            return "ready" if self.shown is Shown.NOTHING else "result"
        return "counting" if self.under_way.counting else "paused"

    @property
    def named(self) -> UnderWay | None:
        """Which sample is under way."""
        sample = self.sample
        return None if sample is None else UnderWay(report=sample.report_id, sample_id=sample.sample_id)

    @property
    def status(self) -> str:
        """What the device does, in a line without a name of a specimen."""
        if self.sample is None:
            return self.doing
        tally = self.sample.tally
        return f"{self.doing}: {tally.white_cells} white cells in {tally.fields_counted} fields"

    def start(self, sample_id: str) -> str:
        """Begin to count; returns the id that the report will have."""
        under_way = self._begin(sample_id)
        under_way.go_on()
        under_way.show_on(self._presenter)
        return under_way.sample.report_id

    def pause(self) -> None:
        """Look at nothing more until it is resumed."""
        if self.under_way is not None:
            self.under_way.pause()
            self.under_way.show_on(self._presenter)

    def go_on(self) -> None:
        """Go on with a sample that is paused."""
        if self.under_way is not None and not self.under_way.counting:
            self._presenter.answered()
            self.under_way.go_on()
            self.under_way.show_on(self._presenter)

    def discard(self) -> None:
        """Throw the sample away; nothing is reported, and the register says so."""
        under_way, self.under_way = self.under_way, None
        if under_way is None:
            return
        sample = under_way.sample
        self._sample_log.discarded(sample)
        under_way.forget_pictures()
        _log.warning("sample discarded by the technician, report %s", sample.report_id)
        self._presenter.notice(NoticeTitle.DISCARDED, NoticeTodo.NOTHING, sample.sample_id, refused=False)

    def recover(self) -> None:
        """Go on with a sample that a power cut ended, once the technician confirms it."""
        found = self._sample_log.interrupted()
        if found is None:
            return
        self._presenter.rebuilding()
        under_way = self._begin(found.header["sample_id"], found)
        under_way.show_on(self._presenter)
        if under_way.sample.enough:
            # Only its report was missing.
            self.finish("enough_cells")

    def count_one_frame(self) -> None:
        """Take a frame and show it to the sample under way, which is reported once it has enough.

        Raises:
            CameraInterrupted: the camera is being opened again.
            LeukoscopeError: a part failed.
        """
        under_way = self.under_way
        if under_way is None:
            return
        frame = self._acquisition.capture()
        if frame is None:
            self.finish("end_of_pictures")
            return
        self._acquisition.examine(frame, under_way)
        if under_way.sample.enough:
            self.finish("enough_cells")

    def finish(self, because: FinishReason) -> None:
        """Report what is counted so far; nothing happens where no sample is under way.

        Raises:
            OutboxError: the report cannot be kept, and the program was asked to stop.
        """
        under_way, self.under_way = self.under_way, None
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
        self.shown = Shown.RESULT
        self._presenter.result(report)
        self._filing.pictures(self._bench, report, under_way.gallery.pictures(cells))
        under_way.keep_fields()
        _log.info("report %s finished (%s): %d white cells", report.id, because, report.white_cells)
        self._left -= 1
        self._counted += report.fields_counted
        if self._left == 0 or because == "end_of_pictures":
            self.ended = True
            self.nothing_counted = "" if self._counted else under_way.why_nothing(report)

    def _begin(self, sample_id: str, before: InterruptedSample | None = None) -> SampleRun:
        # It is under way before anything is written down, so that it is reported whatever breaks then.
        under_way = self.under_way = SampleRun(
            self._bench, self.rules, self._sample_log, sample_id, self._now, self._clock_s, before
        )
        self._presenter.faults.clear()
        self._telemetry.forget()
        self.shown = Shown.NOTHING
        under_way.begin()
        return under_way
