"""Judges how well blasts are distinguished from other white cells, on val and on what a training left out.

judge_blasts.py --run .train/without-taleqani/run .train/classifier/run
judge_blasts.py --run .train/without-taleqani/run --keep without-taleqani.npz
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cells import Cell, artefact_cells, labelled_cells
from cut_outs import Outlines
from device_classifier import Decision, DeviceClassifier
from judge_classifier import softmax
from judge_left_out import trained
from remember import ARTEFACTS, SEED
from slides import by_reference, on_slides
from tables import crops
from train_classifier import logits_of
from vocabulary import Vocabulary

BLAST = "blast"
SOURCES = ("taleqani", "cnmc", "deepapl")
NORMAL_DONORS = ("pbc", "raabin", "krd_wbc", "seg_wbc", "deepbionet", "bccd")
"""Laboratories without leukaemia; pathbites is marrow."""
NO_WHITE_CELLS = ("platelet", "giant_thrombocyte", "thrombocyte_aggregation", "erythroblast", "smudge", "artefact")
SILENT = ("lymphocyte", "monocyte")
"""What a blast must not be called lightly."""
NORMAL_SUSPECTED = 0.04
"""Share of normal donors' white cells that the limit of suspicion may pass."""
NORMAL_NAMED = 0.02
"""Share of normal lymphocytes and monocytes that may be named blast."""


@dataclass(frozen=True, slots=True)
class BlastFigures:
    """One source of blasts against the white cells of other laboratories."""

    blasts: int
    others: int
    area: float
    """Under the ROC curve, by the probability of blast."""
    named: float
    """Share of the blasts whose likeliest class is blast."""
    normal_named: float
    """Share of normal lymphocytes and monocytes of other laboratories so named."""
    found: float
    """Share of the blasts above the limit that NORMAL_SUSPECTED of the normal donors' cells pass."""
    limit: float
    at_price: float
    """Share of the blasts above the limit that NORMAL_NAMED of the normal lymphocytes and monocytes pass."""


