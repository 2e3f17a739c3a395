"""A camera is set to the exposure and gains its white balance was measured with, unless its settings name their own."""

from pydantic import ValidationError

from leukoscope.cameras import CameraSettings
from leukoscope.errors import CalibrationError
from leukoscope.optics.calibration_record import WhiteBalance
from leukoscope.schema import explain

LOCKED = ("exposure_us", "analogue_gain", "colour_gains")
"""What a white balance remembers, by the names that drivers have for it."""


def held(camera: CameraSettings, white: WhiteBalance | None) -> CameraSettings:
    """The settings with what the calibration says about exposure and gains, as far as the driver can set it.

    What the settings name themselves stays; frames that then differ from the calibration are refused one by one.

    Raises:
        CalibrationError: the calibration asks for something this camera cannot be set to.
    """
    if white is None:
        return camera
    wanted = {name: getattr(white, name) for name in LOCKED}
    named = camera.model_fields_set
    asked = {
        name: value
        for name, value in wanted.items()
        if value is not None and name in type(camera).model_fields and name not in named
    }
    if not asked:
        return camera
    try:
        return type(camera).model_validate({**camera.model_dump(include=named), **asked})
    except ValidationError as error:
        raise CalibrationError(
            f"the camera cannot be set as it was at its white balance ({explain(error)})",
            "run `leukoscope calibrate white`",
        ) from error
