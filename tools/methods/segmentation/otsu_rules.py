"""Otsu's thresholds, distance transform, watershed and rules: the plain method of tools/evaluate.py."""

from evaluation.outlines import draw_by_otsu
from evaluation.watershed import find_by_watershed
from methods.device import Pixels
from methods.kinds import Parts, Segmentation


def find(pixels: Pixels, um_per_px: float) -> Parts:
    """White cells and nuclei by two thresholds, red cells by watershed and rules."""
    drawn = draw_by_otsu(pixels)
    red = [box for kind, box in find_by_watershed(pixels, um_per_px) if kind == "rbc"]
    return Parts(drawn.cell, drawn.nucleus, red)


METHOD = Segmentation("Otsu, watershed and rules", "Otsu 1979; tools/evaluation", find, um_per_px=0.0)
