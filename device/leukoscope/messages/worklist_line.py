"""What a worklist shows of a report message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leukoscope.messages.critical import critical_codes
from leukoscope.specimen.lifecycle import SIGNED


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
    """Blasts that are likely or certain, in a report that no person has signed."""
    source: str

    @property
    def signed(self) -> bool:
        """Whether a person has signed it."""
        return self.status in SIGNED

    @property
    def words(self) -> str:
        """What a search looks into, in small letters."""
        return f"{self.sample_id} {self.site}/{self.device} {self.id}".lower()

    @property
    def rank(self) -> int:
        """Order in the worklist: critical, open, signed."""
        return 2 if self.signed else 0 if self.critical else 1


def line_of(message: Mapping[str, Any]) -> Line:
    """The worklist's line of a report message, which was checked when it came."""
    white, life, made = message["white_cells"], message["lifecycle"], message["provenance"]
    blasts = next((one["count"] for one in white["differential"] if one["class"] == "blast"), 0)
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
        critical=life["status"] not in SIGNED and bool(critical_codes(message)),
        source=made["source"],
    )
