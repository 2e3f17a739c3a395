"""Draws confusion matrices and reliability diagrams as PNG."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluation.naming import Bin
from leukoscope.inference.validation import ConfusionMatrix

mpl.use("agg")
DOTS_PER_INCH = 100
PNG_METADATA = {"Software": None}
"""The same figures give the same file, whatever version drew them."""


def draw_confusion(matrix: ConfusionMatrix, path: Path) -> None:
    """Counts as numbers, shares of each true label as shade; answers that no cell got are left out."""
    counts = np.array(matrix.counts)
    given: NDArray[np.bool_] = np.asarray(counts.any(axis=0))
    counts = counts[:, given]
    named = [name for name, was in zip(matrix.named, given, strict=True) if was]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(2.6 + 0.5 * len(named), 1.9 + 0.36 * len(matrix.truth)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(named)), named, rotation=60, ha="right")
    axes.set_yticks(range(len(matrix.truth)), matrix.truth)
    axes.set_xlabel("called by the device")
    axes.set_ylabel("label")
    axes.set_title(f"{matrix.collection}, validation, held out by {matrix.held_out_by}", fontsize=10)
    for row, col in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, col] > 0.5 else "black"
        axes.text(col, row, str(counts[row, col]), ha="center", va="center", fontsize=7, color=colour)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata=PNG_METADATA)


def draw_reliability(bins: Sequence[Bin], path: Path) -> None:
    """Share right against stated probability, and how many cells state it."""
    figure = Figure(figsize=(4.6, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    stated = [one.confidence for one in bins]
    upper.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    upper.plot(stated, [one.right for one in bins], marker="o")
    upper.set_ylabel("share right")
    upper.set_ylim(0, 1.02)
    lower.bar(stated, [one.cells for one in bins], width=0.04)
    lower.set_yscale("log")
    lower.set_ylabel("cells")
    lower.set_xlabel("stated probability")
    lower.set_xlim(0, 1.02)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata=PNG_METADATA)
