"""The live field as a small JPEG for a browser, with the outlines of its cells."""

from collections.abc import Iterable

import cv2
import numpy as np

from leukoscope.displays.annotation import COLOURS, UNSURE_COLOUR
from leukoscope.specimen.cell import UNSURE, ClassifiedCell
from leukoscope.specimen.frame import Pixels

LONGEST_SIDE = 960
"""Pixels."""
_QUALITY = 70


def live_picture(pixels: Pixels, cells: Iterable[ClassifiedCell] = ()) -> bytes:
    """A field as a JPEG whose longer side has LONGEST_SIDE pixels at most; some 100 kB.

    Args:
        pixels: RGB, shape (rows, cols, 3).
        cells: found in it; their outlines are drawn in the colours of the annotated fields.
    """
    zoom = min(1.0, LONGEST_SIDE / max(pixels.shape[:2]))
    size = max(1, round(pixels.shape[1] * zoom)), max(1, round(pixels.shape[0] * zoom))
    small = np.ascontiguousarray(pixels if zoom == 1.0 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    canvas = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    for cell in cells:
        instance = cell.instance
        colour = UNSURE_COLOUR if cell.cell_class == UNSURE else COLOURS[instance.kind]
        found, _ = cv2.findContours(instance.outline.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        corner = np.array([instance.box.col, instance.box.row])
        edges = [np.rint((edge + corner) * zoom).astype(np.int32) for edge in found]
        cv2.polylines(canvas, edges, True, colour[::-1], 1 if instance.touches_border else 2, cv2.LINE_AA)
    _, content = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(content)
