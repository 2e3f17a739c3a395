import contextlib
import inspect
import os
import re

import cv2
import pytest

from leukoscope.cameras.v4l2 import V4l2Camera, V4l2CameraSettings
from leukoscope.errors import CameraError, CameraInterrupted, CameraUnavailable
from tests.cameras.clock import Clock
from tests.cameras.fake_video_capture import FakeVideoCapture


@pytest.fixture
def opened():
    cameras = []

    def open_one(fake=None, fakes=(), **settings):
        """The camera, the device it opened first, and its clock; it opens each of `fakes` in turn afterwards."""
        first, clock = fake or FakeVideoCapture(), Clock()
        devices = iter([first, *fakes])
        chosen = V4l2CameraSettings(**settings)
        camera = V4l2Camera(chosen, lambda device: next(devices), clock=clock, pause=clock.pause)
        cameras.append(camera)
        return camera, first, clock

    yield open_one
    for camera in cameras:
        camera.close()


@pytest.mark.parametrize("name", ["isOpened", "set", "get", "grab", "retrieve", "release"])
def test_the_fake_has_the_signatures_of_opencv(name):
    """cv2 tells its signatures only in its docstrings: `read([, image]) -> retval, image`."""
    written = re.match(rf"{name}\((.*?)\) ->", getattr(cv2.VideoCapture, name).__doc__)
    assert written, f"OpenCV no longer documents VideoCapture.{name} as expected"
    wanted = re.findall(r"\w+", written[1])
    parameters = list(inspect.signature(getattr(FakeVideoCapture, name)).parameters)[1:]
    assert parameters == wanted


