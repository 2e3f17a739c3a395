"""What blur does to sharpness, to the gate and to the network: the evidence for the gate's limit."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from rich.table import Table

from evaluation.detection import DetectionScore
from evaluation.field_table import add_kind, found_by, micrograph_of
from evaluation.tables import read_fields, spread
from leukoscope.analysis.segmentation import Segmenter
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.frame import Pixels

BLURS_UM = (0.0, 0.3, 0.5, 0.7, 1.0, 1.4)
"""Sigma of a Gaussian added to the picture as it is, micrometres."""


def gate_table(segmenter: Segmenter, data: Path, limit: int) -> Table:
    """Sharpness, share refused as out of focus and F1 by blur; arguments as in `field_table`."""
    gate = QualityGate(QualityLimits())
    table = Table(title=f"Focus: the gate refuses below {QualityLimits().min_sharpness}")
    for column in ("set", "blur, µm", "least sharp", "median", "sharpest", "out of focus", "F1 rbc", "F1 wbc"):
        table.add_column(column, justify="left" if column == "set" else "right")
    for name in ("txl", "deepbionet"):
        # Six blurs of each picture: a fifth of the pictures says enough.
        fields = spread(read_fields(data, name, "val")[::5], limit)
        for blur_um in BLURS_UM:
            sharpness, refused = [], 0
            scores = {"rbc": DetectionScore(), "wbc": DetectionScore()}
            for field in fields:
                micrograph = micrograph_of(field.path, field.um_per_px)
                blurred = replace(micrograph, pixels=_blurred(micrograph.pixels, blur_um / field.um_per_px))
                quality = gate.assess(blurred)
                sharpness.append(quality.sharpness)
                refused += Flaw.OUT_OF_FOCUS in quality.flaws
                found = found_by(segmenter, blurred)
                for kind, one in scores.items():
                    add_kind(one, kind, found, field)
            table.add_row(
                name,
                f"{blur_um:.1f}",
                *(f"{value:.2f}" for value in (min(sharpness), np.median(sharpness), max(sharpness))),
                f"{refused / len(fields):.0%}",
                f"{scores['rbc'].f1:.3f}",
                f"{scores['wbc'].f1:.3f}",
                end_section=blur_um == BLURS_UM[-1],
            )
    return table


def _blurred(pixels: Pixels, sigma_px: float) -> Pixels:
    if sigma_px == 0:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_px), dtype=np.uint8)
