"""A folder as a display: every new picture becomes a numbered PNG."""

import io
from pathlib import Path
from typing import Literal

from PIL import Image
from pydantic import Field

from leukoscope.displays.display import BaseDisplaySettings, DisplayDefaults
from leukoscope.displays.picture import fitted
from leukoscope.errors import DisplayError
from leukoscope.system.durable_files import write_whole

_PREFIX = "screen-"


class SnapshotSettings(BaseDisplaySettings):
    """A folder of screen pictures."""

    driver: Literal["snapshot"] = "snapshot"
    folder: Path
    """Where the pictures go; made when missing."""
    width: int = Field(default=320, ge=96, le=4096)
    """Pixels."""
    height: int = Field(default=240, ge=32, le=4096)
    """Pixels."""
    monochrome: bool = False
    """Draw as for a one-bit display."""
    keep: int = Field(default=500, ge=1)
    """Newest pictures kept; older ones of this folder are deleted, so that a disk never fills."""

    def open(self) -> "Snapshot":
        """Make the folder.

        Raises:
            DisplayError: the folder cannot be made.
        """
        return Snapshot(self.folder, (self.width, self.height), self.monochrome, self.keep)


class Snapshot(DisplayDefaults):
    """Writes screen-000001.png and so on, going on behind the pictures that lie there."""

    def __init__(self, folder: Path, size: tuple[int, int], monochrome: bool, keep: int) -> None:
        self._folder = folder
        self._size = size
        self._monochrome = monochrome
        self._keep = keep
        self._last: Image.Image | None = None
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._written = _pictures(folder)
        except OSError as error:
            raise DisplayError(
                f"cannot use {folder} for screen pictures: {error}", "check the path, its owner and the disk"
            ) from error
        self._number = _number(self._written[-1]) if self._written else 0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self._size

    @property
    def monochrome(self) -> bool:
        """True when drawn as for a one-bit display."""
        return self._monochrome

    def show(self, image: Image.Image) -> None:
        """Write the picture, unless it is the one written last.

        Raises:
            DisplayError: it cannot be written, or has another size than `size`.
        """
        if self._closed:
            raise DisplayError(f"the snapshots in {self._folder} are closed", "open it again")
        picture = fitted(image, self._size, self._monochrome)
        if picture == self._last:
            return
        path = self._folder / f"{_PREFIX}{self._number + 1:06}.png"
        content = io.BytesIO()
        picture.save(content, "PNG")
        try:
            write_whole(path, content.getvalue())
            while len(self._written) >= self._keep:
                self._written.pop(0).unlink(missing_ok=True)
        except OSError as error:
            raise DisplayError(
                f"cannot write the screen picture {path}: {error}", "check the path, its owner and the disk"
            ) from error
        self._number += 1
        self._written.append(path)
        self._last = picture.copy()

    def close(self) -> None:
        """Nothing to release; the pictures stay."""
        self._closed = True


def _pictures(folder: Path) -> list[Path]:
    found = [path for path in folder.glob(f"{_PREFIX}*.png") if path.stem[len(_PREFIX) :].isdigit()]
    return sorted(found, key=_number)


def _number(path: Path) -> int:
    return int(path.stem[len(_PREFIX) :])
