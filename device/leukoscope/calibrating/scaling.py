"""Scale: micrometres per pixel from a stage micrometer, with its uncertainty."""

from collections.abc import Sequence

import numpy as np

from leukoscope.calibrating.asks import Next
from leukoscope.calibrating.measuring import Attribution, Measured, facts_of, renewed
from leukoscope.calibrating.site_calibration import Site
from leukoscope.errors import CalibrationError
from leukoscope.optics.calibration_record import CalibrationRecord, Scale
from leukoscope.optics.micrometer import measure_ruling
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Frame

MAX_SPREAD = 0.005
"""How far the spacing may differ between pictures of one ruling, 0-1."""
MAX_JUMP = 0.25
"""A scale this far from the one in force, 0-1, belongs to another objective or another ruling."""


def scale_step(
    site: Site, frames: Sequence[Frame], attribution: Attribution, *, spacing_um: float, tolerance: float
) -> Measured:
    """Micrometres per pixel, from pictures of a stage micrometer.

    Args:
        site: the bench's calibration.
        frames: the ruling, at any angle.
        attribution: who calibrates, when, and for how long it holds.
        spacing_um: from line to line, micrometres.
        tolerance: of the ruling itself (95 %), 0-1.

    The error joins, as for independent ones, that of the fits (95 %), the spread between the pictures and the
    tolerance of the ruling (root of the sum of squares, GUM 5.1.2).

    Raises:
        CalibrationError: no ruling is seen, the pictures disagree, or the scale cannot be that of this objective.
    """
    site.expect_own(list(frames))
    found = [measure_ruling(frame.pixels) for frame in frames]
    all_px = np.asarray([one.px for one in found])
    px = float(all_px.mean())
    spread = float(np.ptp(all_px)) / px
    if spread > MAX_SPREAD:
        raise CalibrationError(
            f"the pictures of the ruling differ by {spread:.1%} in its spacing (at most {MAX_SPREAD:.1%})",
            "hold the stage still and focus on the lines",
        )
    um_per_px = spacing_um / px
    fit = float(np.sqrt(np.mean([(one.error_px / px) ** 2 for one in found])))
    error = float(np.sqrt(fit**2 + spread**2 + tolerance**2)) * um_per_px
    words: list[str] = [
        Sentence(
            "{scale} µm per pixel (95 %): {lines} lines {spacing} µm apart lie {px} pixels apart, at {angle} degrees, "
            "in {count} pictures.",
            scale=f"{um_per_px:.5f} ± {error:.5f}",
            lines=found[0].lines,
            spacing=f"{spacing_um:g}",
            px=f"{px:.2f}",
            angle=f"{found[0].angle_deg:.1f}",
            count=len(frames),
        )
    ]
    if site.base is not None:
        words.append(_against(site.base, um_per_px))
    middle = frames[int(np.argmin(np.abs(all_px - px)))]
    facts, picture = facts_of(site, "scale", len(frames), middle, attribution)
    part = Scale(error_um_per_px=error, spacing_um=spacing_um, lines=found[0].lines, **facts)
    base = site.base or CalibrationRecord(
        id="new", origin="measured", optics=attribution.optics or "not described", um_per_px=um_per_px
    )
    record = renewed(site, base, frames, attribution, scale=part, um_per_px=um_per_px, origin="measured")
    todo = Next.SCALE_CHECK
    return Measured(record, dict(picture), tuple(words), todo)


def _against(base: CalibrationRecord, um_per_px: float) -> str:
    change = um_per_px / base.um_per_px - 1
    if abs(change) > MAX_JUMP:
        raise CalibrationError(
            f"{um_per_px:.4f} µm per pixel is {change:+.0%} from {base.id} ({base.um_per_px:.4f})",
            "give the ruling's "
            "true --spacing-um; for another objective let calibration.file in the settings name a new file",
        )
    return f"That is {change:+.2%} from {base.id} ({base.um_per_px:.5f}, {base.origin})."
