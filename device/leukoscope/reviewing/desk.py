"""Finds the reports of a bench, takes people's steps on them and records the new versions."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leukoscope.errors import InvalidMessage, OutboxError, ReviewError
from leukoscope.messages.identity import Identity
from leukoscope.messages.report import REPORT_SCHEMA, decode, decode_kept, encode
from leukoscope.messages.schema_process import validate_beside
from leukoscope.outbox import audit_trail, white_cells
from leukoscope.outbox.cell_pictures import PictureFacts, facts_of
from leukoscope.outbox.entry import REPORT, Entry, Key
from leukoscope.outbox.field_pictures import FieldPictures
from leukoscope.outbox.record_report import record_version
from leukoscope.outbox.report_copies import copies_of_reports
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.report_lookup import ids_beginning, latest_ids, report_called
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.missed_cells import FieldMap, field_map
from leukoscope.reviewing.review import Outcome, take_step
from leukoscope.sentence import Sentence
from leukoscope.specimen.lifecycle import STRICT, SigningRule, Status
from leukoscope.specimen.sample import SampleReport
from leukoscope.specimen.sample_id import why_not_an_id
from leukoscope.system.acting_as import as_owner_of
from leukoscope.system.clock import utc_now
from leukoscope.system.host import clock_synchronised

LEAST_OF_AN_ID = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that is recorded and will be sent."""

    report: SampleReport
    """The version that it led to."""
    unfiled: str = ""
    """Why a version could not be written as a file as well, and what to do; empty where all are."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The reports of one bench, which may be running meanwhile."""

    outbox: Outbox
    journal: ReportFiles
    identity: Identity
    now: Callable[[], datetime]
    sample_pattern: str = ".+"
    """What all of a specimen's name must match at this site."""
    signing: SigningRule = STRICT
    fields: FieldPictures | None = None
    checks_beside: bool = False
    """Whether new versions are checked against their schema by a process of its own, as one that runs for weeks wants:
    what that takes in memory is given back."""

    def reports(self, last: int, unread: list[str] | None = None) -> list[tuple[SampleReport, Entry]]:
        """The version in force of the reports counted last, and what has become of its message; the newest first.

        Args:
            last: how many.
            unread: gets a line for each that cannot be read; it must not hide the others.
        """
        found = []
        for entry in (self.outbox.versions(identifier)[-1] for identifier in latest_ids(self.outbox, last)):
            try:
                found.append((decode(entry.payload), entry))
            except InvalidMessage as error:
                _log.warning("%s is passed over: %s", entry.key, error)
                if unread is not None:
                    unread.append(f"{entry.key} cannot be read: {error}")
        return found

    def find(self, name: str) -> Entry:
        """The version in force of a report, as a message.

        Args:
            name: its id, or the beginning of it, as the display shows it.

        Raises:
            ReviewError: there is no such report, or more than one.
        """
        found = ids_beginning(self.outbox, name, 2) if len(name) >= LEAST_OF_AN_ID else []
        if len(found) != 1:
            what = "more than one report begins" if found else "no report begins"
            raise ReviewError(
                f"{what} with {name!r}",
                f"give at least {LEAST_OF_AN_ID} signs of an id that `leukoscope report list` "
                "shows; those sent long ago are in the folder reports alone",
            )
        return self.outbox.versions(found[0])[-1]

    def cells(self, report_id: str) -> white_cells.KeptSample | None:
        """The white cells of a report as they are named now; None where they were not kept."""
        with self.outbox.reading() as sql:
            return white_cells.find(sql, report_id)

    def field_map(self, report: SampleReport, pictures: Mapping[int, PictureFacts] | None = None) -> FieldMap | None:
        """Where cells that the device missed may be added to a report; None where no pictures of fields are kept.

        Args:
            report: the report.
            pictures: what is known of the pictures of its cells, where that was read before.
        """
        if self.fields is None:
            return None
        return field_map(report, facts_of(self.outbox, report.id) if pictures is None else pictures, self.fields)

    def take(self, name: str, decision: Decision) -> Taken:
        """Do to a report what a person says, and put the new version where it is sent from.

        Raises:
            ReviewError: it cannot be done; nothing was changed.
            OutboxError: it cannot be written; nothing was changed.
        """
        return self.take_all(name, [decision])

    def take_all(self, name: str, decisions: Sequence[Decision]) -> Taken:
        """Do several things to a report, one version each, all or none; errors as `take`.

        Args:
            name: its id, or the beginning of it.
            words: in their order; what comes with a remote command that was done before is not done again.
        """
        for decision in decisions:
            wrong = None if decision.sample_id is None else why_not_an_id(decision.sample_id, self.sample_pattern)
            if wrong is not None:
                raise ReviewError(f"--sample-id: {wrong}, found {decision.sample_id!r}", "correct the id")
        report = decode_kept(self.find(name).payload)
        for decision in decisions:
            self._refuse_a_name_in_use(report, decision)
        kept, outcomes = self.cells(report.id), list[tuple[Decision, Status, Outcome]]()
        for decision in decisions:
            if decision.command and self.version_by(decision.command) is not None:
                continue
            was = report.life.status
            fields = None if kept is None or not decision.missed else self.field_map(report)
            outcome = take_step(report, kept, decision, self.now(), self.signing, fields)
            kept = None if kept is None else kept.after(outcome.verdicts, outcome.looked_at, outcome.added)
            report = outcome.report
            outcomes.append((decision, was, outcome))
        if self.checks_beside:
            self._check([outcome.report for _, _, outcome in outcomes])
        # The numbers were made before, so that a device that counts meanwhile waits for the writing alone.
        with self.outbox.writing():
            for decision, was, outcome in outcomes:
                self._record(decision, was, outcome)
        made = range(report.version - len(outcomes) + 1, report.version + 1)
        return Taken(report, next(filter(None, [self._file(Key(report.id, version, REPORT)) for version in made]), ""))

    def _refuse_a_name_in_use(self, report: SampleReport, decision: Decision) -> None:
        name = decision.sample_id
        if name is None or name == report.sample_id or decision.again:
            return
        other = report_called(self.outbox, name, report.id)
        if other is not None:
            raise ReviewError(
                f"--sample-id: report {other} is of a specimen called {name!r}, too",
                "look at both labels; --again says that it is the same specimen",
            )

    def _check(self, versions: Sequence[SampleReport]) -> None:
        boot_id, moment = self.identity.boot_id, self.now()
        messages = [encode(one, boot_id=boot_id, sequence=1, sent_clock=moment, checked=True) for one in versions]
        validate_beside(messages, REPORT_SCHEMA)

    def version_by(self, command: str) -> int | None:
        """The last version that a remote command led to; None where it led to none."""
        with self.outbox.reading() as sql:
            return audit_trail.version_made_by(sql, command)

    def _record(self, decision: Decision, was: Status, outcome: Outcome) -> None:
        report = outcome.report
        step = outcome.report.life.steps[-1]
        details = {
            "status": step.status.value,
            "was": was.value,
            "note": step.note,
            "changes": [[one.item, one.before, one.after] for one in step.changes],
            "cells_checked": report.life.cells_checked,
            **({"signed_without": list(step.signed_without)} if step.signed_without else {}),
            **({"command": decision.command} if decision.command else {}),
        }

        key, new = record_version(
            report,
            self.outbox,
            self.identity,
            now=self.now,
            clock_synchronised=clock_synchronised(),
            by=decision.by,
            action=decision.action.value,
            details=details,
            beside=lambda sql: white_cells.keep_names(
                sql, report.id, step.version, outcome.verdicts, outcome.looked_at, outcome.added
            ),
            checked=self.checks_beside,
        )
        if not new:
            raise ReviewError(
                Sentence("another person has just made version {version} of it", version=key.version),
                "look at it and try again",
            )

    def _file(self, key: Key) -> str:
        """Write the new version as a file beside the others; why it could not be, empty where it was."""
        entry = self.outbox.get(key)
        try:
            if entry is not None:
                self.journal.write(key, entry.payload)
        except OSError as error:
            return Sentence(
                "version {version} is recorded and will be sent, but its file in {folder} cannot be written ({why}): "
                "make room",
                version=key.version,
                folder=self.journal.folder,
                why=error.strerror,
            )
        return ""


