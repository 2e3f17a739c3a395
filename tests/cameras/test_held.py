"""What a white balance was measured with is what the camera is set to, and what its frames are checked against."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from leukoscope.cameras import picamera_fake
from leukoscope.cameras.gstreamer import GStreamerCameraSettings
from leukoscope.cameras.held import held
from leukoscope.cameras.picamera import PiCamera, PiCameraSettings
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.cameras.v4l2 import V4l2CameraSettings
from leukoscope.errors import CalibrationError
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.calibration_record import KeptFile, WhiteBalance

AT = datetime(2026, 5, 1, tzinfo=UTC)


def white(**message: object) -> WhiteBalance:
    facts = {"by": "a", "at": AT, "valid_until": AT + timedelta(1), "pictures": 9}
    picture = KeptFile(path="w.png", sha256="0" * 64)
    return WhiteBalance.model_validate({**facts, "picture": picture, "gains": (1, 1, 1), "off_white": 0, **message})


MEASURED = white(exposure_us=5000, analogue_gain=2.0, colour_gains=(2.5, 1.25))


def test_each_driver_takes_what_it_can_be_set_to() -> None:
    pi, usb, jetson = (
        held(one, MEASURED) for one in (PiCameraSettings(camera=1), V4l2CameraSettings(), GStreamerCameraSettings())
    )
    assert pi == PiCameraSettings(camera=1, exposure_us=5000, analogue_gain=2.0, colour_gains=(2.5, 1.25))
    assert usb == V4l2CameraSettings(exposure_us=5000)
    assert jetson == GStreamerCameraSettings(exposure_us=5000, analogue_gain=2.0)


def test_what_the_settings_name_stays() -> None:
    named = PiCameraSettings(exposure_us=8000)
    assert held(named, MEASURED) == PiCameraSettings(exposure_us=8000, analogue_gain=2.0, colour_gains=(2.5, 1.25))


@pytest.mark.parametrize("message", [None, white()])
def test_nothing_is_set_where_nothing_was_measured(message: WhiteBalance | None) -> None:
    camera = PiCameraSettings()
    assert held(camera, message) is camera
    simulated = SimulatedCameraSettings()
    assert held(simulated, MEASURED) is simulated


def test_a_value_the_driver_cannot_have_is_an_error() -> None:
    with pytest.raises(CalibrationError, match=r"exposure_us.*calibrate white"):
        held(V4l2CameraSettings(), white(exposure_us=5))


def test_a_camera_set_by_its_calibration_gives_frames_that_pass_and_another_does_not(tmp_path: Path) -> None:
    picamera_fake.reset()
    calibration = Calibration(id="own", measured=True, um_per_px=0.1, white=MEASURED)
    plain = PiCameraSettings(width=64, height=64, lock_folder=tmp_path)
    for settings in (held(plain, MEASURED), plain):
        camera = PiCamera(settings, picamera_fake)  # type: ignore[arg-type]
        frame = camera.capture()
        camera.close()
        if settings is plain:
            with pytest.raises(
                CalibrationError, match=r"an exposure of 5000 us, the camera uses an exposure of 799\d us"
            ):
                calibration.refuse_foreign(frame)
        else:
            calibration.refuse_foreign(frame)
    picamera_fake.reset()
