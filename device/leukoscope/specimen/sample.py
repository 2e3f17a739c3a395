"""What is said about one specimen when counting ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """Where the pictures came from; a simulated result must never pass for a real one."""

    LIVE = "live"
    REPLAYED = "replayed"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class BundleIdentity:
    """Which networks made a result."""

    name: str
    version: str
    sha256: str
    """Of the file that ran, hexadecimal."""
    engine: str
    """"onnx" or "litert"."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything a reader needs to judge or repeat a result."""

    site: str
    device: str
    software_version: str
    segmenter: BundleIdentity
    classifier: BundleIdentity
    calibration_id: str
    calibration_measured: bool
    """False for a nominal calibration, which nobody measured on this bench."""
    um_per_px: float
    source: Source
    clock_synchronised: bool | None
    """None where the operating system cannot tell."""
    boot_id: str


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One line of the differential."""

    cell_class: str
    count: int
    share: float
    """Of the cells in the denominator, 0-1."""
    low: float
    """Lower end of the 95 % Clopper-Pearson interval, 0-1."""
    high: float
    """Upper end of the 95 % Clopper-Pearson interval, 0-1."""
    count_more: int
    """Cells still to be counted for an interval as narrow as the settings ask; 0 when reached."""


@dataclass(frozen=True, slots=True)
class RedCells:
    """What the red cells look like."""

    count: int
    mean_diameter_um: float | None
    """Of cells not cut by the border; None when there are none."""
    diameter_cv: float | None
    """Standard deviation over mean of the diameter, 0-1; None below two cells."""
    irregular_share: float | None
    """Share whose outline is not round, 0-1; None when there are none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark for the reader; it screens and counts, it never names a disease."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class SampleReport:
    """The result of one sample. It keeps its id for life."""

    id: str
    """UUID, made when counting starts."""
    version: int
    """1 for the first report of this id."""
    sample_id: str
    """What the technician or barcode calls the specimen; never a patient's name."""
    started_at: datetime
    finished_at: datetime
    fields_counted: int
    fields_rejected: Mapping[str, int]
    """Refused fields by flaw; a field with two flaws is counted under both."""
    fields_rejected_total: int
    white_cells: int
    """Denominator of the differential: named white cells; what `beside` lists is outside it."""
    differential: tuple[ClassCount, ...]
    """Every class of the bundle's differential, also those never seen."""
    beside: Mapping[str, int]
    """Cells seen but outside the differential, by class: erythroblast, smudge, unsure, artefact…"""
    red_cells: RedCells
    platelets: int
    wbc_per_1000_rbc: float | None
    area_um2: float
    """Area of specimen examined in counted fields."""
    border_rule: str
    """Which border cells were counted, in words."""
    findings: tuple[Finding, ...]
    finished_because: str
    """"enough_cells", "technician", "end_of_pictures" or "fault"."""
    provenance: Provenance
