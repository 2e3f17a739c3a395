"""Finds the report that somebody wants to export, and reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukoscope.errors import ExportError
from leukoscope.reporting.message import decode
from leukoscope.reporting.wire import from_bytes
from leukoscope.specimen.sample import SampleReport

UNREVIEWED = "preliminary"
"""The status of a report in which nobody has looked at the cells yet."""
_NAME = re.compile(r"report-(?P<id>[0-9a-f-]{36})-v(?P<version>\d+)\.json")


@dataclass(frozen=True, slots=True)
class Original:
    """A report as it was stored."""

    report: SampleReport
    status: str
    """Where it stands in its life: "preliminary", "reviewed", "final", "amended" or "corrected"."""
    storage: Path | None
    """The storage folder it lies in, where there is one: pictures of its fields lie there too."""


def find_report(wanted: str, storage: Path | None) -> Original:
    """Read a report from a file, or the newest version of one from a bench's storage.

    Args:
        wanted: a report's JSON file, or the beginning of its id.
        storage: the bench's storage folder; None where no bench was named.

    Raises:
        ExportError: there is no such report, or several begin alike.
        InvalidMessage: the file holds no report that this version can read.
    """
    path = Path(wanted)
    if not path.is_file():
        path = _by_id(wanted, storage)
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise ExportError(f"the report {path} cannot be read ({error.strerror}): check its owner") from error
    message = from_bytes(payload)
    beside = path.parent.parent if path.parent.name == "reports" else None
    return Original(decode(message), _status(message), storage or beside)


def _status(message: Mapping[str, Any]) -> str:
    life = message.get("lifecycle")
    return str(life["status"]) if isinstance(life, Mapping) else UNREVIEWED


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
