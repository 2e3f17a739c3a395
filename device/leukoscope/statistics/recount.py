"""A report's numbers made anew after a person has named some of its cells, by the same rules as the first time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leukoscope.inference.bundle import CellClass
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import SampleReport, Verification
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import NOT_VERIFIED, NOTHING_UNDECIDED, Counts, Naming, Summary, Undecided

if TYPE_CHECKING:
    from leukoscope.statistics.misclassification import Correction


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a report's numbers rest on beside its cells; kept with it, for bundles and rules change over the years."""

    naming: Naming
    interval_width: float
    """What "count more" aims at, as a share."""
    rules: Rules

    def to_json(self) -> bytes:
        """As UTF-8 JSON; the same grounds give the same bytes."""
        content = {
            "classes": [one.model_dump() for one in self.naming.classes],
            "groups": {name: list(members) for name, members in self.naming.groups.items()},
            "not_verified": self.naming.not_verified,
            "verified": None if self.naming.correction is None else _verified(self.naming),
            "false_suspects": _false_shares(self.naming.false_suspects),
            "false_names": _false_shares(self.naming.false_names),
            "interval_width": self.interval_width,
            "rules": self.rules.model_dump(mode="json"),
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Grounds:
        """What `to_json` wrote."""
        read = json.loads(content)
        # Versions up to 0.1.0 corrected by other laboratories alone; their reports are counted anew without that.
        verified = read.get("verified")
        return cls(
            naming=Naming(
                classes=tuple(CellClass.model_validate(one) for one in read["classes"]),
                groups={name: tuple(members) for name, members in read["groups"].items()},
                correction=None if verified is None else _read_correction(verified),
                not_verified=read.get("not_verified", NOT_VERIFIED),
                verification=None if verified is None else _read_verification(verified["verification"]),
                false_suspects=_read_false_shares(read.get("false_suspects", {})),
                false_names=_read_false_shares(read.get("false_names", {})),
            ),
            interval_width=read["interval_width"],
            rules=Rules.model_validate(read["rules"]),
        )


def _false_shares(shares: Mapping[str, FalseShare]) -> dict[str, Any]:
    return {key: one.share if one.cells is None else [one.share, one.cells] for key, one in shares.items()}


def _read_false_shares(shares: Mapping[str, Any]) -> dict[str, FalseShare]:
    return {key: FalseShare(*one) if isinstance(one, list) else FalseShare(one) for key, one in shares.items()}


def recount(
    report: SampleReport,
    grounds: Grounds,
    answers: Mapping[str, int],
    checked: Mapping[str, int],
    undecided: Undecided = NOTHING_UNDECIDED,
) -> SampleReport:
    """The report with other names of its white cells: counts, intervals, correction and findings follow.

    What does not depend on names stays: red cells, platelets, fields. White cells per 1000 red ones lose a cell that a
    person calls an artefact, as the tally leaves out one that the classifier calls so.

    Args:
        report: as it was.
        grounds: what it rests on.
        answers: white cells by the classifier's answer, as far as no person has checked them.
        checked: white cells by the name that a person gave or confirmed.
        undecided: what else is known of the cells.
    """
    counts = Counts(answers, checked, report.red_cells, report.platelets, report.patches, undecided)
    summary = Summary(counts, grounds.naming, grounds.interval_width, grounds.rules)
    corrected, not_corrected_because, findings = summary.judge(report.provenance)
    more_white = summary.white_cells + summary.unsure - report.white_cells - report.beside.get(UNSURE, 0)
    return replace(
        report,
        white_cells=summary.white_cells,
        differential=summary.differential(),
        differential_corrected=corrected,
        not_corrected_because=not_corrected_because,
        beside=summary.beside,
        wbc_per_1000_rbc=_moved(report.wbc_per_1000_rbc, more_white, report.red_cells.count),
        findings=findings,
    )


def _moved(per_1000: float | None, more_white: int, red_cells: int) -> float | None:
    return None if per_1000 is None or not red_cells else max(0.0, per_1000 + 1000 * more_white / red_cells)


def _verified(naming: Naming) -> dict[str, Any]:
    correction, verification = naming.correction, naming.verification
    return {
        "others": None if correction is None else correction.others.to_json(),
        "bench": None if correction is None else correction.bench.to_json(),
        "verification": None
        if verification is None
        else {
            "cells": verification.cells,
            "specimens": verification.specimens,
            "at": verification.at.isoformat(),
            "by": list(verification.by),
        },
    }


def _read_correction(read: Mapping[str, Any]) -> Correction:
    # Loads numpy, a seventh of the memory of the review page, which does without where no bench is verified.
    from leukoscope.statistics.laboratories import NamingRecord
    from leukoscope.statistics.misclassification import Correction

    return Correction(NamingRecord.from_json(read["others"]), NamingRecord.from_json(read["bench"]))


def _read_verification(read: Mapping[str, Any] | None) -> Verification | None:
    if read is None:
        return None
    return Verification(read["cells"], read["specimens"], datetime.fromisoformat(read["at"]), tuple(read["by"]))
