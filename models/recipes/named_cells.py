"""Cuts out cells that a laboratory has named, for `adapt.py`.

    models/recipes/named_cells.py FOLDER --um-per-px 0.15 --out cells.npz

FOLDER/CLASS/PICTURE or FOLDER/CLASS/SPECIMEN/PICTURE, the cell in the middle: what `leukoscope report pictures
--named` writes. Runs in the device's environment, and cuts as the device does.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from describe_folder import FolderError, checked_scale, look_at
from leukoscope.analysis.classification import Classifier
from leukoscope.assets import find_asset
from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from tables import Crop, folder_crops
from vocabulary import Vocabulary

FEWEST = 25
"""Cells; with as many the five laboratories that were left out gained on the average (CARD.md of the classifier)."""


def main() -> None:
    """Check the folder, cut the cells out and write them down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--um-per-px", type=float, required=True)
    parser.add_argument("--facts", type=Path, default=Path(__file__).with_name("classifier.toml"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        crops = named_crops(options.folder, options.um_per_px, Vocabulary.read(options.facts))
        bundle = Bundle.read(find_asset("models", "classifier"))
        namer = Classifier(bundle, OnnxSettings().open(bundle))
        pictures = [read_picture(crop.path) for crop in crops]
    except (FolderError, LeukoscopeError) as error:
        sys.exit(f"leukoscope: {error}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        options.out,
        windows=np.stack(
            [namer.cut_out(one, (one.shape[0] / 2, one.shape[1] / 2), options.um_per_px) for one in pictures]
        ),
        labels=[crop.label for crop in crops],
        groups=[crop.group for crop in crops],
    )
    print(f"{len(crops)} named cells of {len({crop.group for crop in crops})} specimens in {options.out}")


def named_crops(folder: Path, um_per_px: float, vocabulary: Vocabulary) -> list[Crop]:
    """The named cells of a folder.

    Raises:
        FolderError: the scale is none, a folder is not named after a class, or the cells are too few, of one class or
            of one specimen.
        LeukoscopeError: a picture cannot be read.
    """
    checked_scale(um_per_px)
    if not folder.is_dir():
        raise FolderError(f"expected a folder with one folder per class, found none at {folder}")
    crops = [crop for split in ("train", "val") for crop in folder_crops(folder, um_per_px, split)]
    known = {label for label in (*vocabulary.classes, *vocabulary.means) if vocabulary.means.get(label, (label,))}
    if strange := sorted({crop.label for crop in crops} - known):
        raise FolderError(f"expected folders named after classes ({', '.join(sorted(known))}), found {strange}")
    classes, specimens = ({getattr(crop, of) for crop in crops} for of in ("label", "group"))
    if len(crops) < FEWEST or len(classes) < 2 or len(specimens) < 2:
        raise FolderError(
            f"expected {FEWEST} named cells or more in {folder}, of two classes and two specimens at least, found "
            f"{len(crops)} of {len(classes)} and {len(specimens)}: name more, by FOLDER/CLASS/SPECIMEN/PICTURE"
        )
    for crop in crops:
        look_at(crop)
    return crops


if __name__ == "__main__":
    main()
