"""Looks through a folder-per-class set and writes the facts of the classifier that is to be made from it.

    models/recipes/describe_folder.py FOLDER --um-per-px 0.1 --name our-marrow --out facts.toml

The facts are there to be changed by hand: short labels, groups, what enters the differential.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import LeukoscopeError
from tables import Crop, folder_crops
from vocabulary import ARTEFACT

KEY = re.compile(r"[a-z_]+")
FEWEST_TO_LEARN = 8
FEWEST_TO_JUDGE = 2
TAKEN_UM_PER_PX = (0.03, 0.30)
"""Outside this a scale is a slip of the pen, or the cells are too coarse to be distinguished."""
WINDOW_UM = 19.2
"""What the network sees around the middle of a picture."""


class FolderError(Exception):
    """The folder cannot be learnt from; the message says what was expected, found, and what to do."""


def main() -> None:
    """Check a folder and describe it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--um-per-px", type=float, required=True)
    parser.add_argument("--name", required=True, help="of the bundle: small letters, digits, hyphens")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        counts = checked(options.folder, options.um_per_px)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(facts(options.name, counts), "utf-8")
    except FolderError as error:
        print(f"train: {error}", file=sys.stderr)
        sys.exit(2)
    for label, (learnt, judged) in counts.items():
        print(f"{label:32} {learnt:6} to learn {judged:5} to judge")


def checked(folder: Path, um_per_px: float) -> dict[str, tuple[int, int]]:
    """Pictures to learn and to judge by class.

    Raises:
        FolderError: the folder cannot be learnt from.
    """
    checked_scale(um_per_px)
    if not folder.is_dir():
        raise FolderError(f"expected a folder with one folder per class, found none at {folder}")
    learnt, judged = (folder_crops(folder, um_per_px, split) for split in ("train", "val"))
    labels = sorted({crop.label for crop in (*learnt, *judged)})
    if len(labels) < 2:
        found = ", ".join(labels) or "no pictures"
        raise FolderError(f"expected pictures in at least two class folders under {folder}, found {found}")
    if wrong := [label for label in labels if not KEY.fullmatch(label)]:
        raise FolderError(f"a class is named in small letters and underscores, found {wrong}: rename these folders")
    counts = {label: (_count(learnt, label), _count(judged, label)) for label in labels}
    for label, (to_learn, to_judge) in counts.items():
        if to_learn < FEWEST_TO_LEARN or to_judge < FEWEST_TO_JUDGE:
            raise FolderError(
                f"class {label!r} has {to_learn} pictures to learn from and {to_judge} to judge by, expected at least "
                f"{FEWEST_TO_LEARN} and {FEWEST_TO_JUDGE}: add pictures of more patients, or merge it with another"
            )
    for crop in (*learnt, *judged):
        look_at(crop)
    return counts


def checked_scale(um_per_px: float) -> None:
    """Refuse a scale at which nobody takes pictures of cells.

    Raises:
        FolderError: it is one.
    """
    low, high = TAKEN_UM_PER_PX
    if not low <= um_per_px <= high:
        raise FolderError(f"expected {low} to {high} µm per pixel, found {um_per_px:g}: measure the pictures' scale")


def look_at(crop: Crop) -> None:
    """Read a picture, to see that it can be read and shows enough.

    Raises:
        FolderError: it does not.
    """
    try:
        rows, cols = read_picture(crop.path).shape[:2]
    except LeukoscopeError as error:
        raise FolderError(str(error)) from error
    if min(rows, cols) * crop.um_per_px < WINDOW_UM / 2:
        raise FolderError(
            f"{crop.path} shows {cols * crop.um_per_px:.1f} x {rows * crop.um_per_px:.1f} µm, expected the cell in the "
            f"middle of {WINDOW_UM} µm or at least half of that: cut the cells out larger, or correct the scale"
        )


def facts(name: str, counts: dict[str, tuple[int, int]]) -> str:
    """The facts file: every class in the differential, but for what names itself an artefact or a smudge.

    Raises:
        FolderError: the name is not one a bundle can have.
    """
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise FolderError(f"a bundle is named in small letters, digits and hyphens, found {name!r}")
    keys = [*counts, *([] if ARTEFACT in counts else [ARTEFACT])]
    # A template for people, with comments in their places, which tomli-w does not write.
    rows = "".join(
        f"    {{ key = {json.dumps(key)}, short = {json.dumps(short)}, "
        f"in_differential = {json.dumps(key not in (ARTEFACT, 'smudge'))} }},\n"
        for key, short in _short(keys).items()
    )
    return (
        "# Change short labels, groups and what enters the differential as you like, then train again.\n"
        f'schema_version = 1\nname = "{name}"\nkind = "classifier"\nversion = "1.0.0"\n'
        'licence = "as the pictures it learnt from"\n\n'
        "[input]\nrows = 128\ncols = 128\num_per_px = 0.15\n\n"
        f"[classifier]\nlabel_smoothing = 0.05\nclasses = [\n{rows}]\n\n"
        '# For instance: neutrophil = ["band", "segmented"]\n[classifier.groups]\n\n'
        '# For instance: neutrophil = ["band", "segmented"], a folder whose pictures may be either\n[training.means]\n'
    )


def _short(keys: list[str]) -> dict[str, str]:
    """Five letters at most, no two alike."""
    short: dict[str, str] = {}
    for key in keys:
        words = key.split("_")
        tried = ["".join(word[: 5 // len(words) or 1] for word in words)[:5].upper(), key[:5].upper()]
        tried += [f"{key[:3].upper()}{number}" for number in range(1, 100)]
        short[key] = next(one for one in tried if one not in short.values())
    return short


def _count(crops: list[Crop], label: str) -> int:
    return Counter(crop.label for crop in crops)[label]


if __name__ == "__main__":
    main()
