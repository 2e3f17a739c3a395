"""Lets a person say who is right about stages of maturation, label or network, without knowing who says what.

    tools/read_blind.py draw --out DIR                 sheets, and a table to fill in
    tools/read_blind.py score DIR/readings.csv         how often the reader sides with each

Drawn are cells of pbc's validation split where the two differ, with both names in the order of maturation. The table's
last column is not for the reader: pbc's file names tell the label. DIR should lie outside the repository; the pictures
are not ours.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

from evaluation.naming import STAGES_5
from evaluation.scales import CROP_UM_PER_PX
from evaluation.tables import LabelledCrop, data_folder, read_crops
from leukoscope.analysis.classifier import Classifier
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

COLLECTION, SPLIT = "pbc", "val"
WINDOW_PX, NAME_PX = 230, 24
ACROSS, DOWN = 5, 4
COLUMNS = ("number", "earlier", "later", "read", "picture")

app = typer.Typer(help=__doc__, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell with two names."""

    crop: LabelledCrop
    network: str

    @property
    def offered(self) -> tuple[str, str]:
        """Both names, the earlier stage first."""
        earlier, later = sorted((self.crop.label, self.network), key=list(STAGES_5).index)
        return earlier, later


@app.command()
def draw(
    out: Annotated[Path, typer.Option(help="Folder for the sheets.")],
    classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier",
    count: Annotated[int, typer.Option(min=1, help="How many cells, drawn at random.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Which ones.")] = 20261122,
) -> None:
    """Draw sheets, and write readings.csv with an empty column for what the reader says."""
    differences = _differences(classifier)
    order = np.random.default_rng(seed).permutation(len(differences))[:count]
    chosen = [differences[index] for index in order]
    out.mkdir(parents=True, exist_ok=True)
    with (out / "readings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((number, *one.offered, "", one.crop.path.name) for number, one in enumerate(chosen))
    for sheet, start in enumerate(range(0, len(chosen), ACROSS * DOWN)):
        _sheet(chosen[start : start + ACROSS * DOWN], start).save(out / f"sheet-{sheet}.png")
    print(f"{len(chosen)} of {len(differences)} cells; write one of the two names into the column read")


@app.command()
def score(
    readings: Annotated[Path, typer.Argument(help="What draw wrote, filled in.", exists=True, dir_okay=False)],
) -> None:
    """Count with whom the reader sides, by label."""
    labels = {crop.path.name: crop.label for crop in read_crops(_data(), COLLECTION, SPLIT)}
    sides: Counter[tuple[str, str]] = Counter()
    with readings.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise typer.BadParameter(f"{readings}: expected the columns {', '.join(COLUMNS)}, found {rows.fieldnames}")
        for number, row in enumerate(rows, 2):
            label = labels.get(row["picture"])
            if label is None or row["read"] not in (row["earlier"], row["later"]):
                raise typer.BadParameter(
                    f"{readings}, line {number}: expected a picture of {COLLECTION} and one of both names, found {row}"
                )
            sides[label, "label" if row["read"] == label else "network"] += 1
    table = Table(title="With whom a blind reader sides where label and network differ")
    for column in ("label", "cells", "label is right", "network is right"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for label in (*STAGES_5, "all"):
        of_label, of_network = (
            sum(n for (one, side), n in sides.items() if label in ("all", one) and side == who)
            for who in ("label", "network")
        )
        table.add_row(label, *(str(n) for n in (of_label + of_network, of_label, of_network)))
    Console(width=100).print(table)


def _data() -> Path:
    data = data_folder()
    if data is None:
        raise typer.BadParameter("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    return data


def _differences(classifier: str) -> list[Difference]:
    bundle = Bundle.read(find_asset("models", classifier))
    namer = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    found = []
    for crop in read_crops(_data(), COLLECTION, SPLIT):
        if crop.label in STAGES_5:
            probabilities = namer.name_crop(read_picture(crop.path), CROP_UM_PER_PX)
            network = max(STAGES_5, key=probabilities.__getitem__)
            if network != crop.label:
                found.append(Difference(crop, network))
    return found


def _sheet(chosen: list[Difference], first: int) -> Image.Image:
    sheet = Image.new("RGB", (ACROSS * WINDOW_PX, DOWN * (WINDOW_PX + NAME_PX)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, one in enumerate(chosen):
        left, top = place % ACROSS * WINDOW_PX, place // ACROSS * (WINDOW_PX + NAME_PX)
        picture = Image.fromarray(read_picture(one.crop.path))
        sheet.paste(picture.resize((WINDOW_PX - 4, WINDOW_PX - 4), Image.Resampling.BICUBIC), (left, top + NAME_PX))
        pen.text((left + 3, top + 5), f"{first + place}  {' / '.join(one.offered)}", fill="black")
    return sheet


if __name__ == "__main__":
    app()
