"""The quality gate: which fields can be trusted, and what is wrong with the others."""

from collections.abc import Sequence
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.optics.levels import Levels
from leukoscope.optics.plausibility import implausible
from leukoscope.optics.resampling import resample
from leukoscope.optics.second_decoding import decoded_twice
from leukoscope.schema import FrozenModel
from leukoscope.specimen.field import Flaw, Quality
from leukoscope.specimen.frame import Micrograph

GATE_UM_PER_PX = 0.2
"""Every picture is judged at this scale, so that limits hold for any camera."""
REBLUR_PX, REBLUR_TIMES = 5, 3
"""The second blur in `sharpness_of` averages squares of this side so often: nearly a Gaussian of sigma 0.5 µm, about
the resolution of the optics, and many times faster."""
BAND_ROWS = 128
"""Rows looked at in one go: what is computed of them stays in the processor's cache."""
BAND_MARGIN = 9
"""Rows beyond a band that its blurs and slopes reach: 2 by the first blur, 2 by each average, 1 by the slope."""
STEEP = 0.7
"""Edges are what is at least this steep, of the steepest two hundredth."""
ABOVE_FLAT, SUDDEN = 7.0, 6
"""Edges must be this many times as steep as the flattest quarter of the picture, which is noise; in noise alone they
are about four times. How suddenly less than that counts as less."""
LEAST_FLAT = 8.0
"""Steepness, sixteenths of a grey level, of the flattest quarter where whole grey levels hide the noise."""
SATURATED = 253
"""Grey level from which a pixel counts as clipped, of 255."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
_COUNTED_AT_ONCE = 1_000_000


class QualityLimits(FrozenModel):
    """Where the gate draws its lines; defaults were chosen on validation pictures (see device/docs/developer.md)."""

    min_sharpness: Share = 0.22
    """Below it a field is out of focus; see `sharpness_of`. Unless set, the limit of the bench's own focus series."""
    max_saturated_share: Share = 0.6
    """Above it a field is overexposed: the background may clip, cells may not."""
    min_brightness: Annotated[float, Field(ge=0, le=255)] = 60.0
    """Grey level of the background below which a field is underexposed."""
    min_coverage: Share = 0.01
    """Below it a field is empty."""
    max_coverage: Share = 0.85
    """Above it cells lie on one another and cannot be counted."""
    stained: bool = True
    """Whether a field whose colours no stain gives is refused; false for a camera without colours."""


class QualityGate:
    """Assesses micrographs against limits."""

    def __init__(self, limits: QualityLimits) -> None:
        self._limits = limits

    @property
    def judges_stain(self) -> bool:
        """Whether fields are refused for their colours."""
        return self._limits.stained

    def assess(self, micrograph: Micrograph, *, stain: bool = False) -> Quality:
        """Measure a field and list its flaws.

        Args:
            micrograph: the field.
            stain: also judge whether it can be a stained smear at all, which calibration pictures need not be.
        """
        small, _ = resample(micrograph.pixels, min(1.0, micrograph.um_per_px / GATE_UM_PER_PX))
        green = _channel(small, 1)
        # Every other row tells how bright a field is as well as all of them.
        levels = Levels.of(green[::2])
        background = levels.percentile(97)
        # Cells are clearly darker than the background; the pale middle of a red cell may not be.
        coverage = levels.share_below(0.88 * background)
        saturated = _saturated_share(small)
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
        if stain:
            flaws = self._with_stain(small, micrograph.frame.pixels, flaws)
        return Quality(sharpness, saturated, levels.percentile(50), coverage, tuple(flaws))

    def _with_stain(self, small: NDArray[np.uint8], as_taken: NDArray[np.uint8], flaws: list[Flaw]) -> list[Flaw]:
        """What makes a field no stained smear comes first, in place of flaws that only follow from it.

        A field that is too dark, or shows nothing, has no colours to be judged by.
        """
        why = None if Flaw.EMPTY in flaws else implausible(small)
        colours_count = self._limits.stained and Flaw.UNDEREXPOSED not in flaws
        if why is None and colours_count and Flaw.EMPTY not in flaws and decoded_twice(as_taken):
            why = Flaw.FOREIGN_COLOURS
        if why is None or (why is Flaw.FOREIGN_COLOURS and not colours_count):
            return flaws
        follows = (Flaw.CROWDED, Flaw.UNDEREXPOSED, Flaw.OUT_OF_FOCUS) if why is Flaw.BLACK_SURROUND else ()
        return [why, *(flaw for flaw in flaws if flaw not in follows)]


