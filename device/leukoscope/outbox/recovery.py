"""What is left of a corrupt outbox: the reports that stand as files beside it are sent once more."""

import hashlib
import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import from_bytes, utc_text
from leukoscope.messages.report import decode, envelope_of
from leukoscope.outbox import audit_trail, migrations
from leukoscope.outbox.store import REPORT, Key, Outbox, count_up, put

MOST_RESTORED = 10_000
BEGAN_ANEW = "began anew"
RESTORED = "restored"
"""What the audit trail calls a report that was taken from its file; it speaks of a trail that is lost."""
_FILE = re.compile(r"report-([0-9a-f-]{36})-v([0-9]+)\.json")

_log = logging.getLogger(__name__)


def lost_outbox(outbox: Outbox) -> Path | None:
    """The corrupt predecessor whose reports were not restored yet; None where there is none.

    It is asked of the files, not of the start that found the damage: that one may have been cut short.
    """
    asides = [path for path in outbox.path.parent.glob(f"{outbox.path.name}.corrupt-*") if path.suffix[9:].isdecimal()]
    if not asides:
        return None
    last = max(asides, key=lambda path: int(path.suffix[9:]))
    with outbox.reading() as sql:
        known = {entry.details.get("lost") for entry in audit_trail.entries(sql) if entry.action == BEGAN_ANEW}
    return None if last.name in known else last


def restore(outbox: Outbox, folder: Path, now: datetime, *, max_age: timedelta, lost: Path) -> int:
    """Put the reports of a folder into a fresh outbox, since no record is left of which were sent.

    Readers keep one copy per id and version, so a second delivery does no harm. The white cells of these reports, and
    what was refused and why, are in the corrupt file alone.

    Args:
        outbox: the fresh one.
        folder: where each report was written as a file.
        now: timezone-aware.
        max_age: files older than this stay where they are.
        lost: what the corrupt file is called now, for the audit trail.

    Returns:
        How many reports wait to be sent again.

    Raises:
        OutboxError: they cannot be written.
    """
    restored, highest = 0, 0
    with outbox.writing() as sql:
        details = {"lost": lost.name}
        audit_trail.append(sql, at=now, by="leukoscope", action=BEGAN_ANEW, subject="audit trail", details=details)
        for key, payload in _reports(folder, now - max_age):
            try:
                message = from_bytes(payload)
                decode(message)
            except InvalidMessage as error:
                _log.error("the report %s is not sent again: %s", key, error)
                continue
            highest = max(highest, envelope_of(message)[1])
            if put(sql, key, REPORT, payload, now):
                restored += 1
                digests = {"sha256": hashlib.sha256(payload).hexdigest()}
                audit_trail.append(sql, at=now, by="leukoscope", action=RESTORED, subject=str(key), details=digests)
        count_up(sql, "sequence", at_least=highest + 1)
    _log.error("%d reports of %s are sent again, made before %s", restored, folder, utc_text(now))
    return restored


def _reports(folder: Path, since: datetime) -> Iterator[tuple[Key, bytes]]:
    """Key and content of each report's file, oldest first."""
    found = []
    for path in folder.glob("report-*.json"):
        name = _FILE.fullmatch(path.name)
        written = path.stat().st_mtime
        if name is not None and written >= since.timestamp():
            found.append((written, int(name[2]), name[1], path))
    for _, version, identifier, path in sorted(found)[-MOST_RESTORED:]:
        try:
            yield Key(identifier, version, REPORT), migrations.with_life(path.read_bytes())
        except OSError as error:
            _log.error("the report %s cannot be read: %s", path, error.strerror or error)
