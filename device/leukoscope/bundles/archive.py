"""A bundle in one file: a zip archive that is exactly what `write_archive` makes of its content, and nothing else."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from leukoscope.errors import BundleError

SUFFIX = ".leukoscope"
CONTENTS, SIGNATURE, MANIFEST = "contents.json", "signature", "manifest.toml"
MAX_BYTES = 64 * 2**20
"""Largest archive that is read; the bundles that ship are a twentieth of it."""
MAX_FILES = 32
_END = struct.Struct("<4s4H2LH")
"""End of central directory record, APPNOTE.TXT 4.3.16."""
_MOST_DIRECTORY_BYTES = 256 * (MAX_FILES + 2)
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@dataclass(frozen=True, slots=True)
class Archive:
    """What lies in an archive, not yet trusted."""

    contents: bytes
    """JSON, see `Contents`."""
    signature: bytes | None
    """Of `contents`; None for an unsigned archive."""
    files: Mapping[str, bytes]
    """Content by name."""


def write_archive(archive: Archive) -> bytes:
    """The one file: contents first, then the signature, then the files by name, all stored as they are."""
    members = [(CONTENTS, archive.contents)]
    members += [] if archive.signature is None else [(SIGNATURE, archive.signature)]
    members += sorted(archive.files.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=False) as packed:
        for name, content in members:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            packed.writestr(entry, content)
    return out.getvalue()


def read_archive(raw: bytes, origin: str) -> Archive:
    """What lies in the bytes of an archive; nothing is written anywhere.

    Every byte is accounted for: whatever differs from what `write_archive` makes of the same content is refused, so
    no byte can be altered unseen.

    Args:
        raw: the file.
        origin: where it came from, for errors.

    Raises:
        BundleError: it is no archive, or holds what no archive of ours holds.
    """
    if len(raw) > MAX_BYTES:
        raise BundleError(f"{origin} is larger than {MAX_BYTES // 2**20} MiB, no bundle is", "check what it is")
    _refuse_large_directory(raw, origin)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            entries = packed.infolist()
            _refuse_unknown(entries, origin)
            content = {entry.filename: packed.read(entry) for entry in entries}
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, OSError, struct.error, OverflowError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{origin} is no whole bundle archive ({error})", "copy it again from its source") from error
    contents, signature = content.pop(CONTENTS, None), content.pop(SIGNATURE, None)
    if contents is None:
        raise BundleError(f"{origin} holds no {CONTENTS}", "pack it with tools/pack_bundle.py")
    archive = Archive(contents, signature, content)
    if write_archive(archive) != raw:
        raise BundleError(
            f"{origin} is not as it was packed (its archive was altered)", "copy it again from its source"
        )
    return archive


def refuse_bad_name(name: str, origin: str) -> None:
    """Raise unless a file may lie in a bundle's folder under this name.

    Raises:
        BundleError: it would lie elsewhere, or no such name is needed.
    """
    shown = repr(name[:60])
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        raise BundleError(
            f"{origin} holds {shown}, an absolute path",
            "take it from its publisher again; such an archive must not be trusted",
        )
    if ".." in PurePosixPath(name.replace("\\", "/")).parts:
        raise BundleError(
            f"{origin} holds {shown}, which would lie outside the bundle",
            "take it from its publisher again; such an archive must not be trusted",
        )
    if not name or len(name) > 100 or name.startswith(".") or not set(name) <= _NAME_LETTERS:
        raise BundleError(
            f"{origin} holds {shown}: expected plain file names of letters, digits, dots, dashes and underscores",
            "make the bundle anew with tools/pack_bundle.py",
        )


def _refuse_large_directory(raw: bytes, origin: str) -> None:
    """Before anything is allocated for it."""
    if len(raw) < _END.size or not raw.startswith(b"PK"):
        raise BundleError(
            f"{origin} is no bundle archive", f"expected a file ending in {SUFFIX} from tools/pack_bundle.py"
        )
    mark, _, _, _, count, directory, _, comment = _END.unpack(raw[-_END.size :])
    if mark != b"PK\x05\x06" or comment:
        raise BundleError(f"{origin} is cut short, or something was added at its end", "copy it again from its source")
    if count > MAX_FILES + 2 or directory > _MOST_DIRECTORY_BYTES:
        raise BundleError(f"{origin} holds {count} files, at most {MAX_FILES} are read", "check what it is")


def _refuse_unknown(entries: list[zipfile.ZipInfo], origin: str) -> None:
    seen: set[str] = set()
    claimed = 0
    for entry in entries:
        refuse_bad_name(entry.filename, origin)
        if entry.orig_filename != entry.filename:
            raise BundleError(
                f"{origin} holds {entry.orig_filename[:60]!r}, a name with a hidden end", "do not trust it"
            )
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise BundleError(
                f"{origin} holds {entry.filename}, a link: expected files alone",
                "make the bundle anew with tools/pack_bundle.py",
            )
        if kind != stat.S_IFREG:
            raise BundleError(
                f"{origin} holds {entry.filename}, which is no plain file: expected files alone",
                "make the bundle anew with tools/pack_bundle.py",
            )
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise BundleError(
                f"{origin} holds {entry.filename} compressed, {entry.file_size} bytes when unpacked: expected files "
                "stored as they are",
                "pack it with tools/pack_bundle.py",
            )
        if entry.filename.casefold() in seen:
            raise BundleError(
                f"{origin} holds {entry.filename} twice",
                "take it from its publisher again; such an archive must not be trusted",
            )
        seen.add(entry.filename.casefold())
        claimed += entry.file_size
    if claimed > MAX_BYTES:
        raise BundleError(
            f"{origin} claims {claimed // 2**20} MiB of files, at most {MAX_BYTES // 2**20} are read",
            "take it from its publisher again",
        )
