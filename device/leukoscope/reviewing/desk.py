"""Where people lay hands on the reports of a bench: they are found, changed and put back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leukoscope.errors import OutboxError, ReviewError
from leukoscope.messages.identity import Identity
from leukoscope.messages.report import decode
from leukoscope.outbox import white_cells
from leukoscope.outbox.record_report import record_version
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.store import REPORT, Entry, Outbox
from leukoscope.reviewing.review import Word, take_step
from leukoscope.settings import BenchSettings, identity_of
from leukoscope.specimen.sample import SampleReport
from leukoscope.specimen.sample_id import why_not_an_id
from leukoscope.system.acting_as import as_owner_of
from leukoscope.system.clock import utc_now
from leukoscope.system.host import clock_synchronised

LEAST_OF_AN_ID = 4


@dataclass(frozen=True, slots=True)
class Desk:
    """The reports of one bench, which may be running meanwhile."""

    outbox: Outbox
    journal: ReportFiles
    identity: Identity
    now: Callable[[], datetime]
    sample_pattern: str = ".+"
    """What all of a specimen's name must match at this site."""

    def reports(self, last: int) -> list[tuple[SampleReport, Entry]]:
        """The version in force of the reports counted last, and what has become of its message; the newest first."""
        with self.outbox.reading() as sql:
            ids = sql.execute(
                "SELECT id FROM message WHERE kind = ? GROUP BY id ORDER BY min(seq) DESC LIMIT ?", (REPORT, last)
            ).fetchall()
        entries = [self.outbox.versions(identifier)[-1] for (identifier,) in ids]
        return [(decode(entry.payload), entry) for entry in entries]

    def find(self, name: str) -> Entry:
        """The version in force of a report, as a message.

        Args:
            name: its id, or the beginning of it, as the display shows it.

        Raises:
            ReviewError: there is no such report, or more than one.
        """
        with self.outbox.reading() as sql:
            found = sql.execute(
                "SELECT DISTINCT id FROM message WHERE kind = ? AND substr(id, 1, ?) = ? LIMIT 2",
                (REPORT, max(len(name), LEAST_OF_AN_ID), name),
            ).fetchall()
        if len(found) != 1:
            what = "more than one report begins" if found else "no report begins"
            raise ReviewError(
                f"{what} with {name!r}: give at least {LEAST_OF_AN_ID} signs of an id that `leukoscope report list` "
                "shows; those sent long ago are in the folder reports alone"
            )
        return self.outbox.versions(found[0][0])[-1]

    def cells(self, report_id: str) -> white_cells.KeptSample | None:
        """The white cells of a report as they are named now; None where they were not kept."""
        with self.outbox.reading() as sql:
            return white_cells.find(sql, report_id)

    def take(self, name: str, word: Word) -> SampleReport:
        """Do to a report what somebody says, and put the new version where it is sent from.

        Raises:
            ReviewError: it cannot be done; nothing was changed.
            OutboxError: it cannot be written; nothing was changed.
        """
        wrong = None if word.sample_id is None else why_not_an_id(word.sample_id, self.sample_pattern)
        if wrong is not None:
            raise ReviewError(f"--sample-id: {wrong}, found {word.sample_id!r}")
        report = decode(self.find(name).payload)
        outcome = take_step(report, self.cells(report.id), word, self.now())
        step = outcome.report.life.steps[-1]
        details = {
            "status": step.status.value,
            "was": report.life.status.value,
            "note": step.note,
            "changes": [[one.item, one.before, one.after] for one in step.changes],
            "cells_checked": outcome.report.life.cells_checked,
        }
        key, new = record_version(
            outcome.report,
            self.outbox,
            self.identity,
            now=self.now,
            clock_synchronised=clock_synchronised(),
            by=word.by,
            action=word.action.value,
            details=details,
            beside=lambda sql: white_cells.judge(sql, report.id, step.version, outcome.verdicts),
        )
        if not new:
            raise ReviewError(f"somebody else has just made version {key.version} of it: look at it and try again")
        self._file(outcome.report)
        return outcome.report

    def _file(self, report: SampleReport) -> None:
        """The new version as a file beside the others."""
        entry = self.outbox.versions(report.id)[-1]
        try:
            self.journal.write(entry.key, entry.payload)
        except OSError as error:
            raise OutboxError(
                f"version {report.version} is recorded and will be sent, but its file in {self.journal.folder} cannot "
                f"be written ({error.strerror}): make room"
            ) from error


@contextmanager
def desk_at(bench: Path) -> Iterator[Desk]:
    """The desk of a bench, by its settings file.

    Raises:
        SettingsError: the file cannot be read.
        OutboxError: the bench has not run yet, or its outbox cannot be opened.
    """
    settings = BenchSettings.read(bench)
    with outbox_at(bench) as outbox:
        pattern = settings.samples.pattern
        yield desk_of(outbox, settings.storage.folder, identity_of(settings), utc_now, sample_pattern=pattern)


@contextmanager
def outbox_at(bench: Path) -> Iterator[Outbox]:
    """The outbox of a bench, which may be running meanwhile; errors as `desk_at`."""
    path = BenchSettings.read(bench).storage.outbox
    if not path.exists():
        raise OutboxError(f"no outbox at {path}: has this bench run yet?")
    with as_owner_of(path.parent), Outbox.open(path, owner=False) as outbox:
        yield outbox


def desk_of(
    outbox: Outbox, storage: Path, identity: Identity, now: Callable[[], datetime], *, sample_pattern: str
) -> Desk:
    """The desk of a bench that keeps its results in a folder."""
    return Desk(outbox, ReportFiles(storage / "reports"), identity, now, sample_pattern)
