"""Pictures in the form that the device's code takes."""

from datetime import UTC, datetime

from methods.device import Calibration, Frame, Micrograph, Pixels

_EPOCH = datetime.fromtimestamp(0, UTC)


def micrograph_from(pixels: Pixels, um_per_px: float) -> Micrograph:
    """RGB pixels (rows, cols, 3) of a known scale, with light that is even already."""
    return Calibration.of_scale(um_per_px).correct(Frame(pixels, 1, _EPOCH, "file"))
