"""White balance holds for one exposure and one set of gains: what they were, and that they stood still."""

from collections.abc import Mapping, Sequence
from typing import Any

from leukoscope.errors import CalibrationError
from leukoscope.specimen.frame import Frame

MAX_UNSTEADY = 0.02
"""How far exposure and gains may differ between the pictures of one white balance, 0-1: they must be locked."""


def locked(frames: Sequence[Frame]) -> dict[str, Any]:
    """Exposure and gains of all frames, None where the camera does not tell.

    Raises:
        CalibrationError: they change from picture to picture.
    """
    locked: dict[str, list[float | None]] = {
        "exposure": [frame.exposure_us for frame in frames],
        "sensor gain": [frame.analogue_gain for frame in frames],
        "red gain": [None if frame.colour_gains is None else frame.colour_gains[0] for frame in frames],
        "blue gain": [None if frame.colour_gains is None else frame.colour_gains[1] for frame in frames],
    }
    for name, values in locked.items():
        known = [value for value in values if value is not None]
        # Multiplied out: a camera may tell a gain of 0, such as that of a colour it does not have.
        if known and max(known) - min(known) > MAX_UNSTEADY * min(known):
            raise CalibrationError(
                f"the camera's {name} changed from {min(known):g} to {max(known):g} between the pictures",
                "lock it in the camera's settings, then calibrate flat and white again",
            )
    first = frames[0]
    return {
        "exposure_us": first.exposure_us,
        "analogue_gain": first.analogue_gain,
        "colour_gains": first.colour_gains,
    }


def lock_in_words(steady: Mapping[str, Any]) -> str:
    """What `locked` found, for the technician."""
    locked = [
        f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value[0]:.2f}, {value[1]:.2f}"
        for name, value in (
            ("exposure in µs", steady["exposure_us"]),
            ("sensor gain", steady["analogue_gain"]),
            ("colour gains", steady["colour_gains"]),
        )
        if value is not None
    ]
    if not locked:
        return "The camera does not tell its exposure and gains: make sure that none of them is automatic."
    return f"From now on frames must have {'; '.join(locked)}; others are refused."
