"""Reads the tables of the picture collection into typed rows, with the size of every picture's pixels."""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation import labelled_kinds
from evaluation.cell_pictures import NAMED_MASKS, WITHOUT_SCALE, label_of_mask, read_by_eye
from evaluation.scales import CROP_UM_PER_PX, FIELD_UM_PER_PX, MASK_UM_PER_PX

KINDS = labelled_kinds.KINDS
COMPLETE = {name: frozenset(map(KINDS.index, kinds)) for name, kinds in labelled_kinds.COMPLETE.items()}
"""By collection, the kinds of which every cell is labelled."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def data_folder() -> Path:
    """The picture collection: $LEUKOSCOPE_DATA, else `../shared/data` beside the checkout."""
    named = os.environ.get("LEUKOSCOPE_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Crop:
    """One labelled cell in the middle of a picture, or where its mask or a point shows it."""

    path: Path
    collection: str
    label: str
    group: str
    """Patient or slide, where it is known."""
    split: str
    um_per_px: float = CROP_UM_PER_PX
    mask: Path | None = None
    centre: tuple[float, float] | None = None
    """In pixels of the picture."""

    @property
    def key(self) -> str:
        """Names the cell: its picture below the collection, and where it lies in a field."""
        where = "" if self.centre is None else f"@{self.centre[0]:g},{self.centre[1]:g}"
        return f"{self.collection}/{self.path.parent.name}/{self.path.name}{where}"


@dataclass(frozen=True, slots=True)
class Box:
    """One labelled cell of a field; the sides are in pixels of the stored picture."""

    kind: int
    xmin: float
    ymin: float
    xmax: float
    ymax: float


@dataclass(frozen=True, slots=True)
class Field:
    """One field with a box around every cell of its collection's complete kinds, and around some others."""

    name: str
    path: Path
    collection: str
    um_per_px: float
    boxes: tuple[Box, ...]
    split: str
    doubtful: tuple[Box, ...] = ()
    """Boxes that may hold no cell of their kind: neither cells nor background."""


@dataclass(frozen=True, slots=True)
class Masked:
    """One picture with a pixel mask of its white cells.

    The masks of `bccd` are called nuclei in the table, but they show whole white cells.
    """

    name: str
    path: Path
    mask: Path
    collection: str
    um_per_px: float
    split: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (data_folder() / name).open(newline="") as table:
        yield from csv.DictReader(table)


def crops(split: str) -> list[Crop]:
    """Every cell of a split with a name: all crops, the masks that say what they show, and what was read by eye."""
    folder = data_folder()
    cut_out = [
        Crop(folder / row["path"], row["set"], row["label"], row["group"], row["split"])
        for row in _rows("crops.csv")
        if row["split"] == split
    ]
    masked = [_named_mask(row) for row in _rows("masks.csv") if row["split"] == split and _is_named(row)]
    return cut_out + masked + [_read_cell(row) for row in read_by_eye(split)]


def _is_named(row: dict[str, str]) -> bool:
    return Path(row["image"]).parent.name in NAMED_MASKS


def _named_mask(row: dict[str, str]) -> Crop:
    folder, path = data_folder(), Path(row["image"])
    return Crop(
        path=folder / path,
        collection=path.parent.name,
        label=label_of_mask(row["label"]),
        group=path.stem,
        split=row["split"],
        um_per_px=MASK_UM_PER_PX[path.parent.name],
        mask=folder / row["mask"],
    )


def _read_cell(row: dict[str, str]) -> Crop:
    return Crop(
        path=data_folder() / row["image"],
        collection=Path(row["image"]).parent.name,
        label=row["label"],
        group=row["group"],
        split=row["split"],
        um_per_px=float(row["um_per_px"]),
        centre=(float(row["x"]), float(row["y"])),
    )


def add_collection(parser: argparse.ArgumentParser) -> None:
    """The options that `collected` reads."""
    parser.add_argument("--folder", type=Path, help="a folder per class, instead of the collection's crops.csv")
    parser.add_argument("--um-per-px", type=float, help="scale of the pictures in --folder")


def collected(options: argparse.Namespace, split: str) -> list[Crop]:
    """The crops that the command line asks for."""
    return crops(split) if options.folder is None else folder_crops(options.folder, options.um_per_px, split)


def folder_crops(folder: Path, um_per_px: float, split: str) -> list[Crop]:
    """Every picture of a split under `folder/CLASS/` or `folder/CLASS/GROUP/`; the group is a patient or a slide.

    One group in five is for validation, the same ones as long as the groups stay the same.
    """
    # os.walk follows links to folders, which is how people put sets together; Path.rglob does not.
    paths = (Path(place, file) for place, _, files in os.walk(folder, followlinks=True) for file in files)
    found = []
    for path in sorted(one for one in paths if one.suffix.lower() in PICTURES):
        label, *between = path.relative_to(folder).parent.parts or ("",)
        if label:
            found.append((path, label, between[0] if between else path.stem))
    groups = sorted({group for *_, group in found}, key=lambda group: hashlib.sha256(group.encode()).digest())
    judged = set(groups[: -(-len(groups) // 5)])
    name = folder.resolve().name
    return [
        Crop(path, name, label, group, split, um_per_px)
        for path, label, group in found
        if (group in judged) == (split == "val")
    ]


def fields(collection: str, split: str) -> list[Field]:
    """The boxed fields of a collection; none of BCCD's official test in train or val."""
    folder = data_folder()
    held_back = bccd_test_pictures() if split != "test" else frozenset()
    right = labelled_kinds.relabelled()
    boxes: dict[str, list[Box]] = {}
    doubtful: dict[str, list[Box]] = {}
    for row in _rows(f"fields/{collection}.csv"):
        if row["split"] != split or row["image"] in held_back:
            continue
        x0, y0, x1, y1 = (float(row[key]) for key in ("xmin", "ymin", "xmax", "ymax"))
        label = right.get((row["image"], row["label"]), row["label"])
        found = boxes.setdefault(row["image"], [])
        kept = doubtful.setdefault(row["image"], []) if row.get("doubtful") == "1" else found
        kept.append(Box(KINDS.index(labelled_kinds.KIND_OF_LABEL[label]), x0, y0, x1, y1))
    return [
        Field(
            name=name,
            path=folder / name,
            collection=collection,
            um_per_px=FIELD_UM_PER_PX[str(Path(name).parent)],
            boxes=tuple(found),
            split=split,
            doubtful=tuple(doubtful.get(name, ())),
        )
        for name, found in boxes.items()
    ]


def bccd_test_pictures() -> frozenset[str]:
    """Names of the pictures in BCCD's official test split."""
    return frozenset(row["image"] for row in _rows("fields/bccd.csv") if row["split"] == "test")


def masks(split: str) -> list[Masked]:
    """The pictures with pixel masks, without those of BCCD's official test split and those of unknown scale."""
    folder = data_folder()
    held_back = bccd_test_pictures() | WITHOUT_SCALE
    found = []
    for row in _rows("masks.csv"):
        # Some masks belong to pictures that are kept aside and not in the folder.
        kept_aside = row["image"] in held_back or not (folder / row["image"]).exists()
        if row["split"] != split or kept_aside:
            continue
        collection = row["image"].split("/")[1]
        found.append(
            Masked(
                row["image"],
                folder / row["image"],
                folder / row["mask"],
                collection,
                MASK_UM_PER_PX[collection],
                split,
            )
        )
    return found
