"""Pictures of cells that a bench has kept in its outbox."""

from pathlib import Path

from leukoscope.exporting.report_pictures import SUSPECTS
from leukoscope.outbox.cell_pictures import pictures_of
from leukoscope.outbox.store import Outbox


class OutboxPictures:
    """The pictures of a report's cells, by what they are called in one of its versions; suspects apart."""

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
                    # A cell that a person has named is what the person says, and no longer suspect.
                    suspect = bool(one.suspect) and not one.by_person
                    found.setdefault(SUSPECTS if suspect else one.name, []).append(one.webp)
        return found
