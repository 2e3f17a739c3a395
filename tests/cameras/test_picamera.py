import sys

import numpy as np
import pytest

from leukoscope.cameras import picamera_fake
from leukoscope.cameras.picamera import PiCamera, PiCameraSettings
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable


@pytest.fixture(autouse=True)
def bench():
    picamera_fake.reset()
    picamera_fake.BENCH.sleep = lambda seconds: None
    yield picamera_fake.BENCH
    picamera_fake.reset()


@pytest.fixture
def connect(tmp_path):
    cameras = []

    def connect(**settings):
        chosen = PiCameraSettings(**({"width": 64, "height": 64, "lock_folder": tmp_path} | settings))
        cameras.append(PiCamera(chosen, picamera_fake))
        return cameras[-1]

    yield connect
    for camera in cameras:
        camera.close()


def test_frames_say_what_the_sensor_really_used(connect):
    frame = connect(exposure_us=8000, analogue_gain=1.02, colour_gains=(2.0, 1.5)).capture()
    assert frame.exposure_us == 7992
    assert frame.analogue_gain == 1.0
    assert frame.colour_gains == (2.0, 1.5)


def test_exposure_gain_and_white_balance_are_locked(connect, bench, monkeypatch):
    seen = {}
    configure = picamera_fake.Picamera2.configure
    monkeypatch.setattr(
        picamera_fake.Picamera2, "configure", lambda self, config: (seen.update(config), configure(self, config))
    )
    connect(exposure_us=5000, analogue_gain=2.0)
    assert seen["controls"]["AeEnable"] is False
    assert seen["controls"]["AwbEnable"] is False
    assert seen["controls"]["ExposureTime"] == 5000
    assert seen["controls"]["AnalogueGain"] == 2.0
    assert seen["buffer_count"] >= 2


def test_red_is_first_whatever_picamera2_calls_it(connect, bench):
    def red(number, size):
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        picture[..., 0] = 250
        return picture

    bench.scene = red
    assert connect().capture().pixels[3, 3].tolist() == [250, 0, 0]


def test_the_camera_is_configured_once_and_every_request_given_back(connect, bench):
    camera = connect()
    for _ in range(20):
        camera.capture()
    assert bench.configured == 1
    assert bench.unreleased == 0


def test_a_request_is_given_back_even_when_reading_it_fails(connect, bench):
    def broken(number, size):
        raise RuntimeError("buffer lost")

    camera = connect()
    bench.scene = broken
    for _ in range(5):
        with pytest.raises(CameraError, match=r"failed while reading a frame \(buffer lost\)"):
            camera.capture()
    assert bench.unreleased == 0


def test_a_frontend_time_out_is_named_and_the_next_frame_still_comes(connect, bench):
    camera = connect(timeout_s=0.5)
    bench.fault = "timeout"
    with pytest.raises(CameraTimeout, match=r"sent no frame within 0\.5 s: check the ribbon cable"):
        camera.capture()
    bench.fault = "none"
    assert camera.capture().number == 1


def test_a_camera_that_disappears_is_a_camera_error(connect, bench):
    camera = connect()
    bench.fault = "unplugged"
    with pytest.raises(CameraError, match="disappeared"):
        camera.capture()
    camera.close()


def test_no_second_program_takes_the_camera(connect):
    connect()
    with pytest.raises(CameraUnavailable, match=r"already in use by process \d+"):
        connect()


def test_the_lock_is_free_again_after_closing(connect):
    connect().close()
    assert connect().capture() is not None


def test_the_lock_is_free_again_after_opening_failed(connect, bench):
    bench.acquired.add(0)
    with pytest.raises(CameraUnavailable, match="Device or resource busy"):
        connect()
    bench.acquired.clear()
    assert connect().capture() is not None


def test_a_failed_start_gives_the_camera_back(connect, bench, monkeypatch):
    def refuse(self, config=None, show_preview=False):
        raise RuntimeError("no memory")

    monkeypatch.setattr(picamera_fake.Picamera2, "start", refuse)
    with pytest.raises(CameraUnavailable, match="no memory"):
        connect()
    assert bench.acquired == set()


def test_a_missing_camera_lists_what_was_found(connect, bench):
    bench.models = ["imx708"]
    with pytest.raises(CameraUnavailable, match=r"no Pi camera 1 \(found: imx708\)"):
        connect(camera=1)


def test_an_unwritable_lock_folder_is_named(connect, tmp_path):
    with pytest.raises(CameraUnavailable, match="set `lock_folder`"):
        connect(lock_folder=tmp_path / "none")


def test_without_picamera2_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraUnavailable, match="apt install python3-picamera2"):
        PiCameraSettings(lock_folder=tmp_path).open()


def test_the_settings_open_the_library_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "picamera2", picamera_fake)
    camera = PiCameraSettings(lock_folder=tmp_path, width=64, height=64).open()
    assert camera.capture().source == "picamera"
    camera.close()


def test_the_fake_starves_when_requests_are_kept(bench):
    camera = picamera_fake.Picamera2()
    camera.configure(camera.create_still_configuration(buffer_count=2))
    camera.start()
    kept = [camera.capture_request() for _ in range(2)]
    with pytest.raises(TimeoutError):
        camera.capture_request(wait=0.1)
    kept[0].release()
    assert camera.capture_request() is not None
    camera.close()


def test_the_fake_refuses_controls_the_sensor_lacks():
    camera = picamera_fake.Picamera2()
    with pytest.raises(RuntimeError, match="AfMode is not advertised"):
        camera.configure(camera.create_still_configuration(controls={"AfMode": 1}))
    camera.close()
