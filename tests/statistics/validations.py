"""A drawn classifier of blood cells, and what its validation found."""

from collections.abc import Mapping

from leukoscope.inference.bundle import CellClass, ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE

WHITE = ("segmented", "band", "blast", "lymphocyte", "monocyte", "eosinophil")
BESIDE = ("erythroblast", "smudge")
KEYS = (*WHITE, *BESIDE)
FACTS = ClassifierFacts(
    classes=tuple(CellClass(key=key, short=key[:5].upper(), in_differential=key in WHITE) for key in KEYS),
    temperature=1.0,
    unsure_below=0.5,
    groups={"neutrophil": ("segmented", "band")},
)
MISTAKES: Mapping[str, Mapping[str, int]] = {
    "segmented": {"segmented": 80, "band": 16, "eosinophil": 1, UNSURE: 3},
    "band": {"band": 14, "segmented": 5, UNSURE: 1},
    "blast": {"blast": 42, "lymphocyte": 4, "monocyte": 2, UNSURE: 2},
    "lymphocyte": {"lymphocyte": 74, "blast": 3, "monocyte": 2, UNSURE: 1},
    "monocyte": {"monocyte": 32, "lymphocyte": 2, "blast": 2, "band": 1, UNSURE: 3},
    "eosinophil": {"eosinophil": 19, "segmented": 2, UNSURE: 1},
    "erythroblast": {"erythroblast": 11, "lymphocyte": 1},
    "smudge": {"smudge": 17, "blast": 1, "lymphocyte": 1, UNSURE: 1},
}
"""Cells by truth and answer; few, so that the error of the validation itself matters."""


def matrix(rows: Mapping[str, Mapping[str, int]], collection: str = "drawn") -> ConfusionMatrix:
    """One collection; what is not named counts zero."""
    answers = (*KEYS, UNSURE)
    return ConfusionMatrix(
        collection=collection,
        held_out_by="patient",
        truth=tuple(rows),
        named=answers,
        counts=tuple(tuple(row.get(key, 0) for key in answers) for row in rows.values()),
    )


VALIDATION = Validation(matrices=(matrix(MISTAKES),))
