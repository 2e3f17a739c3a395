"""Shows where network and annotators disagree, to be judged by a person: who is right?

    tools/show_disagreements.py deepbionet platelet --out DIR

Writes sheets of numbered windows into DIR, which should lie outside the repository, and prints a line per window:
number, picture, box, and whether what was found has no box (`found`) or what was boxed was not found (`boxed`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw

from evaluation.detection import matches
from evaluation.field_table import as_boxes, found_by, micrograph_of
from evaluation.labelled_kinds import KINDS
from evaluation.tables import LabelledField, data_folder, read_fields
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

WINDOW_UM = 12.0
WINDOW_PX = 150
ACROSS, DOWN = 8, 6
_COLOURS = {"found": "red", "boxed": "blue"}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One cell that only one side sees."""

    field: LabelledField
    who: str
    box: tuple[float, float, float, float]
    """xmin, ymin, xmax, ymax in pixels."""


def main(
    name: Annotated[str, typer.Argument(help="deepbionet or txl.")],
    kind: Annotated[str, typer.Argument(help="rbc, wbc or platelet.")],
    out: Annotated[Path, typer.Option(help="Folder for the sheets.")],
    segmenter: Annotated[str, typer.Option(help="A segmenter bundle.")] = "segmenter",
    every: Annotated[int, typer.Option(min=1, help="Only every so many-th picture.")] = 1,
) -> None:
    """Draw and list them."""
    data = data_folder()
    if data is None:
        raise typer.BadParameter("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    if kind not in KINDS:
        raise typer.BadParameter(f"expected one of {', '.join(KINDS)}, found {kind}")
    bundle = Bundle.read(find_asset("models", segmenter))
    finder = Segmenter(bundle, OnnxSettings(threads=1).open(bundle))
    fields = read_fields(data, name, "val")[::every]
    apart = [one for field in fields for one in _disagreements(finder, field, kind)]
    for number, one in enumerate(apart):
        print(f"{number:4} {one.who} {one.field.path.name} {' '.join(f'{side:.0f}' for side in one.box)}")
    out.mkdir(parents=True, exist_ok=True)
    for sheet, start in enumerate(range(0, len(apart), ACROSS * DOWN)):
        _draw(apart[start : start + ACROSS * DOWN], start).save(out / f"{name}-{kind}-{sheet}.png")


def _disagreements(finder: Segmenter, field: LabelledField, kind: str) -> Iterator[Disagreement]:
    found = [one for one in found_by(finder, micrograph_of(field.path, field.um_per_px)) if one[0] == kind]
    expected = [(one.xmin, one.ymin, one.xmax, one.ymax) for one in field.boxes if one.kind == kind]
    boxes = [one[2] for one in found]
    pairs = matches(as_boxes(boxes), [one[1] for one in found], as_boxes(expected))
    for index, box in enumerate(boxes):
        if index not in pairs:
            yield Disagreement(field, "found", (*map(float, box),))  # type: ignore[arg-type]
    for index, right in enumerate(expected):
        if index not in pairs.values():
            yield Disagreement(field, "boxed", right)


def _draw(apart: Sequence[Disagreement], first: int) -> Image.Image:
    sheet = Image.new("RGB", (ACROSS * WINDOW_PX, DOWN * WINDOW_PX), "white")
    for place, one in enumerate(apart):
        pixels = read_picture(one.field.path)
        reach = WINDOW_UM / 2 / one.field.um_per_px
        x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
        padded = np.pad(pixels, ((round(reach),) * 2, (round(reach),) * 2, (0, 0)), constant_values=255)
        row, col = round(y), round(x)
        part = Image.fromarray(padded[row : row + round(2 * reach), col : col + round(2 * reach)])
        window = part.resize((WINDOW_PX - 2, WINDOW_PX - 2), Image.Resampling.BICUBIC)
        zoom = (WINDOW_PX - 2) / (2 * reach)
        pen = ImageDraw.Draw(window)
        sides = [(side - middle + reach) * zoom for side, middle in zip(one.box, (x, y, x, y), strict=True)]
        pen.rectangle(sides, outline=_COLOURS[one.who])
        pen.text((3, 1), f"{first + place} {one.who}", fill="black")
        sheet.paste(window, (place % ACROSS * WINDOW_PX, place // ACROSS * WINDOW_PX))
    return sheet


if __name__ == "__main__":
    typer.run(main)
