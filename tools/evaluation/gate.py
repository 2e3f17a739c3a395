"""What blur does to sharpness, to the gate and to the network: the evidence for the gate's limit."""

from collections.abc import Sequence

import cv2
import numpy as np
from rich.table import Table

from evaluation.detection import DetectionScore
from evaluation.tables import LabelledField
from leukoscope.analysis.segmentation import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.frame import Frame, Micrograph, Pixels

BLURS_UM = (0.0, 0.3, 0.5, 0.7, 1.0, 1.4)
"""Sigma of a Gaussian added to the picture as it is, micrometres."""


def gate_table(segmenter: Segmenter, sets: Sequence[tuple[str, Sequence[LabelledField], Frame]]) -> Table:
    """Sharpness, share refused as out of focus and F1 by blur, for each set of annotated fields."""
    gate = QualityGate(QualityLimits())
    table = Table(title=f"Focus: the gate refuses below {QualityLimits().min_sharpness}")
    for column in ("set", "blur, µm", "least sharp", "median", "sharpest", "out of focus", "F1 rbc", "F1 wbc"):
        table.add_column(column, justify="left" if column == "set" else "right")
    for name, fields, frame in sets:
        for blur_um in BLURS_UM:
            sharpness, refused = [], 0
            scores = {"rbc": DetectionScore(), "wbc": DetectionScore()}
            for field in fields:
                pixels = _blurred(read_picture(field.path), blur_um / field.um_per_px)
                micrograph = Micrograph(pixels, field.um_per_px, frame, "scale")
                quality = gate.assess(micrograph)
                sharpness.append(quality.sharpness)
                refused += Flaw.OUT_OF_FOCUS in quality.flaws
                cells = segmenter.find_cells(micrograph)
                for kind, score in scores.items():
                    found = [cell for cell in cells if cell.kind.value == kind]
                    score.add(
                        np.array([cell.box.as_xyxy() for cell in found], np.float32).reshape(-1, 4),
                        [cell.confidence for cell in found],
                        np.array(
                            [(box.xmin, box.ymin, box.xmax, box.ymax) for box in field.boxes if box.kind == kind],
                            np.float32,
                        ).reshape(-1, 4),
                    )
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