def focus_series(micrograph: Micrograph, blurs_um: Sequence[float]) -> tuple[float, ...]:
    """Sharpness of a field as it is blurred by Gaussians of these standard deviations, micrometres."""
    small, _ = resample(micrograph.pixels, min(1.0, micrograph.um_per_px / GATE_UM_PER_PX))
    px = max(micrograph.um_per_px, GATE_UM_PER_PX)
    green = _channel(small, 1)
    return tuple(
        sharpness_of(np.asarray(cv2.GaussianBlur(green, (0, 0), blur / px), dtype=np.uint8)) for blur in blurs_um
    )


def live_sharpness(pixels: NDArray[np.uint8], um_per_px: float) -> float:
    """`sharpness_of` a frame as the camera gave it, RGB, at this scale."""
    small, _ = resample(pixels, min(1.0, um_per_px / GATE_UM_PER_PX))
    return sharpness_of(_channel(small, 1))


def sharpness_of(green: NDArray[np.uint8]) -> float:
    """How much of its steepest edges a picture loses when it is blurred once more, 0-1.

    A sharp picture loses much, a blurred one little (the re-blur principle of Crete et al. 2007,
    doi:10.1117/12.702790). Being a ratio on the picture's own edges it depends neither on stain nor on
    how many cells there are. Far out of focus nothing is left but the sensor's noise, which loses most of all: what
    hardly rises above the flat parts of the picture is no edge.

    Args:
        green: one channel at `GATE_UM_PER_PX`, shape (rows, cols).
    """
    bands = (_edges_and_reblurred(green, top) for top in range(0, len(green), BAND_ROWS))
    before, after = zip(*bands, strict=True)
    edges, reblurred = np.concatenate(before), np.concatenate(after)
    # Counting how often each steepness occurs takes a fifth of the time of ranking them.
    up_to = np.cumsum(_how_often(edges))
    steepest = _ranked(up_to, 0.995)
    steep = np.flatnonzero(edges >= max(STEEP * steepest, 1.0))
    if not len(steep):
        return 0.0
    kept = np.take(reblurred, steep) / np.take(edges, steep)
    noise = ABOVE_FLAT * max(_ranked(up_to, 0.25), LEAST_FLAT)
    middle = (len(kept) - 1) // 2
    return max(0.0, 1 - float(np.partition(kept, middle)[middle])) / (1 + (noise / steepest) ** SUDDEN)


def _edges_and_reblurred(green: NDArray[np.uint8], top: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """How steep a band from row `top` on is, before and after its second blur, at every other row and column."""
    above = min(top, BAND_MARGIN)
    band = green[top - above : top + BAND_ROWS + BAND_MARGIN]
    # Sixteenths of a grey level: whole ones would be too coarse for the edges of a blurred, pale picture.
    smooth = blurred = cv2.GaussianBlur(band.astype(np.int16) * np.int16(16), (5, 5), 0.8)
    for _ in range(REBLUR_TIMES):
        blurred = cv2.blur(blurred, (REBLUR_PX, REBLUR_PX))
    rows = slice(above, above + BAND_ROWS, 2)
    return _steepness(smooth, rows), _steepness(blurred, rows)


def _steepness(picture: cv2.typing.MatLike, rows: slice) -> NDArray[np.int16]:
    across, down = (cv2.Sobel(picture, cv2.CV_16S, *step)[rows, ::2] for step in ((1, 0), (0, 1)))
    return np.asarray(np.abs(across) + np.abs(down), dtype=np.int16).ravel()


def _how_often(edges: NDArray[np.int16]) -> NDArray[np.int64]:
    """How often each steepness occurs, a part at a time: counting makes eight bytes of each."""
    counts = np.zeros(int(edges.max()) + 1, dtype=np.int64)
    for begin in range(0, len(edges), _COUNTED_AT_ONCE):
        part = np.bincount(edges[begin : begin + _COUNTED_AT_ONCE])
        counts[: len(part)] += part
    return counts


def _ranked(up_to: NDArray[np.int64], share: float) -> float:
    """The value that this share of the others do not exceed, from how many there are up to each value."""
    return float(np.searchsorted(up_to, int(share * (int(up_to[-1]) - 1)), side="right"))


def _saturated_share(pixels: NDArray[np.uint8]) -> float:
    """Share of pixels that are clipped in every colour."""
    # Blue is asked first: it is the darkest of a stained smear, and one colour that never clips is enough.
    if any(cv2.minMaxLoc(_channel(pixels, colour))[1] < SATURATED for colour in (2, 1, 0)):
        return 0.0
    clipped = cv2.inRange(pixels, (SATURATED,) * 3, (255,) * 3)
    return cv2.countNonZero(clipped) / clipped.size


def _channel(pixels: NDArray[np.uint8], colour: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.extractChannel(pixels, colour), dtype=np.uint8)
