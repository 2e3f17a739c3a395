"""Reports as files in a folder: one JSON file each, whole or not there at all."""

import re
from pathlib import Path

from leukoscope.errors import InvalidMessage
from leukoscope.outbox.store import Key
from leukoscope.system.durable_files import write_whole

_SAFE = re.compile(r"[A-Za-z0-9-]{1,80}")


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
        """Write a report, whole and on the disk when this returns; the first one under a key stays.

        Raises:
            InvalidMessage: the key cannot name a file.
            OSError: the folder cannot be written.
        """
        path = self.path_of(key)
        if path.exists():
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, payload)
        return path