def area_under_curve(blasts: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """The chance that a blast has a higher score than another cell (Mann and Whitney 1947)."""
    both = np.concatenate([blasts, others])
    ranks = np.empty(len(both))
    ranks[both.argsort(kind="stable")] = np.arange(1, len(both) + 1)
    for value in np.unique(both[np.isin(both, blasts)]):
        alike = both == value
        ranks[alike] = ranks[alike].mean()
    return float((ranks[: len(blasts)].sum() - len(blasts) * (len(blasts) + 1) / 2) / (len(blasts) * len(others)))


def figures_of(
    source: str, cells: Sequence[Cell], share: NDArray[np.float64], vocabulary: Vocabulary, beside: Sequence[str]
) -> BlastFigures:
    """Of one source's blasts; `share` is (cells, classes), `beside` what is added to blast for suspicion."""
    blast = vocabulary.classes.index(BLAST)
    suspicion = share[:, [blast, *(vocabulary.classes.index(one) for one in beside)]].sum(axis=1)
    best = share.argmax(axis=1)
    theirs = np.array([cell.collection == source and cell.label == BLAST for cell in cells])
    white = np.array([cell.label not in NO_WHITE_CELLS and cell.label != BLAST for cell in cells])
    elsewhere = white & np.array([cell.collection not in (source, "munich", "cnmc", "taleqani") for cell in cells])
    normal = white & np.array([cell.collection in NORMAL_DONORS for cell in cells])
    quiet = normal & np.array([cell.label in SILENT for cell in cells])
    limit = float(np.quantile(suspicion[normal], 1 - NORMAL_SUSPECTED))
    return BlastFigures(
        int(theirs.sum()),
        int(elsewhere.sum()),
        area_under_curve(share[theirs, blast], share[elsewhere, blast]),
        float(np.mean(best[theirs] == blast)),
        float(np.mean(best[quiet] == blast)),
        float(np.mean(suspicion[theirs] > limit)),
        limit,
        float(np.mean(share[theirs, blast] > np.quantile(share[quiet, blast], 1 - NORMAL_NAMED))),
    )


def decided(source: str, cells: Sequence[Cell], decisions: Sequence[Decision]) -> str:
    """What the shipped limits and prices make of one source's blasts, and of normal donors' cells."""
    blasts = [
        one for one, cell in zip(decisions, cells, strict=True) if (cell.collection, cell.label) == (source, BLAST)
    ]
    normal = [
        (cell.label, one)
        for one, cell in zip(decisions, cells, strict=True)
        if cell.collection in NORMAL_DONORS and cell.label not in NO_WHITE_CELLS
    ]
    named = np.mean([one.cell_class == BLAST for one in blasts])
    unsure = np.mean([one.cell_class == "unsure" for one in blasts])
    silent = np.mean([one.cell_class not in (BLAST, "unsure") and BLAST not in one.suspect for one in blasts])
    quiet = np.mean([one.cell_class == BLAST for label, one in normal if label in SILENT])
    suspected = np.mean([BLAST in one.suspect for _, one in normal])
    return (
        f"decided: named blast {named:.3f}, unsure {unsure:.3f}, neither these nor suspect {silent:.3f}; normal "
        f"lymphocytes and monocytes named blast {quiet:.4f}, normal cells suspect {suspected:.4f}"
    )


def keep(path: Path, cells: Sequence[Cell], probabilities: Sequence[Mapping[str, float]]) -> None:
    """Writes what a network says of each cell as tools/named_cells/left_out.py reads it."""
    np.savez_compressed(
        path,
        collections=[cell.collection for cell in cells],
        labels=[cell.label for cell in cells],
        groups=[cell.group for cell in cells],
        classes=list(probabilities[0]),
        probabilities=[list(shares.values()) for shares in probabilities],
    )


def main() -> None:
    """Reads the command line and prints two lines per source of blasts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, nargs="+", required=True)
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--beside", nargs="*", default=[], help="classes whose probability counts as suspicion, too")
    parser.add_argument("--bundle", type=Path, default=Path(__file__).resolve().parents[1] / "classifier")
    parser.add_argument(
        "--outlines",
        type=Path,
        help="what outline_crops wrote: each laboratory's cells as its bench's reference shows them",
    )
    parser.add_argument(
        "--keep", type=Path, help="where what the first run says of each cell is kept, for tools/alarm_budget.py"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    vocabulary = Vocabulary.read(options.facts)
    cells = on_slides(labelled_cells(crops("val"), vocabulary), artefact_cells(ARTEFACTS, SEED, vocabulary))
    if options.outlines is not None:
        measured = labelled_cells(crops("train"), vocabulary, Outlines.read(options.outlines))
        cells = by_reference(cells, measured)
    device = DeviceClassifier(options.bundle)
    for run in options.run:
        logits = logits_of(trained(run, vocabulary), cells)
        if options.keep is not None and run == options.run[0]:
            keep(options.keep, cells, [device.probabilities(row) for row in logits])
        share, decisions = softmax(logits), [device.decide(row) for row in logits]
        print(run)
        for source in SOURCES:
            one = figures_of(source, cells, share, vocabulary, options.beside)
            print(
                f"  {source}: AUROC {one.area:.4f} ({one.blasts} blasts, {one.others} other white cells elsewhere), "
                f"named blast {one.named:.3f} (normal lymphocytes and monocytes {one.normal_named:.4f}), "
                f"above {one.limit:.3f} (passed by {NORMAL_SUSPECTED:.0%} of normal donors' cells) {one.found:.3f}; "
                f"above what {NORMAL_NAMED:.0%} of normal lymphocytes and monocytes pass {one.at_price:.3f}"
            )
            print(f"    {decided(source, cells, decisions)}")


if __name__ == "__main__":
    main()
