#!/usr/bin/env python3
"""Puts simulated fields above real ones in one picture, to judge the simulation by eye.

The real pictures are any fields on your disk; they are only read. The output must lie outside the checkout,
because real pictures never enter the repository.

    tools/compare_simulation.py ../compare.png --real ../my-fields
"""

import sys
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from evaluation.tables import data_folder
from leukoscope.cameras.picture_files import pictures_in
from leukoscope.cameras.pictures import read_picture
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.errors import LeukoscopeError, PictureError
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Pixels

_COLUMNS = 3
_SIZE = (640, 480)
_LOOKS = 200
"""Fields tried per slide until one shows a whole white cell."""


def simulated_fields(seed: int, um_per_px: float) -> list[Pixels]:
    """One field with a whole white cell from each of three slides."""
    return [_field_with_white_cell(seed + number, um_per_px) for number in range(_COLUMNS)]


def _field_with_white_cell(seed: int, um_per_px: float) -> Pixels:
    width, height = _SIZE
    camera = SimulatedCameraSettings(
        smear=SmearSettings(seed=seed, white_per_1000_rbc=10),
        microscope=MicroscopeSettings(seed=seed, width=width, height=height, um_per_px=um_per_px),
    ).open()
    pixels = camera.capture().pixels
    for _ in range(_LOOKS):
        if any(cell.kind is CellKind.WBC and not cell.touches_border for cell in camera.truth):
            break
        pixels = camera.capture().pixels
    return pixels


def real_fields(folder: Path, seed: int) -> list[Pixels]:
    """Three pictures drawn from a folder, scaled to the same height and cut to the same size."""
    pictures = pictures_in(folder)
    if len(pictures) < _COLUMNS:
        raise PictureError(
            f"expected at least {_COLUMNS} pictures in {folder}, found {len(pictures)}",
            "give a folder of more pictures",
        )
    drawn = np.random.default_rng(seed).choice(len(pictures), _COLUMNS, replace=False)
    return [_fitted(read_picture(pictures[index])) for index in drawn]


def _fitted(pixels: Pixels) -> Pixels:
    width, height = _SIZE
    scale = max(width / pixels.shape[1], height / pixels.shape[0])
    large = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(large[:height, :width], dtype=np.uint8)


def sheet(simulated: list[Pixels], real: list[Pixels]) -> NDArray[np.uint8]:
    """Simulated above, real below; RGB."""
    return np.vstack([np.hstack(simulated), np.hstack(real)])


def main(
    output: Annotated[Path, typer.Argument(help="PNG to write, outside the checkout.")],
    real: Annotated[Path | None, typer.Option(help="A folder of real fields.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other slides and other pictures.")] = 1,
    um_per_px: Annotated[float, typer.Option(help="Scale of the simulated fields.")] = 0.127,
) -> None:
    """Write the comparison."""
    data = data_folder()
    folder = real or (data / "fields" / "deepbionet" if data else None)
    if folder is None or not folder.is_dir():
        sys.exit(f"no folder of real fields at {folder}: set LEUKOSCOPE_DATA to the data folder or give --real")
    if output.resolve().is_relative_to(Path(__file__).resolve().parents[1]):
        sys.exit(f"{output} would hold real pictures: write it outside the checkout")
    try:
        picture = sheet(simulated_fields(seed, um_per_px), real_fields(folder, seed))
    except LeukoscopeError as problem:
        sys.exit(str(problem))
    written, coded = cv2.imencode(".png", picture[..., ::-1])
    if not written:
        sys.exit("the picture cannot be coded as PNG")
    output.write_bytes(coded.tobytes())


if __name__ == "__main__":
    typer.run(main)
