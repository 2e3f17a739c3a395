"""Stores a finished report, its cell pictures and its trend entry durably."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from leukoscope.errors import CalibrationError, OutboxError, TrendError
from leukoscope.optics.learnt_size import LearntSize
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.entry import Key
from leukoscope.outbox.record_report import record
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.quality_control.run_record import Run
from leukoscope.service.bench import Bench
from leukoscope.service.bench_naming import learns_cell_size
from leukoscope.service.presenter import Presenter
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.sample import CellSizes, SampleReport, Source
from leukoscope.system.watchdog import Watchdog

OUTBOX_RETRY_S = 5.0

_log = logging.getLogger("leukoscope")


class ReportFiling:
    """Retries until a report is stored; pictures and trend entries that cannot be stored are logged."""

    def __init__(
        self,
        presenter: Presenter,
        watchdog: Watchdog,
        now: Callable[[], datetime],
        *,
        sleep: Callable[[float], None] = time.sleep,
        leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        """`leaving` tells whether the program was asked to stop."""
        self._presenter, self._watchdog, self._now = presenter, watchdog, now
        self._sleep, self._leaving = sleep, leaving

    def report(self, bench: Bench, report: SampleReport, cells: Sequence[CellRecord], grounds: bytes) -> Key:
        """Put it into the outbox and its file beside it; insist until that is done.

        Raises:
            OutboxError: there is no place for it and the program was asked to stop; the report is in the log.
        """
        while True:
            try:
                key = record(report, bench.outbox, bench.identity, now=self._now, cells=cells, grounds=grounds)
                kept = bench.outbox.get(key)
                if kept is not None:
                    ReportFiles(bench.settings.storage.folder / "reports").write(key, kept.payload)
                return key
            except OutboxError as error:
                failure = error
            except OSError as error:
                failure = OutboxError(f"the report cannot be written ({error.strerror})", "make room")
            self._presenter.fault(failure)
            if self._leaving():
                # systemd kills what does not stop; the journal is the last place that may hold it.
                _log.critical("a report that could not be kept: %r", report)
                raise failure
            self._watchdog.turn("waiting for room to keep a report", busy=True)
            self._sleep(OUTBOX_RETRY_S)

    def pictures(self, bench: Bench, report: SampleReport, pictures: Sequence[tuple[CellRecord, CellPicture]]) -> None:
        """Pictures are for looking at; one that cannot be kept shows a fault and is never in the report's way."""
        try:
            keep_pictures(report, pictures, bench.outbox, bench.identity, now=self._now)
        except OutboxError as error:
            self._presenter.fault(error)

    def cell_sizes(self, bench: Bench, report: SampleReport, sizes: CellSizes) -> None:
        """What the sample says about the usual size of the bench's cells; a result is never lost for it."""
        made, storage = report.provenance, bench.settings.storage.folder
        if made.source is not Source.LIVE or not learns_cell_size(bench.settings):
            return
        try:
            before = LearntSize.read(storage, made.calibration_id, made.segmenter.sha256)
            after = before.with_sample(report.id, report.sample_id, sizes)
            if after != before:
                after.write(storage)
        except CalibrationError as error:
            _log.warning("%s", error)

    def trend(self, bench: Bench, run: Run) -> None:
        """What the sample said about the instrument; a result is never lost for it."""
        try:
            bench.trend.add(run)
        except TrendError as error:
            _log.warning("%s", error)
