"""Brings in the device's own code, which lives beside the recipes in this repository: training judges by it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from leukoscope.adapting.refit import second_moment, views
from leukoscope.adapting.self_training import refit_by_itself
from leukoscope.analysis.peaks import Boxes, find_boxes, overlap, unpack_mask
from leukoscope.inference.head import FEATURES, Head

__all__ = [
    "FEATURES",
    "Boxes",
    "Head",
    "find_boxes",
    "overlap",
    "refit_by_itself",
    "second_moment",
    "unpack_mask",
    "views",
]
