import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from leukoscope.cameras import CameraSettings
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.simulation.microscope import MicroscopeSettings

SMALL = MicroscopeSettings(width=128, height=96, um_per_px=0.25)


def opened(**settings):
    return SimulatedCameraSettings(**({"microscope": SMALL} | settings)).open()


def places(camera, count):
    seen = []
    for _ in range(count):
        seen.append(tuple(round(value, 6) for value in camera.stage.position_um))
        camera.capture()
    return seen


def test_each_capture_sees_the_next_field_of_the_serpentine():
    assert places(opened(columns=2), 5) == [(0, 0), (32, 0), (32, 24), (0, 24), (0, 48)]


def test_overlap_shortens_the_step():
    assert places(opened(overlap=0.25), 2)[1] == (24, 0)


def test_the_stage_dwells_and_travels_for_as_many_frames_as_asked():
    camera = opened(dwell_frames=3, travel_frames=2)
    assert [x for x, _ in places(camera, 7)] == pytest.approx([0, 0, 0, 8, 24, 32, 32])


def test_a_thousand_fields_never_show_a_jump_as_motion():
    camera = opened()
    camera.stage.move_to(0, 0)
    for number in range(1000):
        camera._number = number
        assert camera.stage.travelled_um(0.008) == (0, 0)


def test_with_keys_the_stage_stays_until_it_is_moved():
    camera = opened(path="keys", start_x_um=7.0)
    assert places(camera, 2) == [(7, 0), (7, 0)]
    camera.stage.move_by(10, 0)
    assert places(camera, 1) == [(17, 0)]


def test_the_truth_belongs_to_the_last_frame():
    camera = opened()
    assert camera.truth == ()
    camera.capture()
    first = camera.truth
    camera.capture()
    assert first and camera.truth
    assert {cell.cell.id for cell in first} != {cell.cell.id for cell in camera.truth}


def test_two_cameras_of_one_setting_deliver_the_same_frames():
    one, other = opened(), opened()
    for _ in range(3):
        assert np.array_equal(one.capture().pixels, other.capture().pixels)


def test_a_blank_field_can_be_had_for_calibration():
    camera = opened()
    blank = camera.capture_blank()
    assert blank.shape == (96, 128, 3)
    assert blank.min() > 150
    assert camera.capture().number == 1


def test_an_exposure_longer_than_the_frame_is_refused():
    with pytest.raises(ValidationError, match="does not fit half a frame interval"):
        SimulatedCameraSettings(frame_interval_s=0.01)


@pytest.mark.parametrize("driver", ["simulated", "v4l2", "picamera"])
def test_the_union_chooses_by_driver(driver):
    assert TypeAdapter(CameraSettings).validate_python({"driver": driver}).driver == driver


def test_an_unknown_driver_or_key_is_refused():
    union = TypeAdapter(CameraSettings)
    with pytest.raises(ValidationError, match="'picamera', 'v4l2', 'gstreamer', 'replay', 'simulated'"):
        union.validate_python({"driver": "webcam"})
    with pytest.raises(ValidationError, match=r"simulated\.smear\.sed"):
        union.validate_python({"driver": "simulated", "smear": {"sed": 3}})
