"""One quantity as a FHIR R4 Observation.

An interval is no reference range: a reader would flag the value by it. It stands in the extension Confidence95, which
HL7's Personal Health Device guide (2.0.0, for R4) publishes for Observations and their components, and once more in
words in the note for readers that skip extensions.
"""

from collections.abc import Mapping
from typing import Any

from leukoscope.exporting.codes import CELLS, LOINC, UCUM, UNIT_WORDS, loinc_of
from leukoscope.exporting.quantities import CORRECTED, Quantity
from leukoscope.exporting.report_words import in_words, quantity_words
from leukoscope.specimen.sample import SampleReport

CONFIDENCE_95 = "http://hl7.org/fhir/uv/phd/StructureDefinition/Confidence95"
"""An extension whose value is a Range: the 95 % interval of the value it stands beside."""
OWN_CODES = "urn:leukoscope:quantity"
LABORATORY = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]
}
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def observation(
    one: Quantity, report: SampleReport, shared: Mapping[str, Any], corrected: Quantity | None
) -> dict[str, Any]:
    """The fields of a quantity's Observation.

    Args:
        one: the quantity.
        report: what it belongs to.
        shared: fields that all Observations of a report have in common.
        corrected: the same share corrected for naming errors; None where there is none.
    """
    value_parts: dict[str, Any] = {
        **shared,
        "category": [LABORATORY],
        "code": {"coding": _codings(one, report.rules.mode), "text": quantity_words(one, report.rules.mode)},
        **_value(one),
    }
    if one.name == "group_share_corrected":
        value_parts["method"] = {"text": CORRECTED}
    parts = [*_parts(one), *_corrected_parts(one, report, corrected)]
    if parts:
        value_parts["component"] = parts
    if one.low is not None and one.value is not None:
        value_parts["note"] = [{"text": f"{in_words(one)}, {one.interval}"}]
    return value_parts


def _codings(one: Quantity, mode: str) -> list[dict[str, str]]:
    # A laboratory's code promises what was counted; a corrected group was not, and has our code alone.
    loinc = loinc_of(one.of, one.unit, mode) if one.name in {"share", "per_100"} else None
    own = {"system": OWN_CODES, "code": one.key}
    return [own] if loinc is None else [{"system": LOINC, "code": loinc}, own]


def _value(one: Quantity) -> dict[str, Any]:
    if one.value is None:
        return _absent("unknown", one.absent)
    value_parts: dict[str, Any] = {"valueQuantity": _quantity(one.value, one.unit)}
    if one.low is not None and one.high is not None:
        ends = {"low": _quantity(one.low, one.unit), "high": _quantity(one.high, one.unit)}
        value_parts["extension"] = [{"url": CONFIDENCE_95, "valueRange": ends}]
    return value_parts


def _absent(code: str, why: str) -> dict[str, Any]:
    return {"dataAbsentReason": {"coding": [{"system": _ABSENT, "code": code}], "text": why}}


def _parts(one: Quantity) -> list[dict[str, Any]]:
    """What the value rests on: how many, of how many."""
    rests_on = (("count", one.count, "cells counted"), ("n", one.n, "of how many"))
    if one.name in {"counted", "refused"} or one.n is None:
        return []
    value_parts = [_part(code, words, number) for code, number, words in rests_on if number is not None]
    if one.validated_cells is not None:
        value_parts.append(_part("validated_cells", "cells whose naming was checked", one.validated_cells))
    return value_parts


def _corrected_parts(one: Quantity, report: SampleReport, best: Quantity | None) -> list[dict[str, Any]]:
    if one.name != "share":
        return []
    code = {"coding": [{"system": OWN_CODES, "code": "share_corrected"}], "text": "share corrected for naming errors"}
    if best is None:
        return [{"code": code, **_absent("not-performed", report.not_corrected_because or "not corrected")}]
    value_parts = [{"code": code, **_value(best)}]
    if best.validated_cells is not None:
        value_parts.append(_part("validated_cells", "cells whose naming was checked", best.validated_cells))
    return value_parts


def _part(code: str, words: str, number: int) -> dict[str, Any]:
    coded = {"coding": [{"system": OWN_CODES, "code": code}], "text": words}
    return {"code": coded, "valueQuantity": _quantity(number, CELLS)}


def _quantity(number: float, unit: str) -> dict[str, Any]:
    return {"value": number, "unit": UNIT_WORDS[unit], "system": UCUM, "code": unit}