def test_size_buffer_exposure_and_white_balance_are_locked(opened):
    _, fake, _ = opened(exposure_us=8000, white_balance_k=5000, width=640, height=480)
    assert fake.properties[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert fake.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert fake.properties[cv2.CAP_PROP_EXPOSURE] == 80
    assert fake.properties[cv2.CAP_PROP_AUTO_WB] == 0
    assert fake.properties[cv2.CAP_PROP_WB_TEMPERATURE] == 5000


def test_what_is_not_locked_is_set_back_to_automatic(opened):
    camera, fake, _ = opened()
    assert fake.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 3
    assert fake.properties[cv2.CAP_PROP_AUTO_WB] == 1
    assert camera.capture().exposure_us is None


def test_the_exposure_really_used_is_in_the_frame(opened):
    camera, _, _ = opened(exposure_us=8040)
    assert camera.capture().exposure_us == 8000


def test_a_pixel_format_is_asked_for_as_four_letters(opened):
    _, fake, _ = opened(pixel_format="MJPG")
    assert int(fake.properties[cv2.CAP_PROP_FOURCC]) == cv2.VideoWriter.fourcc(*"MJPG")


def test_blue_first_becomes_red_first(opened):
    camera, _, _ = opened()
    assert camera.capture().pixels[5, 5].tolist() == [200, 20, 10]


def test_frames_under_way_at_the_call_are_passed_over_and_none_is_queued(opened):
    camera, fake, _ = opened(stale_frames=2)
    for _ in range(3):
        taken_before = camera._reader._arrived
        thousands, hundreds, ones = camera.capture().pixels[0, 0].tolist()
        assert (thousands * 256 + hundreds) * 256 + ones >= taken_before + 3
    assert fake.retrieved == 3, "only frames that are waited for are decoded"


def test_a_silent_camera_is_an_interruption_that_names_it(opened):
    camera, _, _ = opened(FakeVideoCapture(fault="silent"), device="/dev/video7", timeout_s=0.1)
    with pytest.raises(CameraInterrupted, match=r"/dev/video7 sent no frame within 0\.1 s: check its cable"):
        camera.capture()


def test_a_camera_that_blocks_inside_its_driver_blocks_nobody_else(opened):
    stuck, fresh = FakeVideoCapture(fault="blocking"), FakeVideoCapture()
    camera, _, _ = opened(stuck, [fresh], timeout_s=0.1)
    with pytest.raises(CameraInterrupted, match="sent no frame within"):
        camera.capture()
    assert stuck.released == 0, "a device must not be released under the hands of who reads it"
    stuck.let_go.set()
    assert camera.capture().number == 1
    assert stuck.released == 1


def test_a_device_that_never_lets_go_is_named_and_not_opened_twice(opened, monkeypatch):
    monkeypatch.setattr("leukoscope.cameras.v4l2.RELEASE_S", 0.05)
    stuck = FakeVideoCapture(fault="blocking")
    camera, _, _ = opened(stuck, timeout_s=0.1)
    for message in ("sent no frame", "is silent and still held: unplug it"):
        with pytest.raises(CameraInterrupted, match=message):
            camera.capture()
    stuck.let_go.set()


def test_an_unplugged_camera_comes_back_locked_as_before(opened, tmp_path):
    device = tmp_path / "video0"
    device.touch()
    back = FakeVideoCapture()
    camera, fake, _ = opened(fakes=[back], device=str(device), exposure_us=8000)
    assert camera.capture().number == 1
    device.unlink()
    fake.fault = "silent"
    for _ in range(3):
        with pytest.raises(CameraInterrupted, match="video0 is gone: plug it in"):
            camera.capture()
    device.touch()
    assert camera.capture().number == 2
    assert back.properties[cv2.CAP_PROP_EXPOSURE] == 80
    assert fake.released == 1


def test_a_camera_that_stays_away_becomes_a_fault_after_the_time_allowed(opened, tmp_path):
    device = tmp_path / "video0"
    device.touch()
    camera, fake, clock = opened(device=str(device), recovery_s=20.0)
    device.unlink()
    fake.fault = "silent"
    with pytest.raises(CameraError, match=r"is gone \(tried \d+ times in 20 s\): plug it in") as message:
        for _ in range(1000):
            with contextlib.suppress(CameraInterrupted):
                camera.capture()
    assert not isinstance(message.value, CameraInterrupted)
    assert clock.seconds == pytest.approx(20.0, abs=1.0)


@pytest.mark.parametrize("where", ["grab", "retrieve"])
def test_an_error_inside_opencv_is_told_and_the_camera_opened_again(opened, monkeypatch, where):
    def fail():
        raise cv2.error("ioctl")

    fake = FakeVideoCapture()
    monkeypatch.setattr(fake, where, fail)
    camera, _, _ = opened(fake, [FakeVideoCapture()])
    with pytest.raises(CameraInterrupted, match=r"failed \(ioctl\): plug it in anew"):
        camera.capture()
    assert camera.capture().number == 1


def test_a_camera_that_changes_its_size_is_opened_again(opened):
    fake = FakeVideoCapture()
    camera, _, _ = opened(fake, [FakeVideoCapture()])
    fake.fault = "resized"
    with pytest.raises(CameraInterrupted, match="sent 100x100 pixels instead of 640x480"):
        camera.capture()
    assert camera.capture().pixels.shape == (480, 640, 3)


def test_a_size_the_camera_lacks_is_refused_and_the_camera_let_go(opened):
    fake = FakeVideoCapture(sizes=((1280, 720),))
    with pytest.raises(CameraUnavailable, match="offers 1280x720 pixels instead of 640x480"):
        opened(fake)
    assert fake.released == 1


@pytest.mark.parametrize(
    ("faults", "settings", "message"),
    [
        ({"manual": False}, {"exposure_us": 8000}, "refuses a locked exposure of 8000 us: leave `exposure_us` out"),
        ({"manual": False}, {"white_balance_k": 5000}, "refuses a locked white balance of 5000 K"),
        ({"holds": {cv2.CAP_PROP_EXPOSURE: 330}}, {"exposure_us": 8000}, "locks its exposure at 33000 us instead of"),
        ({"holds": {cv2.CAP_PROP_AUTO_EXPOSURE: 3}}, {"exposure_us": 8000}, "refuses a locked exposure"),
        ({"holds": {cv2.CAP_PROP_WB_TEMPERATURE: 6500}}, {"white_balance_k": 4600}, "at 6500 K instead of 4600 K"),
        (
            {"holds": {cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"YUYV")}},
            {"pixel_format": "MJPG"},
            "offers pixel format 'YUYV' instead of 'MJPG'",
        ),
    ],
)
def test_what_the_camera_does_not_hold_to_is_refused_when_read_back(opened, faults, settings, message):
    fake = FakeVideoCapture(**faults)
    with pytest.raises(CameraUnavailable, match=message):
        opened(fake, **settings)
    assert fake.released == 1


def test_a_busy_device_is_told_from_a_missing_one(opened, tmp_path):
    device = tmp_path / "video0"
    device.touch()
    with pytest.raises(CameraUnavailable, match="is there but does not open"):
        opened(FakeVideoCapture(opened=False), device=str(device))
    with pytest.raises(CameraUnavailable, match="is not there: is it plugged in"):
        opened(FakeVideoCapture(opened=False), device=str(tmp_path / "video1"))


def test_opencv_is_told_not_to_wait_ten_seconds_for_a_silent_device(monkeypatch):
    monkeypatch.delenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", raising=False)
    with pytest.raises(CameraUnavailable):
        V4l2CameraSettings(device="/dev/v4l/by-id/none-such").open()
    assert os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] == "2"


@pytest.mark.parametrize("device", [97, "/dev/v4l/by-id/none-such"])
def test_opencv_itself_finds_no_missing_device(device):
    place = "/dev/video97" if device == 97 else device
    with pytest.raises(CameraUnavailable, match=place):
        V4l2CameraSettings(device=device).open()
