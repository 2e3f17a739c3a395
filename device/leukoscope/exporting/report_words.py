"""The words of an exported report: names of cells and quantities, numbers as people read them, and its warnings."""

from dataclasses import dataclass

from leukoscope.errors import ExportError
from leukoscope.exporting.codes import MICROMETRE, SQUARE_MILLIMETRE, UNIT_WORDS
from leukoscope.exporting.original import Doubt, Original
from leukoscope.exporting.quantities import Quantity
from leukoscope.specimen.lifecycle import Status
from leukoscope.specimen.sample import CELLS_CALLED, Mode, SampleReport, Source

NO_DIAGNOSIS = "Screens and counts; it does not diagnose."

_CLASSES = {
    "segmented": "segmented neutrophils",
    "band": "band neutrophils",
    "neutrophil": "neutrophils, all",
    "immature_granulocyte": "immature granulocytes",
    "lymphocyte_variant": "variant lymphocytes",
    "lymphoid": "lymphocytes, all",
    "plasma": "plasma cells",
    "smudge": "smudge cells",
    "unsure": "not named",
    "suspects": "suspects: may be blasts, not named so",
    "erythroid": "nucleated red cells, all",
    "thrombocyte_aggregation": "platelet clumps",
    "thrombocyte": "platelets, named",
    "giant_thrombocyte": "giant platelets",
}
"""Names that are not the key and an "s"; any other class of any bundle is called by its key."""
_DECIMALS = {MICROMETRE: 2, SQUARE_MILLIMETRE: 3}
_ALREADY_MANY = ("cells", "white_cells", "red_cells", "platelets", "fields")


@dataclass(frozen=True, slots=True)
class StatusWords:
    """Where a report stands in its life."""

    fhir: str
    """The code of FHIR's DiagnosticReportStatus and ObservationStatus."""
    title: str
    words: str


_STATUS = {
    "preliminary": StatusWords("preliminary", "Preliminary", "Nobody has reviewed the cells."),
    "reviewed": StatusWords("preliminary", "Reviewed", "Not signed yet."),
    "final": StatusWords("final", "Final", "Reviewed and signed."),
    "amended": StatusWords("amended", "Amended", "Changed after it was signed."),
    "corrected": StatusWords("corrected", "Corrected", "Changed after it was signed, because it was wrong."),
}


def status_words(status: str) -> StatusWords:
    """How to tell a report's status.

    Raises:
        ExportError: it is none that this version knows.
    """
    if status not in _STATUS:
        known = ", ".join(_STATUS)
        raise ExportError(f"expected a report that is {known}, found status {status!r}", "update this software")
    return _STATUS[status]


def class_words(key: str) -> str:
    """A class or group as a laboratory calls its cells: "segmented neutrophils"."""
    if key in _CLASSES:
        return _CLASSES[key]
    return key.replace("_", " ") + ("" if key in _ALREADY_MANY else "s")


def quantity_words(one: Quantity, mode: Mode) -> str:
    """What a quantity of a smear of blood or marrow is, in words."""
    among = CELLS_CALLED[mode]
    cells = among if one.of == "white_cells" else class_words(one.of)
    looked = {
        "counted": f"{cells} counted",
        "refused": f"{cells} refused",
        "share": f"{cells} among the {among}",
        "share_corrected": f"{cells} among the {among}, corrected for naming errors",
        "group_share_corrected": f"{cells} among the {among}, corrected for naming errors",
        "per_100": f"{cells} per 100 {among}",
        "per_1000": f"{cells} per 1000 red cells",
        "mean_diameter": "mean diameter of the red cells",
        "diameter_cv": "variation (CV) of the red-cell diameters",
        "irregular_share": "red cells that are not round",
        "area": "area examined",
    }
    return looked[one.name]


def number(value: float, unit: str) -> str:
    """A measured number with the decimals of its unit, blanks between thousands: "12.3", "7.21"."""
    return f"{value:,.{_DECIMALS.get(unit, 1)}f}".replace(",", " ")


def whole(count: int) -> str:
    """A count with blanks between thousands: "23 456"."""
    return f"{count:,}".replace(",", " ")


def interval(one: Quantity) -> str:
    """The 95 % interval as "2.2–12.6"; empty without one."""
    return "" if one.low is None or one.high is None else f"{number(one.low, one.unit)}–{number(one.high, one.unit)}"


def in_words(one: Quantity, *, with_unit: bool = True) -> str:
    """A quantity on a line: "6.0 % (2.2–12.6)"; "unknown" where there is no value."""
    if one.value is None:
        return "unknown"
    value = whole(one.value) if isinstance(one.value, int) else number(one.value, one.unit)
    looked = f"{value} {UNIT_WORDS[one.unit]}" if with_unit else value
    return f"{looked} ({interval(one)})" if interval(one) else looked


@dataclass(frozen=True, slots=True)
class OriginWarning:
    """Something a reader must know before the first number."""

    text: str
    grave: bool
    """Nothing in the report is about a specimen."""


_DOUBTS = {
    Doubt.NO_OUTBOX: "NOT VERIFIED: no outbox shows that this is what the device recorded.",
    Doubt.RESTORED: "RESTORED FROM A FILE: the outbox that had recorded this report was lost.",
}


def doubt_words(doubt: Doubt) -> str:
    """Why a report may not be what the device recorded, for its reader; empty where it is."""
    return _DOUBTS.get(doubt, "")


def origin_warnings(original: Original) -> tuple[OriginWarning, ...]:
    """What must stand above the numbers; empty for a recorded report of a measured bench with a real slide."""
    made, warnings = original.report.provenance, []
    if original.doubt:
        warnings.append(OriginWarning(doubt_words(original.doubt), grave=original.doubt is Doubt.NO_OUTBOX))
    if made.source is Source.SIMULATED:
        text = "SIMULATED: made on a simulated microscope. No specimen was examined."
        warnings.append(OriginWarning(text, grave=True))
    elif made.source is Source.REPLAYED:
        text = "REPLAYED: made from stored pictures, not from a slide under the microscope."
        warnings.append(OriginWarning(text, grave=False))
    if not made.calibration_measured:
        text = "NOMINAL CALIBRATION: nobody measured the scale of this bench. Sizes may be off."
        warnings.append(OriginWarning(text, grave=False))
    if made.clock_synchronised is False:
        warnings.append(OriginWarning("CLOCK NOT SYNCHRONISED: date and time may be wrong.", grave=False))
    return tuple(warnings)


def looked_at_words(report: SampleReport) -> str:
    """How many cells a person looked at, and what the site let pass at the signature; empty where it is unknown."""
    life = report.life
    if life.cells_looked_at is None and life.status is not Status.PRELIMINARY:
        # A version that was reviewed before the software wrote down how many.
        return ""
    looked = f"{life.cells_looked_at or 0} of {report.white_cells + sum(report.beside.values())} cells looked at."
    without = [one.replace("_", " ") for step in life.steps for one in step.signed_without]
    if life.cells_added:
        looked += f" {life.cells_added} of them missed by the device and added by a person."
    return looked + (f" Signed although: {', '.join(dict.fromkeys(without))}." if without else "")
