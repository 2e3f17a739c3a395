"""Finds the report that a person wants to export, and reads it."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leukoscope.errors import ExportError
from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.report import decode, signature_of
from leukoscope.outbox.file_check import fault_of_copy, sums_witnessed
from leukoscope.outbox.store import Outbox
from leukoscope.specimen.sample import SampleReport

UNREVIEWED = "preliminary"
"""The status of a report whose cells no person has looked at yet."""
_NAME = re.compile(r"report-(?P<id>[0-9a-f-]{36})-v(?P<version>\d+)\.json")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who brought a report to where it stands."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Original:
    """A report as it was stored."""

    report: SampleReport
    status: str
    """Where it stands in its life: "preliminary", "reviewed", "final", "amended" or "corrected"."""
    storage: Path | None
    """The storage folder it lies in, where there is one: pictures of its fields lie there too."""
    signature: Signature | None = None
    """None while no person has looked at it."""


def find_report(wanted: str, storage: Path | None) -> Original:
    """Read a report from a file, or the newest version of one from a bench's storage.

    Args:
        wanted: a report's JSON file, or the beginning of its id.
        storage: the bench's storage folder; None where no bench was named.

    Raises:
        ExportError: there is no such report, several begin alike, or the file is not what was recorded.
        InvalidMessage: the file holds no report that this version can read.
        OutboxError: the outbox that knows what was recorded cannot be read.
    """
    path = Path(wanted)
    if not path.is_file():
        path = _by_id(wanted, storage)
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise ExportError(f"the report {path} cannot be read ({error.strerror})", "check its owner") from error
    beside = path.parent.parent if path.parent.name == "reports" else None
    _refuse_damaged(path, payload, storage or beside)
    message = from_bytes(payload)
    report = decode(message)
    # The status stays in the report's own words: a newer device may know more of them.
    status, by, at = signature_of(message)
    signature = None if by is None or at is None else Signature(by, at)
    return Original(report, status or UNREVIEWED, storage or beside, signature)


def _refuse_damaged(path: Path, payload: bytes, storage: Path | None) -> None:
    """A number that a flipped bit has changed looks as good as any other."""
    outbox = None if storage is None else storage / "outbox.sqlite"
    if outbox is None or not outbox.exists():
        return
    with Outbox.open(outbox, owner=False) as opened, opened.reading() as sql:
        fault = fault_of_copy(path, payload, sums_witnessed(sql))
    if fault is not None:
        raise ExportError(f"{fault}", "`leukoscope report show --json` prints the one that is kept in the outbox")


def _by_id(wanted: str, storage: Path | None) -> Path:
    if storage is None:
        raise ExportError(
            f"no file {wanted}", "give a report's JSON file, or the bench whose reports to search (--bench)"
        )
    folder = storage / "reports"
    found = [(name["id"], int(name["version"]), path) for path in folder.glob("*.json") if (name := _name_of(path))]
    alike = [entry for entry in found if entry[0].startswith(wanted.lower())]
    ids = sorted({entry[0] for entry in alike})
    if not ids:
        raise ExportError(
            f"no report in {folder} begins with {wanted!r}: it holds {len(found)} others",
            "give the beginning of one of them",
        )
    if len(ids) > 1:
        raise ExportError(f"{len(ids)} reports begin with {wanted!r} ({', '.join(ids[:3])}…)", "give more of the id")
    return max(alike, key=lambda entry: entry[1])[2]


def _name_of(path: Path) -> re.Match[str] | None:
    return _NAME.fullmatch(path.name)
