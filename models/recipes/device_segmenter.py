"""Opens the device's own segmenter with the shipped bundle, to outline cells that no person drew."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from leukoscope.analysis.segmenter import Segmenter
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Frame, Micrograph

__all__ = ["CellKind", "Frame", "Micrograph", "Segmenter", "open_segmenter"]


SHIPPED = Path(__file__).resolve().parents[1] / "segmenter"


def open_segmenter(folder: Path = SHIPPED) -> Segmenter:
    """The segmenter of a bundle, by ONNX Runtime on one thread."""
    bundle = Bundle.read(folder)
    return Segmenter(bundle, OnnxSettings(driver="onnx", threads=1).open(bundle))
