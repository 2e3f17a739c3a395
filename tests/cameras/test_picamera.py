import sys

import numpy as np
import pytest

from leukoscope.cameras import picamera_fake
from leukoscope.cameras.picamera import PiCamera, PiCameraSettings
from leukoscope.cameras.planes import rgb_from_yuv420, yuv420_from_rgb
from leukoscope.errors import CameraError, CameraInterrupted, CameraUnavailable
from tests.cameras.clock import Clock


@pytest.fixture(autouse=True)
def bench():
    picamera_fake.reset()
    picamera_fake.BENCH.sleep = lambda seconds: None
    yield picamera_fake.BENCH
    picamera_fake.reset()


@pytest.fixture
def clock(bench):
    clock = Clock()
    bench.sleep = clock.pause
    return clock


@pytest.fixture
def connect(tmp_path, clock):
    cameras = []

    def connect(**settings):
        chosen = PiCameraSettings(**({"width": 64, "height": 64, "lock_folder": tmp_path} | settings))
        cameras.append(PiCamera(chosen, picamera_fake, clock=clock, pause=clock.pause))
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


def test_a_frontend_time_out_is_an_interruption_and_the_camera_is_opened_again(connect, bench):
    camera = connect(timeout_s=0.5)
    assert camera.capture().number == 1
    bench.fault = "timeout"
    with pytest.raises(CameraInterrupted, match=r"sent no frame within 0\.5 s: check the ribbon cable"):
        camera.capture()
    assert bench.acquired == set(), "the camera must be given back before it is opened again"
    bench.fault = "none"
    assert camera.capture().number == 2
    assert bench.configured == 2
    assert bench.unreleased == 0


def test_a_frontend_that_stays_dead_becomes_a_fault_after_the_time_allowed(connect, bench, clock):
    camera = connect(timeout_s=5.0, recovery_s=30.0)
    bench.fault = "timeout"
    interruptions = 0
    with pytest.raises(CameraError, match=r"tried \d+ times in \d+ s\): check the ribbon") as message:
        while True:
            try:
                camera.capture()
            except CameraInterrupted:
                interruptions += 1
    assert not isinstance(message.value, CameraInterrupted)
    assert 2 <= interruptions <= 7
    assert 30.0 <= clock.seconds < 45.0
    assert bench.configured == 1 + interruptions


def test_a_frame_ends_the_count_of_failures(connect, bench):
    camera = connect(timeout_s=5.0, recovery_s=7.0)
    for _ in range(10):
        bench.fault = "timeout"
        with pytest.raises(CameraInterrupted):
            camera.capture()
        bench.fault = "none"
        camera.capture()


def test_nobody_takes_the_camera_while_it_is_opened_again(connect, bench):
    camera = connect()
    bench.fault = "timeout"
    with pytest.raises(CameraInterrupted):
        camera.capture()
    with pytest.raises(CameraUnavailable, match="already in use"):
        connect()


def test_a_camera_that_disappears_is_told_and_may_come_back(connect, bench):
    camera = connect()
    bench.fault, bench.models = "unplugged", []
    with pytest.raises(CameraInterrupted, match="disappeared"):
        camera.capture()
    with pytest.raises(CameraInterrupted, match=r"no Pi camera 0 \(found: none\)"):
        camera.capture()
    bench.fault, bench.models = "none", ["imx477"]
    assert camera.capture().number == 1
    camera.close()


def test_both_pictures_are_of_the_same_instant_and_colour(connect, bench):
    def gradient(number, size):
        width, height = size
        rgb = np.empty((height, width, 3), np.uint8)
        rgb[...] = (220, 40, 10 + number)
        rgb[:, : width // 2, 1] = 200
        return rgb

    bench.scene = gradient
    camera = connect(width=640, height=480, preview_width=100)
    camera.capture()
    frame = camera.capture()
    assert frame.preview.shape == (76, 100, 3)
    assert np.abs(frame.preview[10, 10].astype(int) - frame.pixels[60, 60]).max() <= 3
    assert np.abs(frame.preview[10, 90].astype(int) - frame.pixels[60, 600]).max() <= 3


def test_the_preview_can_be_left_out(connect, bench):
    assert connect(preview_width=None).capture().preview is None


@pytest.mark.parametrize("size", [(64, 48), (100, 76), (320, 240), (62, 2)])
def test_planes_become_the_picture_they_were_made_of(size):
    width, height = size
    coarse = np.random.default_rng(3).integers(0, 256, (height // 2, width // 2, 3), np.uint8)
    rgb = coarse.repeat(2, axis=0).repeat(2, axis=1)
    planes = yuv420_from_rgb(rgb, 64)
    assert planes.shape[1] % 64 == 0
    assert np.abs(rgb_from_yuv420(planes, width, height).astype(int) - rgb).max() <= 3


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


@pytest.mark.parametrize(
    ("lores", "message"),
    [({"format": "RGB888", "size": (64, 64)}, "must be YUV"), ({"size": (4096, 64)}, "may not exceed main")],
)
def test_the_fake_refuses_second_streams_as_older_boards_do(lores, message):
    camera = picamera_fake.Picamera2()
    with pytest.raises(RuntimeError, match=message):
        camera.configure(camera.create_still_configuration(lores=lores))
    camera.close()


def test_the_fake_refuses_controls_the_sensor_lacks():
    camera = picamera_fake.Picamera2()
    with pytest.raises(RuntimeError, match="AfMode is not advertised"):
        camera.configure(camera.create_still_configuration(controls={"AfMode": 1}))
    camera.close()
