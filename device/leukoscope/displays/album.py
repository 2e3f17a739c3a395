"""Keeps annotated pictures of a sample's fields, for people to look at afterwards."""

from pathlib import Path

from leukoscope.displays.annotation import annotate
from leukoscope.errors import DisplayError
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.field import CountedField, RejectedField


class Album:
    """Up to so many pictures per sample: fields with white cells first come, and a few refused ones."""

    def __init__(self, folder: Path, most: int) -> None:
        """Begin an empty album.

        Args:
            folder: where the PNGs go; made when the first one is written.
            most: pictures of counted fields to keep, and half as many of refused ones.
        """
        self.folder = folder
        self._counted_left = most
        self._refused_left = most // 2

    def keep(self, field: CountedField | RejectedField) -> Path | None:
        """Write a field's picture where there is room for it and something to see.

        Raises:
            DisplayError: the picture cannot be written. Counting goes on without it.
        """
        if isinstance(field, RejectedField):
            if self._refused_left == 0:
                return None
            self._refused_left -= 1
            name = f"refused-{field.micrograph.frame.number:05d}.png"
        else:
            if self._counted_left == 0 or not any(cell.instance.kind is CellKind.WBC for cell in field.cells):
                return None
            self._counted_left -= 1
            name = f"field-{field.micrograph.frame.number:05d}.png"
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            annotate(field).save(path)
        except OSError as error:
            raise DisplayError(
                f"the picture {path} cannot be written: {error.strerror or error}",
                "check the path, its owner and the disk",
            ) from error
        return path
