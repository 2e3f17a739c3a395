"""Outlines the middle cell of every labelled crop with the shipped segmenter, for `cut_outs`.

models/recipes/outline_crops.py --out .train/outlines.npz
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cells import CACHED_PX, cached_picture
from classifier_window import UM_PER_PX
from device_segmenter import CellKind, Frame, Micrograph, Segmenter, open_segmenter
from tables import crops

NEAR_UM = 3.0
"""The outline's middle lies at most this far from the crop's, or the crop counts as not outlined."""


def main() -> None:
    """Reads the command line and writes one packed mask per crop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = open_segmenter()
    keys, masks, diameters = [], [], []
    started = time.monotonic()
    for split in ("train", "val"):
        for number, crop in enumerate(crops(split)):
            found = outline_of_middle(segmenter, cached_picture(crop))
            keys.append(crop.key)
            masks.append(np.packbits(found[0]))
            diameters.append(found[1])
            if number % 5000 == 4999:
                print(f"{split}: {number + 1} crops in {time.monotonic() - started:.0f} s", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        options.out, keys=np.array(keys), masks=np.stack(masks), diameters_um=np.array(diameters, np.float32)
    )


def outline_of_middle(segmenter: Segmenter, picture: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], float]:
    """The mask (160, 160) of the white cell nearest the middle and its diameter in µm; empty and nan without one."""
    frame = Frame(pixels=picture, number=1, captured_at=datetime.now(UTC), source="crop")
    cells = segmenter.find_cells(Micrograph(picture, UM_PER_PX, frame, "none"))
    mask = np.zeros((CACHED_PX, CACHED_PX), dtype=np.bool_)
    middle = CACHED_PX / 2
    white = [cell for cell in cells if cell.kind is CellKind.WBC]
    if not white:
        return mask, float("nan")
    nearest = min(white, key=lambda cell: np.hypot(cell.box.centre[0] - middle, cell.box.centre[1] - middle))
    row, col = nearest.box.centre
    if np.hypot(row - middle, col - middle) * UM_PER_PX > NEAR_UM:
        return mask, float("nan")
    box = nearest.box
    mask[box.row : box.row_end, box.col : box.col_end] = nearest.outline
    return mask, float(nearest.diameter_um)


if __name__ == "__main__":
    main()
