"""Keeps the sample in progress where a pulled plug cannot reach it, and finds it at the next start."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from leukoscope.errors import OutboxError
from leukoscope.reviewing.checked_cells import calibration_with
from leukoscope.service.event_journal import EventJournal, InterruptedSample, find_interrupted, remove, set_aside
from leukoscope.specimen.sample import Provenance

_log = logging.getLogger("leukoscope")


INSTRUMENT = "instrument"
"""Which part says whose sample it is; journals of earlier versions lack it."""


def made_with(provenance: Provenance) -> dict[str, str]:
    """What must be the same before and after, or cells of two networks or two patients would be mixed."""
    reference = provenance.size_reference
    return {
        INSTRUMENT: f"{provenance.site}/{provenance.device}",
        "segmenter": f"{provenance.segmenter.sha256} {provenance.segmenter.engine}",
        "classifier": f"{provenance.classifier.sha256} {provenance.classifier.engine}",
        "calibration": f"{calibration_with(provenance.calibration_id, reference)} {provenance.um_per_px!r}",
        "source": provenance.source.value,
    }


class SampleProgress:
    """The journal of the sample in progress; one that cannot be written shows a fault and never stops the counting."""

    def __init__(self, folder: Path, report_fault: Callable[[OutboxError], None]) -> None:
        """Nothing is in progress yet.

        Args:
            folder: where the journal lies while a sample is counted.
            report_fault: shows what goes wrong.
        """
        self._folder, self._report_fault = folder, report_fault
        self._header: Mapping[str, Any] | None = None
        self._checkpoint: EventJournal | None = None
        self._unwritten: list[tuple[Mapping[str, Any], bool]] = []

    def begin(self, report_id: str, sample_id: str, started_at: str, parts: Mapping[str, str]) -> None:
        """A sample is begun; `started_at` is ISO 8601, `parts` what `made_with` says."""
        self._header = {"report_id": report_id, "sample_id": sample_id, "started_at": started_at, "made_with": parts}
        self._unwritten = []
        self._write()

    def keep(self, event: Mapping[str, Any], durable: bool) -> None:
        """Write an event of the sample, and those that could not be written before it."""
        if self._header is not None:
            self._unwritten.append((event, durable))
            self._write()

    def end(self) -> None:
        """The sample is reported or discarded; without one, nothing happens."""
        checkpoint, self._checkpoint, self._header, self._unwritten = self._checkpoint, None, None, []
        try:
            if checkpoint is not None:
                checkpoint.remove()
        except OutboxError as error:
            # Its report is in the outbox, by which the next start knows that it is done.
            self._report_fault(error)

    def close(self) -> None:
        """Stop writing; what is in progress is found at the next start."""
        if self._checkpoint is not None:
            self._checkpoint.close()

    def interrupted(self, parts: Mapping[str, str], is_reported: Callable[[str], bool]) -> InterruptedSample | None:
        """The oldest sample that was cut short and can go on, or None.

        One whose report was kept before the power went is done and removed. One that was counted with other networks
        or another calibration, or by another device, is set aside and reported.

        Args:
            parts: what `made_with` says now.
            is_reported: whether the outbox holds a report of this id.

        Raises:
            OutboxError: the folder cannot be read.
        """
        if not self._folder.exists():
            return None
        for found in find_interrupted(self._folder):
            if is_reported(found.header["report_id"]):
                remove(found.path)
            elif (other := _other_part(found.header["made_with"], parts)) is not None:
                aside = set_aside(found.path, "other-parts")
                # It goes to the journal and over MQTT too, so it names no specimen.
                self._report_fault(
                    OutboxError(f"the sample in progress was cut short {other} ({aside.name})", "count it again")
                )
            else:
                return found
        return None

    def go_on(self, interrupted: InterruptedSample) -> None:
        """Write on where a sample was cut short."""
        self._header, self._unwritten = interrupted.header, []
        try:
            self._checkpoint = EventJournal.go_on(interrupted)
        except OutboxError as error:
            self._header = None
            self._report_fault(error)

    def _write(self) -> None:
        if self._header is None:
            return
        try:
            if self._checkpoint is None:
                self._checkpoint = EventJournal.begin(self._folder, self._header["report_id"], self._header)
            while self._unwritten:
                event, durable = self._unwritten[0]
                self._checkpoint.append(event, durable=durable)
                self._unwritten.pop(0)
        except OutboxError as error:
            self._report_fault(error)


def _other_part(before: object, now: Mapping[str, str]) -> str | None:
    """What was not the same when a sample was begun, in words; None when all was."""
    if not isinstance(before, Mapping):
        return "by a version that did not say with what"
    if before.get(INSTRUMENT, now[INSTRUMENT]) != now[INSTRUMENT]:
        return "on another site or device"
    if {**now, **before} != now or before.keys() | {INSTRUMENT} != now.keys():
        return "with other networks or another calibration"
    return None
