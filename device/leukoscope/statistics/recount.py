"""A report's numbers made anew after a person has named some of its cells, by the same rules as the first time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leukoscope.inference.bundle import CellClass
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import SampleReport
from leukoscope.statistics.confusion import ConfusionRows
from leukoscope.statistics.misclassification import Correction
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Counts, Naming, Summary


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
            "confusion": None if self.naming.correction is None else _confusion(self.naming.correction.rows),
            "interval_width": self.interval_width,
            "rules": self.rules.model_dump(mode="json"),
        }
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Grounds":
        """What `to_json` wrote."""
        read = json.loads(content)
        rows = read["confusion"]
        return cls(
            naming=Naming(
                classes=tuple(CellClass.model_validate(one) for one in read["classes"]),
                groups={name: tuple(members) for name, members in read["groups"].items()},
                correction=None if rows is None else Correction(_read_confusion(rows)),
            ),
            interval_width=read["interval_width"],
            rules=Rules.model_validate(read["rules"]),
        )


def recount(
    report: SampleReport, grounds: Grounds, answers: Mapping[str, int], checked: Mapping[str, int]
) -> SampleReport:
    """The report with other names of its white cells: counts, intervals, correction and findings follow.

    What does not depend on names stays: red cells, platelets, fields. White cells per 1000 red ones lose a cell that a
    person calls an artefact, as the tally leaves out one that the classifier calls so.

    Args:
        report: as it was.
        grounds: what it rests on.
        answers: white cells by the classifier's answer, as far as nobody has checked them.
        checked: white cells by the name that a person gave or confirmed.
    """
    counts = Counts(answers, checked, report.red_cells, report.platelets, report.patches)
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


def _confusion(rows: ConfusionRows) -> dict[str, Any]:
    return {
        "classes": rows.classes,
        "named": rows.named,
        "worth": rows.worth.tolist(),
        "inside": rows.inside.tolist(),
        "group": rows.group.tolist(),
        "cells": rows.cells,
        "between": rows.between,
        "unused": rows.unused,
    }


def _read_confusion(read: Mapping[str, Any]) -> ConfusionRows:
    return ConfusionRows(
        classes=tuple(read["classes"]),
        named=tuple(read["named"]),
        worth=np.array(read["worth"], dtype=np.float64),
        inside=np.array(read["inside"], dtype=np.float64),
        group=np.array(read["group"], dtype=np.intp),
        cells=tuple(read["cells"]),
        between=float(read["between"]),
        unused=tuple(read["unused"]),
    )
