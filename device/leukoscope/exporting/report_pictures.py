"""The pictures that go with a report: cells by class, and fields as the device outlined them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image

SUSPECTS = "suspects"
"""In place of a class: cells that may be blasts although they were not named so."""
FIELDS_SHOWN = 4
FIELD_WIDTH_PX = 700


class CellPictures(Protocol):
    """Wherever pictures of single cells are kept."""

    def by_class(self, report_id: str, version: int) -> Mapping[str, Sequence[bytes]]:
        """PNG, JPEG or WebP files of the cells by what they are called in that version, the most telling first."""
        ...


@dataclass(frozen=True, slots=True)
class Gallery:
    """What there is to show; any of it may be missing."""

    cells: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    """PNG, JPEG or WebP files by class key, the most telling first."""
    fields: Sequence[bytes] = ()
    """PNG or JPEG files of whole fields with outlines and names."""


def gallery_of(storage: Path | None, report_id: str, version: int, cells: CellPictures | None = None) -> Gallery:
    """The pictures of a report that are still there.

    Args:
        storage: the bench's storage folder; None where it is unknown.
        report_id: the report's full id.
        version: which of its versions names the cells.
        cells: where pictures of single cells are kept; None where none are kept.
    """
    fields: list[bytes] = []
    if storage is not None:
        paths = sorted((storage / "fields" / report_id).glob("field-*.png"))
        fields = [_smaller(path) for path in paths[:FIELDS_SHOWN]]
    return Gallery({} if cells is None else cells.by_class(report_id, version), fields)


def _smaller(path: Path) -> bytes:
    """A field as wide as print can show; whole ones would make a report of many megabytes."""
    with Image.open(path) as picture:
        picture.thumbnail((FIELD_WIDTH_PX, FIELD_WIDTH_PX))
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()
