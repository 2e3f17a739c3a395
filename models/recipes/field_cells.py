"""Cuts the white cells that nobody named out of other laboratories' fields, for `self_named`.

models/recipes/field_cells.py --out .train/field-cells.npz
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from cells import picture_around
from device_segmenter import CellKind, Frame, Micrograph, Segmenter, open_segmenter
from scenes import Picture, read_rgb
from tables import fields, masks

COLLECTIONS = ("aslan", "thesis", "txl", "sigtuple")
"""Laboratories whose white cells have no names."""


def main() -> None:
    """Reads the command line and writes `pictures` (cells, 160, 160, 3) and `collections`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = open_segmenter()
    pictures, collections = [], []
    for collection in COLLECTIONS:
        for path, um_per_px in _scenes(collection):
            for picture in white_cells(segmenter, read_rgb(str(path)), um_per_px):
                pictures.append(picture)
                collections.append(collection)
    print(dict(Counter(collections)))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, pictures=np.stack(pictures), collections=np.array(collections))


def _scenes(collection: str) -> Iterator[tuple[Path, float]]:
    if collection == "sigtuple":
        yield from ((one.path, one.um_per_px) for one in masks("train") if one.collection == collection)
    else:
        yield from ((one.path, one.um_per_px) for one in fields(collection, "train"))


def white_cells(segmenter: Segmenter, picture: Picture, um_per_px: float) -> Iterator[Picture]:
    """The cached picture (160, 160, 3) of each whole white cell of a field."""
    frame = Frame(pixels=picture, number=1, captured_at=datetime.now(UTC), source="field")
    for cell in segmenter.find_cells(Micrograph(picture, um_per_px, frame, "none")):
        if cell.kind is CellKind.WBC and not cell.touches_border:
            row, col = cell.box.centre
            yield picture_around(picture, col, row, um_per_px)


if __name__ == "__main__":
    main()
