"""Finds the report that a person wants to export, and reads it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from leukoscope.errors import ExportError
from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.report import decode, signature_of
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.outbox.file_check import fault_of_copy, sums_witnessed
from leukoscope.outbox.recovery import was_restored
from leukoscope.outbox.report_copies import recorded_payload, recorded_versions
from leukoscope.outbox.report_files import ReportFiles, key_named
from leukoscope.outbox.store import Outbox
from leukoscope.specimen.sample import SampleReport

UNREVIEWED = "preliminary"
"""The status of a report whose cells no person has looked at yet."""
_OUTBOX = "outbox.sqlite"


class Doubt(StrEnum):
    """Why it is unknown whether a report is what the device recorded."""

    NONE = ""
    """The outbox vouches for it; or a file was given alone, and no outbox was asked."""
    RESTORED = "restored"
    """It was taken from its file after the outbox that had recorded it was lost."""
    NO_OUTBOX = "not_verified"
    """No outbox knows it, and a person wanted it all the same."""


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
    doubt: Doubt = Doubt.NONE


def find_report(wanted: str, storage: Path | None, *, unverified: bool = False) -> Original:
    """Read a report from a file, or the newest version of one that a bench recorded.

    The outbox and its audit trail say what was recorded; a file that they do not vouch for is never taken in its
    place. A file that lies alone, with no bench named, is read as it is.

    Args:
        wanted: a report's JSON file, or the beginning of its id.
        storage: the bench's storage folder; None where no bench was named.
        unverified: a person wants it also where no outbox vouches for it.

    Raises:
        ExportError: there is no such report, several begin alike, or it is not what was recorded.
        InvalidMessage: the file holds no report that this version can read.
        OutboxError: the outbox that knows what was recorded cannot be read.
    """
    path = Path(wanted)
    if path.is_file():
        payload = _read(path)
        beside = path.absolute().parent.parent if path.absolute().parent.name == "reports" else None
        doubt, why = _doubt(path, payload, beside or storage)
        storage = storage or beside
    elif storage is None:
        raise ExportError(
            f"no file {wanted}", "give a report's JSON file, or the bench whose reports to search (--bench)"
        )
    elif (storage / _OUTBOX).exists():
        payload, doubt = _recorded(wanted, storage)
        why = ""
    else:
        path = _copy_by_id(wanted, storage / "reports")
        payload = _read(path)
        doubt, why = Doubt.NO_OUTBOX, _no_outbox(storage, path)
    message = from_bytes(payload)
    report = decode(message)
    if doubt is Doubt.NO_OUTBOX:
        _refuse_under_another_name(path, report)
        if not unverified:
            raise ExportError(
                why,
                "put outbox.sqlite back from a copy, or give the bench that recorded it; --unverified exports it all "
                "the same, marked as not verified",
            )
    # The status stays in the report's own words: a newer device may know more of them.
    status, by, at = signature_of(message)
    signature = None if by is None or at is None else Signature(by, at)
    return Original(report, status or UNREVIEWED, storage, signature, doubt)


def _doubt(path: Path, payload: bytes, storage: Path | None) -> tuple[Doubt, str]:
    """Whether a file is what was recorded, and why no outbox knows it; ExportError where it is known not to be."""
    if storage is None:
        return Doubt.NONE, ""
    outbox = storage / _OUTBOX
    if not outbox.exists():
        return Doubt.NO_OUTBOX, _no_outbox(storage, path)
    if key_named(path.name) is None:
        # A number that a flipped bit has changed looks as good as any other, whatever the file is called.
        report = decode(from_bytes(payload))
        path = ReportFiles(path.parent).path_of(Key(report.id, report.version, REPORT))
    key = key_named(path.name)
    with Outbox.open(outbox, owner=False) as opened, opened.reading() as sql:
        sums = sums_witnessed(sql)
        restored = Doubt.RESTORED if key is not None and was_restored(sql, key.id) else Doubt.NONE
    if (fault := fault_of_copy(path, payload, sums)) is None:
        return restored, ""
    if str(key) not in sums and path.absolute().parent != (storage / "reports").absolute():
        return Doubt.NO_OUTBOX, f"{fault}: it may be another device's"
    raise ExportError(fault, "`leukoscope report show --json` prints the one that is kept in the outbox")


def _no_outbox(storage: Path, path: Path) -> str:
    return f"there is no outbox in {storage}: nothing shows that {path.name} is what this device recorded"


def _refuse_under_another_name(path: Path, report: SampleReport) -> None:
    """A copy whose name promises another version than it holds was put there: with no outbox, only this shows it."""
    named = key_named(path.name)
    if named is not None and (named.id, named.version) != (report.id, report.version):
        raise ExportError(
            f"{path} holds report {report.id} v{report.version}: its name says another, and no outbox vouches for it",
            "put the outbox back from a copy, or start the device, which makes it anew from the files that are whole",
        )


def _recorded(wanted: str, storage: Path) -> tuple[bytes, Doubt]:
    folder = storage / "reports"
    with Outbox.open(storage / _OUTBOX, owner=False) as outbox, outbox.reading() as sql:
        everything = recorded_versions(sql)
        found = {identifier: last for identifier, last in everything.items() if identifier.startswith(wanted.lower())}
        if len(found) == 1:
            ((identifier, version),) = found.items()
            payload, why = recorded_payload(sql, folder, Key(identifier, version, REPORT))
            if payload is None:
                raise ExportError(why, "put its file back from a copy; `leukoscope audit verify` names what differs")
            return payload, Doubt.RESTORED if was_restored(sql, identifier) else Doubt.NONE
    if found:
        raise _alike(wanted, sorted(found))
    planted = [path.name for path in folder.glob(f"report-{_plain(wanted)}*") if key_named(path.name) is not None]
    if planted:
        raise ExportError(
            f"{folder / planted[0]} was not recorded by this device", "`leukoscope audit verify` tells more"
        )
    raise ExportError(
        f"no report in {storage} begins with {wanted!r}, {len(everything)} others do not",
        "`leukoscope report list` shows the ids",
    )


def _copy_by_id(wanted: str, folder: Path) -> Path:
    found = [(key, path) for path in folder.glob("report-*.json") if (key := key_named(path.name)) is not None]
    alike = [(key, path) for key, path in found if key.id.startswith(wanted.lower())]
    ids = sorted({key.id for key, _ in alike})
    if not ids:
        raise ExportError(
            f"no report in {folder} begins with {wanted!r}: it holds {len(found)} others",
            "give the beginning of one of them",
        )
    if len(ids) > 1:
        raise _alike(wanted, ids)
    return max(alike, key=lambda entry: entry[0].version)[1]


def _alike(wanted: str, ids: list[str]) -> ExportError:
    return ExportError(f"{len(ids)} reports begin with {wanted!r} ({', '.join(ids[:3])}…)", "give more of the id")


def _plain(wanted: str) -> str:
    return "".join(sign for sign in wanted.lower() if sign in "0123456789abcdef-")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExportError(f"the report {path} cannot be read ({error.strerror})", "check its owner") from error
