"""Draws one simulated field through every method of a stage; no picture of a person's blood enters the repository."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from methods.boundaries import border_of
from methods.device import (
    Calibration,
    MicroscopeSettings,
    Networks,
    Pixels,
    SimulatedCameraSettings,
    SmearSettings,
    find_asset,
)
from methods.edges import NAMES as EDGES
from methods.kinds import EdgeDetector, Parts, Preprocessing, Segmentation
from methods.loading import load
from methods.preprocessing import NAMES as PREPROCESSING
from methods.results import Results, Row
from methods.scoring import at_scale
from methods.segmentation import NAMES as SEGMENTATION

UM_PER_PX = 0.127
PANEL = (320, 240)
COLUMNS = 4
TITLE_PX = 18
COLOURS = 128
WHITE, NUCLEUS, RED = (0, 160, 0), (255, 255, 0), (30, 60, 255)
Panel = tuple[str, Pixels]


def draw_strips(folder: Path, results: Results) -> None:
    """One PNG per stage."""
    field = simulated_field()
    for name, panels in (
        ("preprocessing", _preprocessed(field)),
        ("segmentation", _segmented(field, results)),
        ("edges", _edges(field, results)),
    ):
        _save(folder / f"{name}.png", [("the simulated field", field), *panels])


def simulated_field() -> Pixels:
    """A field of the simulated microscope with several white cells, 640x480."""
    smear = SmearSettings(seed=12, white_per_1000_rbc=90.0)
    camera = SimulatedCameraSettings(smear=smear, microscope=MicroscopeSettings(um_per_px=UM_PER_PX)).open()
    calibration = Calibration.read(find_asset("calibration", "simulated.toml"))
    pixels = calibration.correct(camera.capture()).pixels
    camera.close()
    return pixels


def _preprocessed(field: Pixels) -> Iterator[Panel]:
    for name in PREPROCESSING[1:]:
        method: Preprocessing = load("preprocessing", name)
        yield method.name, method.apply(field, UM_PER_PX)


def _segmented(field: Pixels, results: Results) -> Iterator[Panel]:
    networks = Networks()
    known = {row.name: row for row in results.of("segmentation")}
    for name in SEGMENTATION:
        method: Segmentation = load("segmentation", name)
        chosen = _parameters(known.get(name), method)
        if method.networks:
            parts = method.find(field, UM_PER_PX, segmenter=networks.segmenter)
        elif method.um_per_px:
            parts = at_scale(_Chosen(method, chosen), method.um_per_px)(field, UM_PER_PX)
        else:
            parts = method.find(field, UM_PER_PX)
        yield method.name, _drawn(field, parts)


class _Chosen:
    """A method with its parameters."""

    def __init__(self, method: Segmentation, parameters: dict[str, float]) -> None:
        self._method, self._parameters = method, parameters

    def __call__(self, pixels: Pixels, um_per_px: float) -> Parts:
        return self._method.find(pixels, um_per_px, **self._parameters)


def _parameters(row: Row | None, method: Segmentation) -> dict[str, float]:
    """Those that tuning chose, or the first of each where the row is not measured."""
    said = str(row.figures.get("parameters", "")) if row else ""
    pairs = [part.rsplit(" ", 1) for part in said.split(", ") if part]
    return {key: float(value) for key, value in pairs} or {key: values[0] for key, values in method.grid.items()}


def _drawn(field: Pixels, parts: Parts) -> Pixels:
    drawn = field.copy()
    for box in parts.red or ():
        cv2.rectangle(drawn, box[:2], (box[2] - 1, box[3] - 1), RED, 2)
    for flags, colour in ((parts.white, WHITE), (parts.nucleus, NUCLEUS)):
        if flags is not None:
            drawn[cv2.dilate(border_of(flags).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = colour
    return drawn


def _edges(field: Pixels, results: Results) -> Iterator[Panel]:
    grey = np.asarray(cv2.cvtColor(field, cv2.COLOR_RGB2GRAY) / 255.0)
    for name in EDGES:
        method: EdgeDetector = load("edges", name)
        row = next((one for one in results.of("edges") if one.name == name), None)
        said = str(row.figures.get("parameters", "")) if row else ""
        strength = float(said.split()[-1]) if said else method.strengths[0]
        shown = np.where(method.draw(grey, UM_PER_PX, strength), 0, 255).astype(np.uint8)
        yield method.name, np.ascontiguousarray(np.repeat(shown[..., None], 3, axis=-1))


def _save(path: Path, panels: Sequence[Panel]) -> None:
    cols, rows = PANEL
    height = rows + TITLE_PX
    lines = -(-len(panels) // COLUMNS)
    sheet = np.full((lines * height, COLUMNS * cols, 3), 255, np.uint8)
    for index, (title, picture) in enumerate(panels):
        top, left = index // COLUMNS * height, index % COLUMNS * cols
        small = cv2.resize(picture, PANEL, interpolation=cv2.INTER_AREA)
        sheet[top + TITLE_PX : top + height, left : left + cols] = small
        cv2.putText(sheet, title, (left + 4, top + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    Image.fromarray(sheet).quantize(COLOURS).save(path, optimize=True)
