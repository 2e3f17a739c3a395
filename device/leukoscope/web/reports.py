"""What the page needs of the place where reports are, on a device or at the centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from leukoscope.errors import LeukoscopeError
from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.review import Word
from leukoscope.specimen.sample import SampleReport
from leukoscope.statistics.recount import Grounds

BATCH = 500
"""Lines that a place gives at a time."""


class GoneError(LeukoscopeError, LookupError):
    """A report, a cell or a picture that was asked for is not there any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """A report in the worklist."""

    id: str
    version: int
    site: str
    device: str
    sample_id: str
    status: str
    finished_at: str
    """ISO 8601, UTC."""
    white_cells: int
    blasts: int
    suspects: int
    unsure: int
    critical: bool
    """Blasts that are likely or certain, in a report that nobody has signed."""
    source: str

    @property
    def signed(self) -> bool:
        """Whether a person has signed it."""
        return self.status not in ("preliminary", "reviewed")

    @property
    def words(self) -> str:
        """What a search looks into, in small letters."""
        return f"{self.sample_id} {self.site}/{self.device} {self.id}".lower()

    @property
    def rank(self) -> int:
        """Order in the worklist: critical, open, signed."""
        return 2 if self.signed else 0 if self.critical else 1


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture that there is of a cell."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    um_per_px: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A report in the version in force, with its cells."""

    report: SampleReport
    cells: tuple[Named, ...]
    """None were kept: empty."""
    looked_at: frozenset[int]
    pictures: Mapping[int, PictureFacts]
    """By number of the cell."""
    classes: tuple[str, ...]
    """What a cell may be called, in the bundle's order."""
    grounds: Grounds | None
    """What the numbers are made anew by; None where only the device can."""
    delivery: str = ""
    """What became of the message."""

    @property
    def names(self) -> dict[int, str]:
        """Class by number of the cell."""
        return {cell.record.number: cell.name for cell in self.cells}


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a step."""

    version: int | None
    """The new one; None while it is on its way to the device."""
    told: str


@dataclass(frozen=True, slots=True)
class Alike:
    """A cell of another report that a person named or confirmed."""

    report: str
    number: int


class Reports(Protocol):
    """Where reports are; used by several threads."""

    at_centre: bool
    """Whether steps are sent to the device rather than taken here."""

    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        """Up to BATCH versions that came after a cursor, and the next cursor; the first is empty."""

    def sample(self, report_id: str) -> Sample:
        """A report; raises GoneError where there is none."""

    def picture(self, report_id: str, number: int) -> bytes:
        """WebP of a cell; raises GoneError where it was pruned or never kept."""

    def alike(self, report_id: str, name: str, most: int) -> Sequence[Alike]:
        """Cells of other reports of the same bench that a person called so."""

    def submit(self, sample: Sample, words: Sequence[Word]) -> Submitted:
        """Take steps, all or none; raises ReviewError where they are refused."""

    def waiting(self, report_id: str) -> str:
        """Where a step is on its way to, or why it was refused there; empty for neither."""

    def export(self, report_id: str, form: str) -> bytes:
        """The version in force as "fhir", "csv", "html" or "pdf"; raises ExportError."""


def line_of(message: Mapping[str, Any]) -> Line:
    """The worklist's line of a report message, which was checked when it came."""
    white, life, made = message["white_cells"], message["lifecycle"], message["provenance"]
    blasts = next((one["count"] for one in white["differential"] if one["class"] == "blast"), 0)
    signed = life["status"] not in ("preliminary", "reviewed")
    pressing = any(
        one["code"].startswith("blast") and one["certainty"] != "cannot_be_excluded" for one in message["findings"]
    )
    return Line(
        id=message["id"],
        version=int(message["version"]),
        site=made["site"],
        device=made["device"],
        sample_id=message["sample"]["sample_id"],
        status=life["status"],
        finished_at=message["sample"]["finished_at"],
        white_cells=int(white["counted"]),
        blasts=int(blasts),
        suspects=int(white.get("suspects", 0)),
        unsure=int(white["beside"].get("unsure", 0)),
        critical=not signed and pressing,
        source=made["source"],
    )


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in the worklist."""

    text: str = ""
    """In the specimen's name, the device, or at the beginning of the id."""
    state: str = "open"
    """"open", "signed" or "all"."""
    page: int = 1
    """From 1."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the worklist."""

    lines: Sequence[Line] = field(default_factory=tuple)
    total: int = 0
    pages: int = 1
