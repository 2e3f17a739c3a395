"""Brings in the device's own decoding, which lives beside the recipes in this repository: training judges by it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from leukoscope.analysis.centres import Boxes, find_boxes, overlap, unpack_mask

__all__ = ["Boxes", "find_boxes", "overlap", "unpack_mask"]
