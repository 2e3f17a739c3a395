"""The shares of white cells, as counted and as corrected, as a report's message says them."""

from collections.abc import Mapping
from typing import Any

from leukoscope.messages.json_format import utc_text, utc_time
from leukoscope.specimen.sample import ClassCount, CorrectedDifferential, CorrectedShare, Verification


def class_count_part(line: ClassCount) -> dict[str, Any]:
    """A line of the part `differential`."""
    return {
        "class": line.cell_class,
        "count": line.count,
        "share": line.share,
        "low": line.low,
        "high": line.high,
        "count_more": line.count_more,
    }


def read_class_count(line: Mapping[str, Any]) -> ClassCount:
    """The class that a line of the part `differential` counts."""
    return ClassCount(
        cell_class=line["class"],
        count=int(line["count"]),
        share=float(line["share"]),
        low=float(line["low"]),
        high=float(line["high"]),
        count_more=int(line["count_more"]),
    )


def corrected_part(corrected: CorrectedDifferential | None) -> dict[str, Any] | None:
    """The part `differential_corrected`; None where nothing was corrected."""
    if corrected is None:
        return None
    return {
        "method": corrected.method,
        "between_laboratories": corrected.between_laboratories,
        "classes": [_corrected_share(line) for line in corrected.classes],
        "groups": [_corrected_share(line) for line in corrected.groups],
        **({} if corrected.verification is None else {"verification": _verification(corrected.verification)}),
    }


def _verification(verification: Verification) -> dict[str, Any]:
    return {
        "cells": verification.cells,
        "specimens": verification.specimens,
        "at": utc_text(verification.at),
        "by": list(verification.by),
    }


def _read_verification(wire: Mapping[str, Any] | None) -> Verification | None:
    if wire is None:
        return None
    return Verification(int(wire["cells"]), int(wire["specimens"]), utc_time(wire["at"]), tuple(wire["by"]))


def _corrected_share(line: CorrectedShare) -> dict[str, Any]:
    return {
        "name": line.name,
        "share": line.share,
        "low": line.low,
        "high": line.high,
        "validated_cells": line.validated_cells,
    }


def read_corrected(wire: Mapping[str, Any] | None) -> CorrectedDifferential | None:
    """What a part `differential_corrected` holds; None where nothing was corrected."""
    if wire is None:
        return None
    return CorrectedDifferential(
        method=wire["method"],
        between_laboratories=float(wire["between_laboratories"]),
        classes=tuple(_read_corrected_share(line) for line in wire["classes"]),
        groups=tuple(_read_corrected_share(line) for line in wire["groups"]),
        verification=_read_verification(wire.get("verification")),
    )


def _read_corrected_share(line: Mapping[str, Any]) -> CorrectedShare:
    return CorrectedShare(
        name=line["name"],
        share=float(line["share"]),
        low=float(line["low"]),
        high=float(line["high"]),
        validated_cells=int(line["validated_cells"]),
    )
