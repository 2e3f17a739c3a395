"""Reads the label tables of the data folder; see its own README for what they hold."""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from evaluation.cell_pictures import (
    NAMED_MASKS,
    READ_BY_EYE,
    in_the_middle,
    label_of_mask,
    read_by_eye,
)
from evaluation.labelled_kinds import relabelled
from evaluation.scales import CROP_UM_PER_PX, FIELD_UM_PER_PX, MASK_UM_PER_PX
from leukoscope.cameras.pictures import read_picture
from leukoscope.specimen.frame import Pixels

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One annotated cell, in pixels of its picture."""

    kind: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float


@dataclass(frozen=True, slots=True)
class LabelledField:
    """One annotated picture."""

    path: Path
    um_per_px: float
    boxes: tuple[LabelledBox, ...]
    doubtful: tuple[LabelledBox, ...] = ()
    """Boxes that may hold no such cell: what is found there is neither right nor wrong."""


@dataclass(frozen=True, slots=True)
class PointedField:
    """One picture with a point, (x, y) in its pixels, on some of its red cells."""

    path: Path
    um_per_px: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LabelledCrop:
    """One annotated cell in the middle of a small picture, or where its mask or a point shows it."""

    path: Path
    label: str
    source: str
    group: str
    """Patient or slide, where it is known."""
    um_per_px: float = CROP_UM_PER_PX
    mask: Path | None = None
    centre: tuple[float, float] | None = None
    """In pixels of the picture."""


def data_folder() -> Path | None:
    """The folder of labelled pictures: LEUKOSCOPE_DATA, else ../shared/data beside the checkout."""
    named = os.environ.get("LEUKOSCOPE_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    return folder if (folder / "crops.csv").exists() else None


def read_fields(data: Path, name: str, split: str, *, as_given: bool = False) -> list[LabelledField]:
    """Annotated pictures of `fields/<name>.csv`.

    In ten pictures of deepbionet an annotator mixed the kinds up: every red cell is called white, or a
    platelet. `models/recipes/relabelled.csv` lists them and puts them right.

    Args:
        data: the data folder.
        name: "deepbionet", "txl", "bccd", "aslan", "thesis" or "taleqani".
        split: "train", "val" or, for bccd, "test".
        as_given: leave the mixed-up labels as they are.
    """
    right = {} if as_given else relabelled()
    boxes: dict[str, list[LabelledBox]] = {}
    doubtful: dict[str, list[LabelledBox]] = defaultdict(list)
    for row in _rows(data / "fields" / f"{name}.csv"):
        if row["split"] == split:
            sides = (float(row[side]) for side in ("xmin", "ymin", "xmax", "ymax"))
            label = right.get((row["image"], row["label"]), row["label"])
            found = boxes.setdefault(row["image"], [])
            kept = doubtful[row["image"]] if row.get("doubtful") == "1" else found
            kept.append(LabelledBox(label, *sides))
    return [
        LabelledField(data / image, FIELD_UM_PER_PX[str(Path(image).parent)], tuple(found), tuple(doubtful[image]))
        for image, found in sorted(boxes.items())
    ]


def read_points(data: Path, split: str) -> list[PointedField]:
    """The pictures of `fields/chula_rbc12.csv`, the only ones with points."""
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in _rows(data / "fields" / "chula_rbc12.csv"):
        if row["split"] == split:
            points[row["image"]].append((float(row["x"]), float(row["y"])))
    return [
        PointedField(data / image, FIELD_UM_PER_PX[str(Path(image).parent)], tuple(found))
        for image, found in sorted(points.items())
    ]


def read_crops(data: Path, source: str, split: str) -> list[LabelledCrop]:
    """Annotated cells of one set in `crops.csv` or `masks.csv`, or of one that was read by eye."""
    if source in NAMED_MASKS:
        return _masked_crops(data, source, split)
    if source in READ_BY_EYE:
        return _crops_by_eye(data, source, split)
    return [
        LabelledCrop(data / row["path"], row["label"], row["set"], row["group"])
        for row in _rows(data / "crops.csv")
        if row["set"] == source and row["split"] == split
    ]


def read_cell(crop: LabelledCrop) -> Pixels:
    """The picture of an annotated cell, which is in its middle."""
    return in_the_middle(read_picture(crop.path), crop.mask, crop.centre)


def _masked_crops(data: Path, source: str, split: str) -> list[LabelledCrop]:
    return [
        LabelledCrop(
            path=data / row["image"],
            label=label_of_mask(row["label"]),
            source=source,
            group=Path(row["image"]).stem,
            um_per_px=MASK_UM_PER_PX[source],
            mask=data / row["mask"],
        )
        for row in _rows(data / "masks.csv")
        if Path(row["image"]).parent.name == source and row["split"] == split
    ]


def _crops_by_eye(data: Path, source: str, split: str) -> list[LabelledCrop]:
    return [
        LabelledCrop(
            path=data / row["image"],
            label=row["label"],
            source=source,
            group=row["group"],
            um_per_px=float(row["um_per_px"]),
            centre=(float(row["x"]), float(row["y"])),
        )
        for row in read_by_eye(split)
        if Path(row["image"]).parent.name == source
    ]


def spread(items: Sequence[Item], limit: int) -> Sequence[Item]:
    """About `limit` of the items, evenly spread, or all of them for 0: the first ones may be of one kind."""
    return items[:: max(1, len(items) // limit)] if limit else items


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
