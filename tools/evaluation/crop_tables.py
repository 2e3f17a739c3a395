"""The tables of named cells: accuracy, F1 by class, blasts, and how reliable the stated probabilities are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.naming import (
    DEEPAPL_7,
    ERYTHROID_4,
    PBC_8,
    RAABIN_5,
    STAGES_5,
    STAGES_10,
    Groups,
    answer_in,
    area_under_roc,
    expected_calibration_error,
    group_of,
    score,
    sensitivity_at,
)
from evaluation.tables import LabelledCrop, read_cell, read_crops, spread
from leukoscope.analysis.classifier import Classifier
from leukoscope.specimen.cell import UNSURE

NOT_WHITE = {"erythroblast", "smudge", "giant_thrombocyte", "thrombocyte_aggregation", "platelet"}
SPECIFICITY = 0.93
"""Blasts are judged at this specificity."""


@dataclass(frozen=True, slots=True)
class Named:
    """One labelled crop and what the classifier says about it."""

    crop: LabelledCrop
    best: str
    probabilities: dict[str, float]
    unsure: bool


MARROW_CLASS = "pronormoblast"
"""Only classifiers of marrow know it."""
MIXED_UP_PATIENT = "Patient_14"
"""Holds 144 of the 163 promyelocytes and 139 of the 252 smudges of deepapl's validation split, and they look alike."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of a classifier."""

    sources: tuple[str, ...]
    what: str
    groups: Groups
    left_out: str | None = None
    """A patient to leave out."""
    added_up: bool = False
    """Whether it counts in the row of all collections together: one task per collection does."""
    marrow: bool = False
    """Whether only a classifier of marrow can be asked."""


TASKS = (
    Task(("pbc",), "pbc, 8 classes (no patient ids: a random split)", PBC_8, added_up=True),
    Task(("pbc",), "pbc, 5 myeloid stages", STAGES_5),
    Task(("deepapl",), "deepapl, 7 classes, by patient", DEEPAPL_7, added_up=True),
    Task(("deepapl",), f"deepapl without {MIXED_UP_PATIENT}", DEEPAPL_7, left_out=MIXED_UP_PATIENT),
    Task(("raabin",), "raabin, 5 classes, by slide", RAABIN_5, added_up=True),
    Task(("krd_wbc",), "krd_wbc, 5 classes", RAABIN_5),
    Task(("seg_wbc",), "seg_wbc, 5 classes", RAABIN_5),
    Task(("deepbionet",), "deepbionet, 5 classes, named by eye", RAABIN_5),
    Task(("bccd",), "bccd, 5 classes, named by eye", RAABIN_5),
    Task(("pathbites",), "pathbites (marrow), 4 erythroid stages", ERYTHROID_4, marrow=True),
    Task(("pathbites", "pbc", "deepapl"), "10 stages of maturation, all collections", STAGES_10, marrow=True),
)


def crop_tables(classifier: Classifier, name_of_it: str, data: Path, limit: int, split: str = "val") -> list[Table]:
    """Everything about named cells; arguments as in `field_table`, and the split: "val", or "train" to compare."""
    tasks = [task for task in TASKS if not task.marrow or MARROW_CLASS in {one.key for one in classifier.classes}]
    sources = dict.fromkeys(source for task in tasks for source in task.sources)
    named = {source: _name_all(classifier, data, source, split, limit) for source in sources}
    summary = _table(
        f"White cells, {split}: {name_of_it} beside the most frequent class",
        ("set", "classes", "cells", "accuracy", "macro-F1", "guess accuracy", "within one stage"),
    )
    every: list[tuple[bool, float, bool, bool]] = []
    per_class = _table("F1 by class", ("set", "F1"))
    reliability = _table(
        "Reliability of the stated probabilities",
        ("set", "cells", "calibration error", "unsure", "errors", "errors that are unsure"),
    )
    for task in tasks:
        what, groups = task.what, task.groups
        cells = [
            (one, truth)
            for source in task.sources
            for one in named[source]
            if one.crop.group != task.left_out and (truth := group_of(one.crop.label, groups)) is not None
        ]
        truths = [truth for _, truth in cells]
        answers, confidences = zip(*(answer_in(one.best, one.probabilities, groups) for one, _ in cells), strict=True)
        result = score(truths, answers, groups)
        figures = (result.accuracy, result.macro_f1, result.majority_accuracy)
        within_one = f"{result.within_one:.4f}" if groups is STAGES_5 else ""
        summary.add_row(what, str(len(groups)), str(result.cells), *(f"{value:.4f}" for value in figures), within_one)
        per_class.add_row(what, ", ".join(f"{key} {value:.3f}" for key, value in result.f1.items()))
        right = np.asarray(truths) == np.asarray(answers)
        reliability.add_row(
            *_reliability_row(what, right, np.asarray(confidences), np.array([one.unsure for one, _ in cells]))
        )
        if task.added_up:
            marks = ((one.unsure, one.crop.group != MIXED_UP_PATIENT) for one, _ in cells)
            every.extend((good, sure, *mark) for good, sure, mark in zip(right, confidences, marks, strict=True))
    rights, sureties, unsures, others = (np.array(column) for column in zip(*every, strict=True))
    reliability.add_row(*_reliability_row("the three collections together", rights, sureties, unsures))
    reliability.add_row(
        *_reliability_row(
            f"the three collections without {MIXED_UP_PATIENT}", rights[others], sureties[others], unsures[others]
        )
    )
    return [summary, per_class, reliability, _blast_table(named["deepapl"])]


def _reliability_row(
    what: str, right: NDArray[np.bool_], confidences: NDArray[np.float64], unsure: NDArray[np.bool_]
) -> tuple[str, ...]:
    """One row: expected calibration error, and how many of the errors were called unsure."""
    errors = int((~right).sum())
    return (
        what,
        str(len(right)),
        f"{expected_calibration_error(confidences.tolist(), right.tolist()):.3f}",
        f"{unsure.mean():.1%}",
        str(errors),
        f"{(unsure & ~right).sum() / max(1, errors):.1%}",
    )


def _blast_table(named: Sequence[Named]) -> Table:
    white = [one for one in named if one.crop.label not in NOT_WHITE]
    truth = np.array([one.crop.label == "blast" for one in white])
    share = np.array([one.probabilities.get("blast", 0.0) for one in white])
    table = _table(
        "Blasts against all other white cells, deepapl, by patient (a coin: area 0.5)",
        ("blasts", "others", "area under ROC", f"sensitivity at specificity {SPECIFICITY}"),
    )
    table.add_row(
        str(int(truth.sum())),
        str(int((~truth).sum())),
        f"{area_under_roc(share, truth):.4f}",
        f"{sensitivity_at(SPECIFICITY, share, truth):.3f}",
    )
    return table


def _name_all(classifier: Classifier, data: Path, source: str, split: str, limit: int) -> list[Named]:
    named = []
    crops: Sequence[LabelledCrop] = spread(read_crops(data, source, split), limit)
    for crop in track(crops, description=source, transient=True, console=Console(stderr=True)):
        probabilities = classifier.name_crop(read_cell(crop), crop.um_per_px)
        best, _ = classifier.best(probabilities)
        named.append(Named(crop, best, probabilities, classifier.decide(probabilities)[0] == UNSURE))
    return named


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="left" if column in ("set", "F1") else "right")
    return table
