"""Every LOINC code against the name that LOINC gives it: a code of the class beside it is a wrong result."""

import pytest

from leukoscope.exporting.codes import PER_100_WHITE_CELLS, PERCENT, loinc_of

NAMES = {
    "26446-5": "Blasts/Leukocytes in Blood",
    "26524-9": "Promyelocytes/Leukocytes in Blood",
    "26498-6": "Myelocytes/Leukocytes in Blood",
    "28541-1": "Metamyelocytes/Leukocytes in Blood",
    "26508-2": "Band form neutrophils/Leukocytes in Blood",
    "26505-8": "Segmented neutrophils/Leukocytes in Blood",
    "26511-6": "Neutrophils/Leukocytes in Blood",
    "30466-7": "Promonocytes/Leukocytes in Blood",
    "26478-8": "Lymphocytes/Leukocytes in Blood",
    "13046-8": "Variant lymphocytes/Leukocytes in Blood",
    "26485-3": "Monocytes/Leukocytes in Blood",
    "26450-7": "Eosinophils/Leukocytes in Blood",
    "30180-4": "Basophils/Leukocytes in Blood",
    "34992-8": "Smudge cells/Leukocytes in Blood",
    "13047-6": "Plasma cells/Leukocytes in Blood",
    "30465-9": "Prolymphocytes/Leukocytes in Blood",
    "19048-8": "Nucleated erythrocytes/100 leukocytes in Blood",
}
"""Long common names of LOINC (https://loinc.org), without the method."""
CLASSES = {
    "blast": "Blasts",
    "promyelocyte": "Promyelocytes",
    "myelocyte": "Myelocytes",
    "metamyelocyte": "Metamyelocytes",
    "band": "Band form neutrophils",
    "segmented": "Segmented neutrophils",
    "neutrophil": "Neutrophils",
    "promonocyte": "Promonocytes",
    "lymphocyte": "Lymphocytes",
    "lymphocyte_variant": "Variant lymphocytes",
    "monocyte": "Monocytes",
    "eosinophil": "Eosinophils",
    "basophil": "Basophils",
    "smudge": "Smudge cells",
    "plasma": "Plasma cells",
    "prolymphocyte": "Prolymphocytes",
    "erythroblast": "Nucleated erythrocytes",
}


@pytest.mark.parametrize(("cell_class", "component"), CLASSES.items())
def test_a_class_has_the_code_whose_name_says_it(cell_class: str, component: str) -> None:
    unit, of = (PER_100_WHITE_CELLS, "100 leukocytes") if cell_class == "erythroblast" else (PERCENT, "Leukocytes")
    code = loinc_of(cell_class, unit, "blood")
    assert code is not None
    assert NAMES[code] == f"{component}/{of} in Blood"


@pytest.mark.parametrize("code", NAMES)
def test_the_last_digit_of_a_code_checks_the_others(code: str) -> None:
    """Modulus 10 by Luhn, as the LOINC Users' Guide gives it."""
    digits, check = code.split("-")
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    assert (10 - sum(sum(divmod(one, 10)) for one in doubled) % 10) % 10 == int(check)
