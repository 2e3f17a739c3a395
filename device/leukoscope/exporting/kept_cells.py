"""Pictures of cells that a bench has kept in its outbox."""

from pathlib import Path

from leukoscope.outbox.cell_pictures import pictures_of
from leukoscope.outbox.store import Outbox


class OutboxPictures:
    """The pictures of a report's cells, by what they are called in one of its versions."""

    def __init__(self, outbox: Path) -> None:
        self._path = outbox

    def by_class(self, report_id: str, version: int) -> dict[str, list[bytes]]:
        """WebP files in the order of counting; empty where there is no outbox or none were kept.

        Raises:
            OutboxError: the outbox cannot be read.
        """
        found: dict[str, list[bytes]] = {}
        if self._path.exists():
            with Outbox.open(self._path, owner=False) as outbox:
                for one in pictures_of(outbox, report_id, version):
                    found.setdefault(one.name, []).append(one.webp)
        return found
