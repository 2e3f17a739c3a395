"""Cuts the white cells without a name out of laboratories' fields, to be named by eye (`white_cells_by_eye.csv`).

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
from tables import data_folder, fields, masks

COLLECTIONS = ("aslan", "thesis", "txl", "sigtuple")
"""Laboratories whose white cells have no names."""


def main() -> None:
    """Reads the command line and writes `pictures` (cells, 160, 160, 3), `images` and `middles` (cells, 2), x and y."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    segmenter = open_segmenter()
    pictures, images, middles, collections = [], [], [], []
    for collection in COLLECTIONS:
        for path, um_per_px in _scenes(collection):
            for picture, middle in white_cells(segmenter, read_rgb(str(path)), um_per_px):
                pictures.append(picture)
                images.append(str(path.relative_to(data_folder())))
                middles.append(middle)
                collections.append(collection)
    print(dict(Counter(collections)))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, pictures=np.stack(pictures), images=np.array(images), middles=np.array(middles))


def _scenes(collection: str) -> Iterator[tuple[Path, float]]:
    if collection == "sigtuple":
        yield from ((one.path, one.um_per_px) for one in masks("train") if one.collection == collection)
    else:
        yield from ((one.path, one.um_per_px) for one in fields(collection, "train"))


def white_cells(
    segmenter: Segmenter, picture: Picture, um_per_px: float
) -> Iterator[tuple[Picture, tuple[float, float]]]:
    """The cached picture (160, 160, 3) of each whole white cell of a field, and its middle, x and y in pixels."""
    frame = Frame(pixels=picture, number=1, captured_at=datetime.now(UTC), source="field")
    for cell in segmenter.find_cells(Micrograph(picture, um_per_px, frame, "none")):
        if cell.kind is CellKind.WBC and not cell.touches_border:
            row, col = cell.box.centre
            yield picture_around(picture, col, row, um_per_px), (col, row)


if __name__ == "__main__":
    main()
