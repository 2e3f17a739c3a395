"""The quality gate: which fields can be trusted, and what is wrong with the others."""

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.optics.levels import Levels, high_percentile
from leukoscope.schema import FrozenModel
from leukoscope.specimen.field import Flaw, Quality
from leukoscope.specimen.frame import Micrograph

GATE_UM_PER_PX = 0.2
"""Every picture is judged at this scale, so that limits hold for any camera."""
REBLUR_UM = 0.5
"""Width (sigma) of the second blur in `sharpness_of`, micrometres: about the resolution of the optics."""
SATURATED = 253
"""Grey level from which a pixel counts as clipped, of 255."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class QualityLimits(FrozenModel):
    """Where the gate draws its lines; defaults were chosen on validation pictures (see device/README.md)."""

    min_sharpness: Share = 0.15
    """Below it a field is out of focus; see `sharpness_of`."""
    max_saturated_share: Share = 0.6
    """Above it a field is overexposed: the background may clip, cells may not."""
    min_brightness: Annotated[float, Field(ge=0, le=255)] = 60.0
    """Grey level of the background below which a field is underexposed."""
    min_coverage: Share = 0.01
    """Below it a field is empty."""
    max_coverage: Share = 0.85
    """Above it cells lie on one another and cannot be counted."""


class QualityGate:
    """Assesses micrographs against limits."""

    def __init__(self, limits: QualityLimits) -> None:
        self._limits = limits

    def assess(self, micrograph: Micrograph) -> Quality:
        """Measure a field and list its flaws."""
        green = _at_gate_scale(_channel(micrograph.pixels, 1), micrograph.um_per_px)
        levels = Levels.of(green)
        background = levels.percentile(97)
        # Cells are clearly darker than the background; the pale middle of a red cell may not be.
        coverage = levels.share_below(0.88 * background)
        saturated = _saturated_share(micrograph)
        sharpness = sharpness_of(green)
        limits = self._limits
        flaws = []
        if background < limits.min_brightness:
            flaws.append(Flaw.UNDEREXPOSED)
        if saturated > limits.max_saturated_share:
            flaws.append(Flaw.OVEREXPOSED)
        if coverage < limits.min_coverage:
            flaws.append(Flaw.EMPTY)
        elif sharpness < limits.min_sharpness:
            # An empty field has no edges to be sharp, so focus is judged only where there are cells.
            flaws.append(Flaw.OUT_OF_FOCUS)
        if coverage > limits.max_coverage:
            flaws.append(Flaw.CROWDED)
        return Quality(sharpness, saturated, levels.percentile(50), coverage, tuple(flaws))


def sharpness_of(green: NDArray[np.uint8]) -> float:
    """How much of its steepest edges a picture loses when it is blurred once more, 0-1.

    A sharp picture loses much, a blurred one little (the re-blur principle of Crete et al. 2007,
    doi:10.1117/12.702790). Being a ratio on the picture's own edges it depends neither on stain nor on
    how many cells there are. A small first blur keeps noise from passing for edges.

    Args:
        green: one channel at `GATE_UM_PER_PX`, shape (rows, cols).
    """
    smooth = _blurred(green.astype(np.float32), 0.8)
    edges = _gradient(smooth)
    reblurred = _gradient(_blurred(smooth, REBLUR_UM / GATE_UM_PER_PX))
    steep = np.flatnonzero(edges >= max(0.5 * high_percentile(edges, 99.5), 1e-3))
    if steep.size == 0:
        return 0.0
    return max(0.0, float(1 - np.median(np.take(reblurred, steep) / np.take(edges, steep))))


def _blurred(picture: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), dtype=np.float32)


def _gradient(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    across, down = cv2.Scharr(picture, cv2.CV_32F, 1, 0), cv2.Scharr(picture, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)


def _saturated_share(micrograph: Micrograph) -> float:
    """Share of pixels at the gate's scale that are clipped in every colour."""
    # Blue is asked first: it is the darkest of a stained smear, and one colour that never clips is enough.
    if any(cv2.minMaxLoc(_channel(micrograph.pixels, colour))[1] < SATURATED for colour in (2, 1, 0)):
        # An average is no brighter than its brightest pixel, so the picture need not be shrunk to know.
        return 0.0
    pixels = _at_gate_scale(micrograph.pixels, micrograph.um_per_px)
    clipped = cv2.inRange(pixels, (SATURATED,) * 3, (255,) * 3)
    return cv2.countNonZero(clipped) / clipped.size


def _channel(pixels: NDArray[np.uint8], colour: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.extractChannel(pixels, colour), dtype=np.uint8)


def _at_gate_scale(pixels: NDArray[np.uint8], um_per_px: float) -> NDArray[np.uint8]:
    factor = um_per_px / GATE_UM_PER_PX
    if factor >= 1:
        return pixels
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
