"""From a finished count, or a person's word about it, to a message that can no longer be lost."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from sqlite3 import Connection
from typing import Any

from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.report import encode
from leukoscope.outbox import audit_trail, white_cells
from leukoscope.outbox.counters import take_sequence
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.outbox.store import Outbox, put
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.sample import SampleReport
from leukoscope.system.clock import Clock


def record(
    report: SampleReport,
    outbox: Outbox,
    identity: Identity,
    *,
    now: Clock,
    cells: Sequence[CellRecord] = (),
    grounds: bytes = b"",
) -> Key:
    """Encode a report and put it in the outbox with its cells; all is on the disk when this returns.

    Recording the same id and version again changes nothing: what was recorded first is what was said.

    Args:
        report: what the instrument counted.
        outbox: where it is kept.
        identity: who says it.
        now: the time.
        cells: its white cells, for people who will name some of them otherwise; without them no person can.
        grounds: what its numbers rest on (`statistics.recount`); naming cells otherwise takes this too.

    Raises:
        InvalidMessage: the report breaks the published schema.
        OutboxError: the disk is full or failing.
    """

    def keep_cells(sql: Connection) -> None:
        if cells and grounds:
            white_cells.keep(sql, report.id, cells, grounds)

    by = f"{identity.site}/{identity.device}"
    details = {"sample_id": report.sample_id, "white_cells": report.white_cells}
    key, _ = record_version(
        report,
        outbox,
        identity,
        now=now,
        clock_synchronised=report.provenance.clock_synchronised,
        by=by,
        action="recorded",
        details=details,
        beside=keep_cells,
    )
    return key


def record_version(
    report: SampleReport,
    outbox: Outbox,
    identity: Identity,
    *,
    now: Clock,
    clock_synchronised: bool | None,
    by: str,
    action: str,
    details: Mapping[str, Any],
    beside: Callable[[Connection], None],
    checked: bool = False,
) -> tuple[Key, bool]:
    """Put one version of a report in the outbox, with an entry of the audit trail, in one transaction.

    Args:
        report: this version.
        outbox: where it is kept.
        identity: of the device.
        now: the time.
        clock_synchronised: whether that can be trusted; None where the operating system cannot tell.
        by: who made it, for the trail.
        action: what was done, for the trail.
        details: more of that, for the trail; the payload's sha256 is added.
        beside: what else belongs into the transaction; takes its connection.
        checked: the report was checked against its schema before.

    Returns:
        The key, and False when there was such a version already; then nothing was done.

    Raises:
        InvalidMessage: the report breaks the published schema.
        OutboxError: the disk is full or failing.
    """
    moment = now()
    key = Key(report.id, report.version, REPORT)
    with outbox.writing() as sql:
        payload = to_bytes(
            encode(
                report,
                boot_id=identity.boot_id,
                sequence=take_sequence(sql),
                sent_clock=moment,
                clock_synchronised=clock_synchronised,
                trail=audit_trail.head(sql),
                checked=checked,
            )
        )
        if not put(sql, key, REPORT, payload, moment):
            return key, False
        beside(sql)
        audited = {**details, "sha256": hashlib.sha256(payload).hexdigest()}
        audit_trail.append(sql, at=moment, by=by, action=action, subject=str(key), details=audited)
    return key, True
