"""Small pictures of whole fields, so that a person who looks at a cell sees what lies around it.

Files beside the outbox, a folder a report: they never leave the device, and the oldest reports' go when they take more
room than the settings give them.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from leukoscope.specimen.place import Place

_FILE = re.compile(r"(\d{5})-(\d{1,5})x(\d{1,5})\.jpg")
_PLACES = "places.json"
_REPORT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class FieldPicture:
    """One that is kept."""

    path: Path
    cols: int
    """Pixels of the field itself, in which the boxes of its cells are given; the picture has fewer."""
    rows: int


class FieldPictures:
    """All of a device."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the one of results."""
        self._folder = folder / "fields-around"

    def keep(self, report_id: str, number: int, jpeg: bytes, cols: int, rows: int) -> None:
        """Keep a field.

        Args:
            report_id: of the report that the sample will have.
            number: which counted field of the sample it is, from 1.
            jpeg: the picture.
            cols: of the field, pixels.
            rows: likewise.

        Raises:
            OSError: it cannot be written.
        """
        folder = self._folder / report_id
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder / f"{number:05d}-{cols}x{rows}.jpg", jpeg)

    def keep_places(self, report_id: str, places: Mapping[int, Place]) -> None:
        """Keep where the counted fields of a report lie, by number, beside the pictures of those that have one.

        Raises:
            OSError: it cannot be written.
        """
        folder = self._folder / report_id
        if folder.is_dir():
            content = {number: [one.patch, round(one.row, 1), round(one.col, 1)] for number, one in places.items()}
            self._write(folder / _PLACES, json.dumps(content, separators=(",", ":")).encode())

    def _write(self, path: Path, content: bytes) -> None:
        unfinished = path.with_name(".unfinished")
        unfinished.write_bytes(content)
        unfinished.replace(path)

    def find(self, report_id: str, number: int) -> FieldPicture | None:
        """The picture of a field; None where it was not kept, or made room."""
        if not _REPORT.fullmatch(report_id):
            return None
        for path in (self._folder / report_id).glob(f"{number:05d}-*.jpg"):
            if found := _FILE.fullmatch(path.name):
                return FieldPicture(path, int(found[2]), int(found[3]))
        return None

    def all_of(self, report_id: str) -> dict[int, FieldPicture]:
        """The pictures of a report's fields that are kept, by number."""
        if not _REPORT.fullmatch(report_id):
            return {}
        named = ((path, _FILE.fullmatch(path.name)) for path in sorted((self._folder / report_id).glob("*.jpg")))
        return {int(found[1]): FieldPicture(path, int(found[2]), int(found[3])) for path, found in named if found}

    def places(self, report_id: str) -> dict[int, Place]:
        """Where the counted fields of a report lie, by number; empty where an older software counted them."""
        if not _REPORT.fullmatch(report_id):
            return {}
        try:
            read = json.loads((self._folder / report_id / _PLACES).read_bytes())
            return {
                int(number): Place(int(patch), float(row), float(col)) for number, (patch, row, col) in read.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def forget(self, report_id: str) -> None:
        """The sample is thrown away."""
        shutil.rmtree(self._folder / report_id, ignore_errors=True)

    def make_room(self, most_bytes: int) -> None:
        """Let the pictures of the oldest reports go until the others take no more than this.

        Raises:
            OSError: the folder cannot be read.
        """
        kept = sorted(self._sizes(), reverse=True)
        total = 0
        for _, size, folder in kept:
            total += size
            if total > most_bytes:
                shutil.rmtree(folder, ignore_errors=True)

    def _sizes(self) -> Iterator[tuple[float, int, Path]]:
        """Time of the last change, bytes and folder of each report."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            sizes = [path.stat().st_size for path in folder.iterdir()]
            yield folder.stat().st_mtime, sum(sizes), folder
