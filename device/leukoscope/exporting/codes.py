"""What laboratories call the quantities of a blood smear: LOINC codes, chosen by (analyte, unit).

Only codes of a count by eye: a smear has no known volume, so there are no codes of cells per litre, and none of an
analyser's differential. All of them are about blood; marrow has none here.
"""

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PERCENT = "%"
PER_100_WHITE_CELLS = "/100{WBCs}"
PER_1000_RED_CELLS = "/1000{RBCs}"
CELLS = "{cells}"
FIELDS = "{fields}"
MICROMETRE = "um"
SQUARE_MILLIMETRE = "mm2"

UNIT_WORDS = {
    PERCENT: "%",
    PER_100_WHITE_CELLS: "per 100 white cells",
    PER_1000_RED_CELLS: "per 1000 red cells",
    CELLS: "cells",
    FIELDS: "fields",
    MICROMETRE: "µm",
    SQUARE_MILLIMETRE: "mm²",
}
"""UCUM codes in words for people."""

DIFFERENTIAL_PANEL = "24318-8"
"""Manual differential panel of blood."""

_OF_BLOOD = {
    ("blast", PERCENT): "26446-5",
    ("promyelocyte", PERCENT): "26524-9",
    ("myelocyte", PERCENT): "26498-6",
    ("metamyelocyte", PERCENT): "28541-1",
    ("band", PERCENT): "26508-2",
    ("segmented", PERCENT): "26505-8",
    ("neutrophil", PERCENT): "26511-6",
    ("promonocyte", PERCENT): "30466-7",
    ("lymphocyte", PERCENT): "26478-8",
    ("lymphocyte_variant", PERCENT): "13046-8",
    ("monocyte", PERCENT): "26485-3",
    ("eosinophil", PERCENT): "26450-7",
    ("basophil", PERCENT): "30180-4",
    ("smudge", PERCENT): "34992-8",
    ("plasma", PERCENT): "13047-6",
    ("prolymphocyte", PERCENT): "30465-9",
    ("erythroblast", PER_100_WHITE_CELLS): "19048-8",
}

ATTRIBUTION = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. "
    "and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
    "license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, Inc."
)
"""The notice that LOINC's licence asks for wherever its codes are passed on."""


def loinc_of(analyte: str, unit: str, mode: str) -> str | None:
    """The LOINC code of a quantity as counted on a smear; None where there is none that says just this.

    Args:
        analyte: a class key, as "blast".
        unit: UCUM.
        mode: what the smear is of, "blood" or "marrow".
    """
    return _OF_BLOOD.get((analyte, unit)) if mode == "blood" else None
