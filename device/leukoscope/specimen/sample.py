"""What is said about one specimen when counting ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leukoscope.specimen.lifecycle import Life


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
    """Of what ran, hexadecimal: the network's file, or that and the head beside it."""
    engine: str
    """"onnx" or "litert"."""


@dataclass(frozen=True, slots=True)
class SizeReference:
    """By how much the classifier is shown cells larger, as the bench learnt from earlier specimens."""

    id: str
    """Beginning of the sha256 of what was learnt, hexadecimal."""
    enlarged: float
    """0.8-1.25; 1 shows them as they are."""
    specimens: int
    """Specimens that it rests on."""


@dataclass(frozen=True, slots=True)
class CellSizes:
    """How large the whole white cells of a sample are."""

    white_um: float | None
    """Median diameter; None without cells."""
    white_cells: int


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
    """False for a nominal calibration, which was not measured on this bench."""
    um_per_px: float
    source: Source
    clock_synchronised: bool | None
    """None where the operating system cannot tell."""
    boot_id: str
    camera: str | None = None
    """Driver and size of the camera's pictures; None in reports of versions that did not say."""
    dependencies: str | None = None
    """sha256 of the lock that the software was installed from, hexadecimal; None where there was none."""
    size_reference: SizeReference | None = None
    """None where the bench has not learnt the usual size of its cells yet."""


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
class CorrectedShare:
    """One class or group of the differential, corrected for how often the classifier mistakes it."""

    name: str
    """A class or group key of the classifier's bundle."""
    share: float
    """Of the white cells, 0-1."""
    low: float
    """Lower end of the 95 % interval, 0-1; it holds the error of counting and of naming."""
    high: float
    """Upper end of the 95 % interval, 0-1."""
    validated_cells: int
    """Cells of this class, or of the group's classes, whose naming was checked; 0: how well it is named is unknown."""


@dataclass(frozen=True, slots=True)
class Verification:
    """That a person has checked how this bench names its cells: what a corrected differential rests on."""

    cells: int
    """Checked cells of live samples of this bench."""
    specimens: int
    """Specimens they are of."""
    at: datetime
    """When the last of them was checked."""
    by: tuple[str, ...]
    """Who checked them."""


@dataclass(frozen=True, slots=True)
class CorrectedDifferential:
    """The differential as it would be if every cell had been named right, as far as the validation tells."""

    method: str
    """How it was made, in words."""
    between_laboratories: float
    """Share of the variance of an answer that lies between the laboratories of the validation, 0-1."""
    classes: tuple[CorrectedShare, ...]
    """The classes of the bundle's differential of which enough cells were checked."""
    groups: tuple[CorrectedShare, ...]
    """Such groups of the bundle that hold classes of the differential."""
    verification: Verification | None = None
    """Of the bench; None in reports of versions that corrected by other laboratories alone."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many lie in each of a row of equal bins; what lies beyond the row is in its first or last bin."""

    start: float
    """Lower end of the first bin."""
    step: float
    """Width of a bin, above 0."""
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All that were put into bins."""
        return sum(self.counts)


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
    measured: int | None = None
    """Cells that size and shape rest on: those not cut by the border; None where an older report does not say."""
    diameters_um: Histogram | None = None
    """Diameters of the cells that were measured, micrometres; None when there are none."""


class Certainty(StrEnum):
    """How sure a finding is, from the 95 % interval of what it rests on."""

    CERTAIN = "certain"
    """The whole interval lies beyond the limit; also findings that rest on no interval."""
    LIKELY = "likely"
    """The best estimate lies beyond the limit, an end of the interval does not."""
    CANNOT_BE_EXCLUDED = "cannot_be_excluded"
    """Only an end of the interval lies beyond the limit."""


class Basis(StrEnum):
    """Which error the interval of a finding holds."""

    COUNTS = "counts"
    """That of counting alone."""
    CORRECTED = "corrected"
    """That of counting and that of naming."""
    NONE = "none"
    """The finding rests on no interval."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark for the reader; it screens and counts, it never names a disease."""

    code: str
    text: str
    certainty: Certainty = Certainty.CERTAIN
    basis: Basis = Basis.NONE
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What it rests on, such as count, of, value, low, high and limit; shares are 0-1."""


Mode = Literal["blood", "marrow"]
"""What a smear is of."""
CELLS_CALLED: Mapping[Mode, str] = {"blood": "white cells", "marrow": "marrow cells"}
"""What the cells of the differential are, in words: in marrow they hold the nucleated red ones too."""


@dataclass(frozen=True, slots=True)
class RulesIdentity:
    """Which rules made the findings."""

    id: str
    version: str
    sha256: str
    """Of the rules file, hexadecimal."""
    mode: Mode = "blood"
    """What the smear is of, as the rules take it: "blood" or "marrow"."""


@dataclass(frozen=True, slots=True)
class SampleReport:
    """The result of one sample. Its id never changes."""

    id: str
    """UUID, made when counting starts."""
    version: int
    """1 for the first report of this id; each step of its life counts up."""
    sample_id: str
    """What the technician or barcode calls the specimen; never a patient's name."""
    started_at: datetime
    finished_at: datetime
    fields_counted: int
    fields_rejected: Mapping[str, int]
    """Refused fields by flaw; a field with two flaws is counted under both."""
    fields_rejected_total: int
    patches: int | None
    """Parts of the slide whose distance from each other is not known, so that a cell may be counted once in each;
    None where every picture was taken as another place."""
    white_cells: int
    """Denominator of the differential: named white cells; what `beside` lists is outside it."""
    differential: tuple[ClassCount, ...]
    """Every class of the bundle's differential, also those never seen."""
    differential_corrected: CorrectedDifferential | None
    """None where there is nothing to correct it by, or nothing to correct."""
    not_corrected_because: str | None
    """Why there is none, in words; None where there is one."""
    beside: Mapping[str, int]
    """Cells seen but outside the differential, by class: erythroblast, smudge, unsure, artefact…"""
    red_cells: RedCells
    platelets: int
    wbc_per_1000_rbc: float | None
    """Cells named as a class of the differential, and those that could not be named, in the counting frame, per 1000
    red cells there; None without red cells."""
    area_um2: float
    """Area of specimen examined in counted fields."""
    border_rule: str
    """Which border cells were counted, in words."""
    findings: tuple[Finding, ...]
    rules: RulesIdentity
    """What made the findings."""
    finished_because: str
    """"enough_cells", "technician", "end_of_pictures" or "fault"."""
    provenance: Provenance
    life: Life = field(default_factory=Life)
    """What people did to it since it was counted."""
    resumed: int = 0
    """How often counting went on after a power cut or a crash; the field in work then was lost."""
    suspects: int | None = None
    """White cells that may be of a class that they are not named, and that no person has named; None in reports of
    versions that did not say it."""
