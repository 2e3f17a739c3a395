"""What the page needs of the place where reports are, on a device or at the centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from leukoscope.errors import LeukoscopeError
from leukoscope.messages.worklist_line import Line
from leukoscope.outbox.cell_pictures import PictureFacts
from leukoscope.outbox.field_pictures import FieldPicture
from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.missed_cells import FieldMap
from leukoscope.specimen.sample import Finding, SampleReport
from leukoscope.statistics.recount import Grounds

BATCH = 500
"""Lines that a place gives at a time."""


class GoneError(LeukoscopeError, LookupError):
    """A report, a cell or a picture that was asked for is not there any more."""


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
    findings: tuple[Finding, ...] = ()
    """The report's, as sentences that can be put into another language where they can be made anew."""
    fields: FieldMap | None = None
    """Where cells that the device missed may be added; None at the centre, where no pictures of fields are."""

    @property
    def names(self) -> dict[int, str]:
        """Class by number of the cell."""
        return {cell.record.number: cell.name for cell in self.cells}


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a step."""

    version: int | None
    """The new one; None while it is on its way to the device."""
    warning: str = ""
    """What else the person should know, in one sentence."""


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

    def field(self, report_id: str, number: int) -> FieldPicture | None:
        """The picture of a counted field of a report; None where there is none."""

    def alike(self, report_id: str, name: str, most: int) -> Sequence[Alike]:
        """Cells of other reports of the same bench that a person called so."""

    def submit(self, sample: Sample, decisions: Sequence[Decision]) -> Submitted:
        """Take steps, all or none; raises ReviewError where they are refused."""

    def waiting(self, report_id: str) -> str:
        """Where a step is on its way to, or why it was refused there; empty for neither."""

    def export(self, report_id: str, form: str) -> bytes:
        """The version in force as "fhir", "csv", "html" or "pdf"; raises ExportError."""
