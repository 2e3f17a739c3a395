"""Brings in the device's own decoding, by its file: the training environment lacks the device's parts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leukoscope.analysis.centres import Boxes, find_boxes, overlap, unpack_mask
else:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device" / "leukoscope" / "analysis"))
    from centres import Boxes, find_boxes, overlap, unpack_mask

__all__ = ["Boxes", "find_boxes", "overlap", "unpack_mask"]
