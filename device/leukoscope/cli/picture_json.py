"""`leukoscope examine` and `leukoscope classify`: pictures in, the JSON contract out."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.features import Features, measure_features
from leukoscope.cameras.pictures import read_pages
from leukoscope.errors import PictureError
from leukoscope.instrument import Instrument, Look
from leukoscope.optics.quality import GATE_UM_PER_PX, sharpness_of
from leukoscope.optics.resampling import resample
from leukoscope.specimen.cell import CellKind, ClassifiedCell
from leukoscope.specimen.frame import Frame, Pixels


def examine_pages(
    path: Path,
    numbers: Iterator[int],
    instrument: Instrument,
    um_per_px: float,
    *,
    with_features: bool = False,
    focus_stack: bool = False,
) -> Iterator[tuple[str, Look, dict[str, Any]]]:
    """Look at each page of a picture file; features cost time and are measured only when asked for.

    Args:
        path: the file.
        numbers: what to number frames by.
        instrument: examines them.
        um_per_px: micrometres per pixel.
        with_features: measure each cell.
        focus_stack: of several pages examine the sharpest alone.

    Yields:
        A name for the page, the look, and the object `examine --json` prints for it.

    Raises:
        PictureError: the file is not a readable picture.
    """
    begin = time.perf_counter()
    pages = read_pages(path, one_place=focus_stack)
    if focus_stack:
        pages = iter([max(pages, key=lambda page: _sharpness(page[1], um_per_px))])
    for name, pixels in pages:
        read_ms = 1000 * (time.perf_counter() - begin)
        stem = path.stem if name == path.name else f"{path.stem}-{name.rpartition('#')[2]}"
        frame = Frame(pixels, next(numbers), datetime.now(UTC), "file", label=name)
        look = instrument.look(frame, examine_refused=True)
        yield stem, look, _entry(path.with_name(name), look, um_per_px, read_ms, begin, with_features=with_features)
        begin = time.perf_counter()


def _entry(
    path: Path, look: Look, um_per_px: float, read_ms: float, begin: float, *, with_features: bool
) -> dict[str, Any]:
    cells = look.field.cells
    entries = [cell_as_json(cell) for cell in cells]
    if with_features:
        measured = measure_features(look.field.micrograph, [cell.instance for cell in cells])
        for entry, features in zip(entries, measured, strict=True):
            entry["features"] = _rounded(features)
    steps = look.times_ms
    total_ms = 1000 * (time.perf_counter() - begin)
    return {
        "picture": str(path),
        "um_per_px": um_per_px,
        "flaws": [flaw.value for flaw in look.field.quality.flaws],
        "counts": {kind.value: sum(cell.instance.kind is kind for cell in cells) for kind in CellKind},
        "cells": entries,
        "ms": {
            name: round(ms, 2)
            for name, ms in (
                ("read", read_ms),
                ("correct", steps.correct),
                ("gate", steps.gate),
                ("segment", steps.segment),
                ("name", steps.name),
                ("total", total_ms),
            )
        },
    }


def _sharpness(pixels: Pixels, um_per_px: float) -> float:
    small, _ = resample(pixels, min(1.0, um_per_px / GATE_UM_PER_PX))
    return sharpness_of(np.ascontiguousarray(small[..., 1]))


def cell_as_json(cell: ClassifiedCell) -> dict[str, Any]:
    """One entry of `cells`; the box is [xmin, ymin, xmax, ymax] in pixels of the picture given."""
    instance = cell.instance
    return {
        "kind": instance.kind.value,
        "class": cell.cell_class,
        "confidence": round(cell.confidence, 4),
        "suspect": list(cell.suspect),
        "bbox": list(instance.box.as_xyxy()),
        "area_um2": round(instance.area_um2, 3),
        "diameter_um": round(instance.diameter_um, 3),
        "touches_border": instance.touches_border,
    }


def _rounded(features: Features) -> dict[str, float]:
    return {name: value if isinstance(value, int) else round(value, 4) for name, value in features.items()}


def label_image(look: Look) -> NDArray[np.uint16]:
    """Each pixel's cell as its 1-based place in `cells`, 0 for background; shape (rows, cols)."""
    labels = np.zeros(look.field.micrograph.pixels.shape[:2], dtype=np.uint16)
    for place, cell in enumerate(look.field.cells, start=1):
        box = cell.instance.box
        labels[box.row : box.row_end, box.col : box.col_end][cell.instance.outline] = place
    return labels


class LabelFolder:
    """Where label images of one run go; those of an earlier run are replaced."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing.

        Raises:
            PictureError: there can be no such folder.
        """
        self._folder = folder
        self._written: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PictureError(
                f"label images need a folder, {folder} cannot be one: {error.strerror}", "give another folder"
            ) from error

    def write(self, look: Look, stem: str) -> None:
        """Write `<stem>.png`, 16 bit.

        Raises:
            PictureError: another picture of this run has the same name, or the file cannot be written.
        """
        path = self._folder / f"{stem}.png"
        if stem in self._written:
            raise PictureError(f"{path} holds another picture of this run already", "examine them one folder at a time")
        _, content = cv2.imencode(".png", label_image(look))
        try:
            path.write_bytes(content.tobytes())
        except OSError as error:
            raise PictureError(
                f"the label image {path} cannot be written: {error.strerror}", "check the path, its owner and the disk"
            ) from error
        self._written.add(stem)


def classify_crop(path: Path, pixels: Pixels, classifier: Classifier, um_per_px: float) -> dict[str, Any]:
    """The object `classify --json` prints for one crop of pixels (rows, cols, 3), whose cell is in the middle."""
    probabilities = classifier.name_crop(pixels, um_per_px)
    cell_class, confidence, suspect = classifier.decide(probabilities)
    return {
        "picture": str(path),
        "class": cell_class,
        "confidence": round(confidence, 4),
        "suspect": list(suspect),
        "probabilities": {key: round(share, 5) for key, share in probabilities.items()},
    }
