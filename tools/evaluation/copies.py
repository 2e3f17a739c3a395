"""How many white cells of a validation split are in the training split too, turned, mirrored or recoloured.

A copy makes the split flatter: the networks have learnt that very cell. Two pictures are compared in polar coordinates
around the cell, where turning is a shift, ring by ring without the ring's mean: what is left is where the lobes of the
nucleus and the neighbours lie, which no second cell repeats, and hardly what colour anything has.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from evaluation.cell_pictures import centred_at
from evaluation.tables import LabelledField, read_cell, read_crops, read_fields
from leukoscope.cameras.pictures import read_picture
from leukoscope.specimen.frame import Pixels

CROP_SETS = ("pbc", "deepapl", "raabin", "pathbites", "krd_wbc", "seg_wbc")
FIELD_SETS = ("deepbionet", "txl")
RADIUS_UM = 10.0
"""Of the disc around a cell that is compared: its neighbours too, and no more than the smallest pictures show."""
BLUR_UM = 0.3
RINGS, ANGLES = 20, 64
COPY = 0.88
"""Least correlation of a copy: of 300 cells of pbc one is as like its best match among the 8,553 of deepapl."""
CONTROLS = 300
BLOCK = 50
"""Cells that are compared at once, so that 12,000 others fit in memory."""

Spectrum = NDArray[np.complex64]


def copies_table(data: Path, limit: int) -> Table:
    """One row per set.

    Args:
        data: the data folder.
        limit: at most about so many validation cells per set; 0 takes all.

    The last column is what chance finds, or what is found wrongly: 300 cells of pbc looked for in another set. Only txl
    has tiles of pbc.
    """
    table = Table(title="White cells of the validation split that are in the training split too")
    for column in ("set", "validation", "training", "in both", "share", "pbc's cells in it"):
        table.add_column(column, justify="left" if column == "set" else "right")
    control = _spread(spectra(_cells(data, "pbc", "val")), CONTROLS)
    for name in (*CROP_SETS, *FIELD_SETS):
        judged = _spread(spectra(_cells(data, name, "val")), limit)
        learnt = spectra(_cells(data, name, "train"))
        copied = int((likeness(judged, learnt) >= COPY).sum())
        unknown = "" if name == "pbc" else str(int((likeness(control, learnt) >= COPY).sum()))
        table.add_row(name, str(len(judged)), str(len(learnt)), str(copied), f"{copied / len(judged):.1%}", unknown)
    return table


def spectra(cells: Iterable[tuple[Pixels, float]]) -> Spectrum:
    """Of pictures (rows, cols, 3) and their µm per pixel, a cell in the middle: (cells, rings x 3, frequencies)."""
    return np.stack([np.fft.rfft(_rings(*cell)).astype(np.complex64) for cell in cells])


def _spread(cells: Spectrum, most: int) -> Spectrum:
    return cells[:: max(1, len(cells) // most)] if most else cells


def likeness(cells: Spectrum, others: Spectrum) -> NDArray[np.float32]:
    """Per cell, the correlation with the other that is most like it when turned and mirrored as it suits; -1 to 1."""
    found = [
        np.maximum(_best(cells[start : start + BLOCK], others.conj()), _best(cells[start : start + BLOCK], others))
        for start in track(range(0, len(cells), BLOCK), transient=True, console=Console(stderr=True))
    ]
    return np.concatenate(found)


def _best(cells: Spectrum, others: Spectrum) -> NDArray[np.float32]:
    # One product of matrices per frequency: row by row the spectrum of the correlation over all turns.
    product = np.stack([cells[:, :, k] @ others[:, :, k].T for k in range(cells.shape[2])], axis=2)
    best: NDArray[np.float32] = np.fft.irfft(product, ANGLES).max(axis=(1, 2)).astype(np.float32)
    return best


def _rings(picture: Pixels, um_per_px: float) -> NDArray[np.float32]:
    """Rings by angles, each ring less its mean and weighed by its area; the whole is of length 1."""
    rows, cols = picture.shape[:2]
    soft = cv2.GaussianBlur(picture, (0, 0), BLUR_UM / um_per_px)
    centre = ((cols - 1) / 2, (rows - 1) / 2)
    polar = cv2.warpPolar(soft, (RINGS, ANGLES), centre, RADIUS_UM / um_per_px, cv2.INTER_LINEAR).astype(np.float32)
    polar -= polar.mean(axis=0, keepdims=True)
    polar *= np.sqrt(np.arange(RINGS, dtype=np.float32) + 0.5)[None, :, None]
    length = float(np.linalg.norm(polar))
    return np.asarray(polar.reshape(ANGLES, -1).T / max(length, 1e-6), dtype=np.float32)


def _cells(data: Path, name: str, split: str) -> Iterator[tuple[Pixels, float]]:
    if name in CROP_SETS:
        for crop in read_crops(data, name, split):
            yield read_cell(crop), crop.um_per_px
        return
    for field in read_fields(data, name, split):
        yield from _white_cells(field)


def _white_cells(field: LabelledField) -> Iterator[tuple[Pixels, float]]:
    picture = None
    side = round(2.2 * RADIUS_UM / field.um_per_px)
    for box in field.boxes:
        if box.kind == "wbc":
            picture = read_picture(field.path) if picture is None else picture
            x, y = (box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2
            moved = centred_at(picture, x, y)
            top, left = (max(0, (length - side) // 2) for length in moved.shape[:2])
            yield np.ascontiguousarray(moved[top : top + side, left : left + side]), field.um_per_px
