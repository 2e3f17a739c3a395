"""Cuts the white cells out of a laboratory's field pictures, for `adapt.py`; nobody has to name them.

    models/recipes/unnamed_cells.py FOLDER --um-per-px 0.1 --out cells.npz

Runs in the device's environment: the device's segmenter finds them, and they are cut as the device cuts them.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from describe_folder import FolderError, checked_scale
from leukoscope.analysis.classification import Classifier
from leukoscope.analysis.segmentation import Segmenter
from leukoscope.assets import find_asset
from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Frame
from tables import PICTURES

FEWEST = 128
"""White cells; with as many four of the five laboratories that were left out gained (CARD.md of the classifier)."""
ENOUGH = 1000


def main() -> None:
    """Find them and write them down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--um-per-px", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        windows = white_cells(options.folder, options.um_per_px)
    except (FolderError, LeukoscopeError) as error:
        sys.exit(f"leukoscope: {error}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(options.out, windows=windows)
    print(f"{len(windows)} white cells in {options.out}")


def white_cells(folder: Path, um_per_px: float) -> NDArray[np.uint8]:
    """The classifier's windows on up to `ENOUGH` white cells of a folder's pictures, shape (n, 128, 128, 3).

    Raises:
        FolderError: the scale is none, or there are fewer than `FEWEST`.
        CameraError: a picture cannot be read.
    """
    checked_scale(um_per_px)
    paths = sorted(
        Path(place, file)
        for place, _, files in os.walk(folder, followlinks=True)
        for file in files
        if Path(file).suffix.lower() in PICTURES
    )
    finding, naming = (Bundle.read(find_asset("models", name)) for name in ("segmenter", "classifier"))
    finder = Segmenter(finding, OnnxSettings().open(finding))
    namer = Classifier(naming, OnnxSettings().open(naming))
    windows: list[NDArray[np.uint8]] = []
    for path in track(paths, description="white cells", transient=True, console=Console(stderr=True)):
        windows += _of_picture(path, um_per_px, finder, namer)
        if len(windows) >= ENOUGH:
            break
    if len(windows) < FEWEST:
        raise FolderError(
            f"expected field pictures with {FEWEST} white cells or more in {folder}, found {len(windows)} in "
            f"{len(paths)} pictures: add more, or check --um-per-px"
        )
    return np.stack(windows[:ENOUGH])


def _of_picture(path: Path, um_per_px: float, finder: Segmenter, namer: Classifier) -> Iterator[NDArray[np.uint8]]:
    micrograph = Calibration.of_scale(um_per_px).correct(Frame(read_picture(path), 1, datetime.now(UTC), "file"))
    for cell in finder.find_cells(micrograph):
        if cell.kind is CellKind.WBC and not cell.touches_border:
            yield namer.cut_out(micrograph.pixels, cell.box.centre, um_per_px)


if __name__ == "__main__":
    main()
