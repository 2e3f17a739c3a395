"""What is written down about samples: the one in progress, those before it, and what the next is called."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from leukoscope.errors import OutboxError
from leukoscope.instrument import Sample
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.report_lookup import was_named
from leukoscope.service.bench import Bench
from leukoscope.service.event_journal import InterruptedSample
from leukoscope.service.sample_ids import SampleIds, Verdict
from leukoscope.service.sample_progress import SampleProgress, made_with
from leukoscope.service.sample_register import SampleRegister


class SampleLog:
    """Writes down each sample's progress and outcome; what cannot be written is shown and does not stop counting."""

    def __init__(self, bench: Bench, report_fault: Callable[[OutboxError], None], now: Callable[[], datetime]) -> None:
        """Read what was written before.

        Raises:
            OutboxError: the register cannot be read.
        """
        storage = bench.settings.storage
        self._bench, self._report_fault, self._now = bench, report_fault, now
        self._register = SampleRegister(storage.register)
        self._progress = SampleProgress(storage.in_progress, report_fault)
        self._identification = SampleIds(bench.settings.samples, self._register, self._was_named)

    def offer(self, sample_id: str, now_s: float) -> Verdict:
        """Judge an id that came at `now_s`, seconds of a clock that only runs forward."""
        return self._identification.offer(sample_id, now_s)

    def objection(self, sample_id: str) -> str | None:
        """Why no specimen may be called so at this site; None when it may."""
        return self._identification.objection(sample_id)

    def used_before(self, sample_id: str) -> bool:
        """Whether a sample of this name was begun and not discarded."""
        return self._identification.used_before(sample_id)

    def _was_named(self, sample_id: str) -> bool:
        try:
            return was_named(self._bench.outbox, sample_id)
        except OutboxError as error:
            self._report_fault(error)
            return False

    def automatic(self, begun_at: datetime) -> str:
        """A name for a sample that the technician did not name."""
        return self._identification.automatic(begun_at)

    def begin(self, sample: Sample) -> None:
        """From now on the sample outlives a power cut."""
        parts = made_with(self._bench.provenance())
        self._progress.begin(sample.report_id, sample.sample_id, sample.started_at.isoformat(), parts)
        self._note("begun", sample, {})

    def keep(self, event: Mapping[str, Any], durable: bool) -> None:
        """An event of the sample, which `Sample.replay` can take in again."""
        self._progress.keep(event, durable)

    def reported(self, sample: Sample, because: str) -> None:
        """Its report is in the outbox."""
        self._progress.end()
        self._note("reported", sample, {"because": because})

    def discarded(self, sample: Sample) -> None:
        """It was thrown away."""
        self._progress.end()
        counted = {"fields": sample.tally.fields_counted, "white_cells": sample.tally.white_cells}
        self._note("discarded", sample, counted)

    def interrupted(self) -> InterruptedSample | None:
        """A sample that was cut short and can go on."""
        try:
            return self._progress.interrupted(made_with(self._bench.provenance()), self._is_reported)
        except OutboxError as error:
            self._report_fault(error)
            return None

    def go_on(self, interrupted: InterruptedSample, sample: Sample) -> None:
        """Fill the sample with what was kept of it, and write on behind that."""
        self._progress.go_on(interrupted)
        sample.replay(interrupted.events, datetime.fromisoformat(interrupted.header["started_at"]))
        self._note("resumed", sample, {"fields": sample.tally.fields_counted})

    def close(self) -> None:
        """Stop writing; what is in progress is found at the next start."""
        self._progress.close()

    def _is_reported(self, report_id: str) -> bool:
        """Whether the outbox has its report; the power may have gone before the report's file was there, too."""
        entry = self._bench.outbox.get(Key(report_id, 1, REPORT))
        if entry is None:
            return False
        try:
            ReportFiles(self._bench.settings.storage.folder / "reports").write(entry.key, entry.payload)
        except OSError as error:
            self._report_fault(
                OutboxError(f"the file of report {report_id} cannot be written ({error.strerror})", "make room")
            )
        return True

    def _note(self, event: str, sample: Sample, facts: Mapping[str, Any]) -> None:
        details = {"report_id": sample.report_id, "at": self._now().isoformat(), **facts}
        try:
            self._register.note(event, sample.sample_id, details)
        except OutboxError as error:
            self._report_fault(error)
