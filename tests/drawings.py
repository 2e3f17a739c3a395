"""Small drawn pictures with known contents, for tests of optics and analysis."""

from collections.abc import Sequence
from datetime import UTC, datetime

import cv2
import numpy as np

from leukoscope.counting.detections import detections_of
from leukoscope.specimen.cell import Box, CellInstance, CellKind, ClassifiedCell
from leukoscope.specimen.field import CountedField, Flaw, Quality, RejectedField
from leukoscope.specimen.frame import Frame, Micrograph, Pixels
from leukoscope.specimen.slide import SlideCell, SlideChange

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = Quality(sharpness=0.4, saturated_share=0.0, brightness=200.0, coverage=0.4, flaws=())


def frame_of(pixels: Pixels, number: int = 1) -> Frame:
    """A frame with nothing known but its pixels."""
    return Frame(pixels, number, EPOCH, "drawn")


def micrograph_of(pixels: Pixels, um_per_px: float = 0.2) -> Micrograph:
    """A micrograph of a drawn picture."""
    return Micrograph(pixels, um_per_px, frame_of(pixels), "drawn")


def discs(
    centres: Sequence[tuple[float, float]],
    *,
    size: tuple[int, int] = (240, 320),
    radius: float = 18,
    shade: int = 90,
    background: int = 230,
) -> Pixels:
    """Dark discs, anti-aliased, on a bright background; centres are (row, col), everything in pixels."""
    fine = np.full((4 * size[0], 4 * size[1]), background, dtype=np.uint8)
    for row, col in centres:
        # (row, col) is in pixel edges: 0 is the picture's edge, so a fine pixel's middle is at n + 0.5.
        middle = round((4 * col - 0.5) * 16), round((4 * row - 0.5) * 16)
        cv2.circle(fine, middle, round((4 * radius - 0.5) * 16), shade, cv2.FILLED, shift=4)
    grey = np.asarray(cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def cell(
    kind: CellKind = CellKind.RBC,
    cell_class: str = "",
    *,
    row: int = 50,
    col: int = 50,
    side: int = 36,
    touches_border: bool = False,
    um_per_px: float = 0.2,
) -> ClassifiedCell:
    """A round cell in a square box."""
    outline = cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), side // 2 - 1, 1, cv2.FILLED)
    area_um2 = float(outline.sum()) * um_per_px**2
    instance = CellInstance(
        kind=kind,
        confidence=0.9,
        box=Box(row, col, row + side, col + side),
        outline=outline.astype(bool),
        nucleus=_smaller(outline) if kind is CellKind.WBC else None,
        area_um2=area_um2,
        diameter_um=2 * (area_um2 / np.pi) ** 0.5,
        touches_border=touches_border,
    )
    return ClassifiedCell(instance, cell_class or kind.value, 0.9, {})


def _smaller(outline: np.ndarray) -> np.ndarray:
    """A nucleus: the outline less a rim."""
    return cv2.erode(outline, np.ones((9, 9), np.uint8)).astype(bool)


def counted(*cells: ClassifiedCell) -> CountedField:
    """A good field of 320x240 pixels with these cells."""
    return CountedField(micrograph_of(discs([])), GOOD, cells)


def on_a_slide(field: CountedField, number: int = 1) -> SlideChange:
    """What a field adds to a slide it has nothing in common with; cells are numbered from 1000 times its number."""
    rows, cols = field.micrograph.pixels.shape[:2]
    cells = tuple(
        SlideCell(1000 * number + index, detection, detections=1, counted=detection.in_frame, measured=detection.whole)
        for index, detection in enumerate(detections_of(field, number))
    )
    return SlideChange(number, rows * cols * field.micrograph.um_per_px**2, cells)


def rejected(*flaws: Flaw) -> RejectedField:
    """A refused field."""
    return RejectedField(micrograph_of(discs([])), Quality(0.1, 0.0, 200.0, 0.4, flaws))