@contextmanager
def desk_at(bench: Path) -> Iterator[Desk]:
    """The desk of a bench, by its settings file.

    Raises:
        SettingsError: the file cannot be read.
        OutboxError: the bench has not run yet, or its outbox cannot be opened.
    """
    from leukoscope.settings import BenchSettings, identity_of

    settings = BenchSettings.read(bench)
    with outbox_at(bench) as outbox:
        pattern, rule = settings.samples.pattern, settings.signing.rule
        yield desk_of(outbox, settings.storage.folder, identity_of(settings), utc_now, pattern, rule)


@contextmanager
def outbox_at(bench: Path) -> Iterator[Outbox]:
    """The outbox of a bench, which may be running meanwhile; errors as `desk_at`."""
    # Settings know every driver; who reads the reports of a folder alone does not pay for these in memory.
    from leukoscope.settings import BenchSettings

    path = BenchSettings.read(bench).storage.outbox
    if not path.exists():
        if how_many := copies_of_reports(path.parent / "reports"):
            raise OutboxError(
                f"no outbox at {path}, and {how_many} files of reports",
                "put it back from a copy, or start the device, which sends them again",
            )
        raise OutboxError(f"no outbox at {path}", "has this bench run yet?")
    with as_owner_of(path.parent), Outbox.open(path, owner=False) as outbox:
        yield outbox


def desk_of(
    outbox: Outbox,
    storage: Path,
    identity: Identity,
    now: Callable[[], datetime],
    sample_pattern: str = ".+",
    signing: SigningRule = STRICT,
    *,
    checks_beside: bool = False,
) -> Desk:
    """The desk of a bench that keeps its results in a folder."""
    journal, fields = ReportFiles(storage / "reports"), FieldPictures(storage)
    return Desk(outbox, journal, identity, now, sample_pattern, signing, fields, checks_beside)
