"""Finds the report that somebody wants to export, and reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from leukoscope.errors import ExportError
from leukoscope.messages.json_format import from_bytes, utc_time
from leukoscope.messages.report import decode
from leukoscope.outbox.file_check import fault_of_copy, sums_witnessed
from leukoscope.outbox.store import Outbox
from leukoscope.specimen.sample import SampleReport

UNREVIEWED = "preliminary"
"""The status of a report in which nobody has looked at the cells yet."""
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
    """None while nobody has looked at it."""


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
        raise ExportError(f"the report {path} cannot be read ({error.strerror}): check its owner") from error
    beside = path.parent.parent if path.parent.name == "reports" else None
    _refuse_spoilt(path, payload, storage or beside)
    message = from_bytes(payload)
    status, signature = _life(message)
    return Original(decode(message), status, storage or beside, signature)


def _refuse_spoilt(path: Path, payload: bytes, storage: Path | None) -> None:
    """A number that a flipped bit has changed looks as good as any other."""
    outbox = None if storage is None else storage / "outbox.sqlite"
    if outbox is None or not outbox.exists():
        return
    with Outbox.open(outbox, owner=False) as opened, opened.reading() as sql:
        fault = fault_of_copy(path, payload, sums_witnessed(sql))
    if fault is not None:
        raise ExportError(f"{fault}; `leukoscope report show --json` prints the one that is kept in the outbox")


def _life(message: Mapping[str, Any]) -> tuple[str, Signature | None]:
    """Where a report stands, and who brought it there; one that tells no life was touched by nobody."""
    life = message.get("lifecycle")
    if life is None:
        return UNREVIEWED, None
    last = life["steps"][-1] if life["steps"] else None
    return str(life["status"]), None if last is None else Signature(last["by"], utc_time(last["at"]))


def _by_id(wanted: str, storage: Path | None) -> Path:
    if storage is None:
        raise ExportError(
            f"no file {wanted}: give a report's JSON file, or the bench whose reports to search (--bench)"
        )
    folder = storage / "reports"
    found = [(name["id"], int(name["version"]), path) for path in folder.glob("*.json") if (name := _name_of(path))]
    alike = [entry for entry in found if entry[0].startswith(wanted.lower())]
    ids = sorted({entry[0] for entry in alike})
    if not ids:
        raise ExportError(f"no report in {folder} begins with {wanted!r}: it holds {len(found)} others")
    if len(ids) > 1:
        raise ExportError(f"{len(ids)} reports begin with {wanted!r} ({', '.join(ids[:3])}…): give more of the id")
    return max(alike, key=lambda entry: entry[1])[2]


def _name_of(path: Path) -> re.Match[str] | None:
    return _NAME.fullmatch(path.name)
