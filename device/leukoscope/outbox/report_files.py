"""Reports as files in a folder: one JSON file each, whole or not there at all; copies of what the outbox holds."""

import logging
import re
from pathlib import Path

from leukoscope.errors import InvalidMessage
from leukoscope.outbox.entry import REPORT, Key
from leukoscope.system.durable_files import sync_folder, write_whole

_SAFE = re.compile(r"[A-Za-z0-9-]{1,80}")
_FILE = re.compile(r"report-([0-9a-f-]{36})-v([1-9][0-9]{0,8})\.json")

_log = logging.getLogger(__name__)


class ReportFiles:
    """A folder of reports; a file that is there is complete and on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, key: Key) -> Path:
        """`<kind>-<id>-v<version>.json` in the folder.

        Raises:
            InvalidMessage: the key holds what a file name must not, as a slash.
        """
        if not (_SAFE.fullmatch(key.kind) and _SAFE.fullmatch(key.id)):
            raise InvalidMessage(
                f"expected letters, digits and dashes to name a file, found {key}", "give the report another name"
            )
        return self.folder / f"{key.kind}-{key.id}-v{key.version}.json"

    def write(self, key: Key, payload: bytes) -> Path:
        """Write a report, whole and on the disk when this returns.

        What has its name already and is not this report is set aside.

        Raises:
            InvalidMessage: the key cannot name a file.
            OSError: the folder cannot be written.
        """
        path = self.path_of(key)
        if path.is_symlink() or path.exists():
            if not path.is_symlink() and path.is_file() and path.read_bytes() == payload:
                return path
            set_aside(path)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, payload)
        return path


def key_named(file_name: str) -> Key | None:
    """Whose copy a file of the folder `reports` says it is; None where its name is not that of a report."""
    name = _FILE.fullmatch(file_name)
    return None if name is None else Key(name[1], int(name[2]), REPORT)


def set_aside(path: Path) -> Path:
    """Rename what lies in a report's place to the first free `<name>.set-aside-<n>`; returns that path.

    Raises:
        OSError: the folder cannot be written.
    """
    number = 1
    while (aside := path.with_name(f"{path.name}.set-aside-{number}")).exists():
        number += 1
    path.rename(aside)
    sync_folder(path.parent)
    _log.error("%s is not the report that was recorded: it is called %s now", path, aside.name)
    return aside
