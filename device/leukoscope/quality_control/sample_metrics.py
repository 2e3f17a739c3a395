"""What a sample says about the instrument: light, focus and speed of each field, summed up as one run."""

from datetime import datetime
from statistics import median

import numpy as np

from leukoscope.quality_control.run_record import SAMPLES, Kind, Run
from leukoscope.specimen.field import CountedField, RejectedField
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import SampleReport

_LOOKED_AT = 160
"""Rows and columns of a picture that tell how bright it is as well as all of them."""


class SampleMetrics:
    """Collects a few figures per field, and their medians at the end."""

    def __init__(self) -> None:
        self._per_field: dict[str, list[float]] = {}

    def take(self, field: CountedField | RejectedField, ms: float) -> None:
        """Take in one look at the slide, counted or refused.

        Args:
            field: what came of it.
            ms: how long it took, milliseconds.
        """
        frame = field.micrograph.frame
        measures = light_of(frame) | {
            "exposure_us": frame.exposure_us,
            "analogue_gain": frame.analogue_gain,
            "gain_red": frame.colour_gains[0] if frame.colour_gains else None,
            "gain_blue": frame.colour_gains[1] if frame.colour_gains else None,
        }
        if isinstance(field, CountedField):
            # A refused field is soon done and may be blurred by the hand, not by the instrument.
            measures |= {"sharpness": field.quality.sharpness, "ms_per_field": ms}
        for name, value in measures.items():
            if value is not None:
                self._per_field.setdefault(name, []).append(value)

    def run_of(self, report: SampleReport, at: datetime, *, reference: str = SAMPLES) -> Run:
        """The run that ended with this report: medians over its fields, and what the report says.

        Args:
            report: of the sample.
            at: when the run ended, timezone-aware.
            reference: what was counted; `SAMPLES` for a specimen.
        """
        seen = report.fields_counted + report.fields_rejected_total
        measures: dict[str, float | None] = {name: median(values) for name, values in self._per_field.items()}
        measures |= {
            "red_cell_diameter_um": report.red_cells.mean_diameter_um,
            "white_per_1000_red": report.wbc_per_1000_rbc,
            "refused_share": report.fields_rejected_total / seen if seen else None,
        }
        sample = reference == SAMPLES
        return Run(
            at=at,
            kind=Kind.SAMPLE if sample else Kind.CHECK,
            reference=reference,
            subject=report.id if sample else "",
            fields=report.fields_counted,
            white_cells=report.white_cells,
            software=report.provenance.software_version,
            calibration=report.provenance.calibration_id,
            measures=measures,
            classes={line.cell_class: line.share for line in report.differential if line.count},
        )


def light_of(frame: Frame) -> dict[str, float | None]:
    """Level of empty glass (green, 0-255) and its red and blue over its green, from a frame as the camera gave it."""
    step = max(1, min(frame.pixels.shape[:2]) // _LOOKED_AT)
    pixels = frame.pixels[::step, ::step].reshape(-1, 3).astype(np.float64)
    glass = pixels[pixels[:, 1] >= np.percentile(pixels[:, 1], 95)]
    red, green, blue = (float(level) for level in glass.mean(axis=0))
    return {
        "background_level": green,
        "background_red_ratio": red / green if green else None,
        "background_blue_ratio": blue / green if green else None,
    }
