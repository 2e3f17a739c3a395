"""Reads what a network that left laboratories out says of each cell, as judge_blasts.py --keep writes it."""

from pathlib import Path

import numpy as np
import typer

from leukoscope.analysis.classifier import Classifier
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from named_cells.cache import NamedCells


def cells_left_out(path: Path, name: str, bundle: Bundle) -> dict[str, NamedCells]:
    """The cells of each laboratory, by laboratory; `name` is added to its own: other networks name the same.

    Args:
        path: the file.
        name: of the network.
        bundle: whose classes, limits and prices decide.

    Raises:
        BadParameter: the file is not there, or is of a network with other classes.
    """
    if not path.is_file():
        raise typer.BadParameter(f"expected what judge_blasts.py --keep wrote, found no file {path}")
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    keys = [one.key for one in classifier.classes]
    with np.load(path) as stored:
        classes = stored["classes"].tolist() if "classes" in stored else []
        if classes != keys:
            raise typer.BadParameter(f"{path}: expected probabilities of {keys}, found of {classes}")
        collections, labels, groups = (stored[part] for part in ("collections", "labels", "groups"))
        rows = np.asarray(stored["probabilities"], dtype=np.float64)
    answers = np.array([classifier.decide(dict(zip(keys, row, strict=True))).cell_class for row in rows.tolist()])
    return {
        laboratory: NamedCells(
            f"{laboratory}, {name}",
            tuple(labels[own].tolist()),
            tuple(groups[own].tolist()),
            rows[own],
            tuple(answers[own].tolist()),
        )
        for laboratory in np.unique(collections).tolist()
        for own in [collections == laboratory]
    }
