"""Cells that people named: what a classifier is fitted to a laboratory by, at once or through a folder."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leukoscope.analysis.classifier import window_around
from leukoscope.counting.picture_window import middle_of
from leukoscope.outbox.cell_pictures import KeptPicture
from leukoscope.specimen.cell import UNSURE

UM_PER_PX = 0.15
"""Of every picture that is written: those that are kept differ, and a folder is read at one scale."""
SIDE_PX = 128
"""19.2 µm, as much as a classifier looks at."""


def write_named(pictures: Iterable[KeptPicture], um_per_px: float, folder: Path, specimen: str) -> int:
    """Write each cell that a person named or confirmed to FOLDER/CLASS/SPECIMEN/, in the middle of its picture.

    What was written of the specimen before is replaced: a cell that has another name by now must not teach both.

    Args:
        pictures: of a report's cells; those that no person looked at, or that a person was unsure of, are left out.
        um_per_px: scale of the fields they are from.
        folder: made when missing.
        specimen: what they are of.

    Returns:
        How many were written.

    Raises:
        OSError: the folder cannot be written to.
    """
    for earlier in folder.glob(f"*/{specimen}/cell-*.png"):
        earlier.unlink()
    written = 0
    for one in pictures:
        if not one.by_person or one.name == UNSURE:
            continue
        path = folder / one.name / specimen / f"cell-{one.number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(in_the_middle(one, um_per_px)).save(path)
        written += 1
    return written


def in_the_middle(kept: KeptPicture, um_per_px: float) -> NDArray[np.uint8]:
    """A kept cell in the middle of RGB (128, 128, 3) at `UM_PER_PX`, cut as a classifier cuts it.

    Args:
        kept: the picture.
        um_per_px: scale of the field it is from.
    """
    with Image.open(io.BytesIO(kept.webp)) as stored:
        pixels = np.asarray(stored.convert("RGB"))
    middle = middle_of(kept.box, um_per_px, kept.um_per_px)
    return window_around(pixels, middle, UM_PER_PX / kept.um_per_px, (SIDE_PX, SIDE_PX))
