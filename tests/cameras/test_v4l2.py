import inspect
import re

import cv2
import pytest

from leukoscope.cameras.v4l2 import V4l2Camera, V4l2CameraSettings
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable
from tests.cameras.fake_video_capture import FakeVideoCapture


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def pause(self, seconds):
        self.seconds += seconds


def opened(fake=None, **settings):
    fake = fake or FakeVideoCapture()
    clock = Clock()
    camera = V4l2Camera(V4l2CameraSettings(**settings), lambda device: fake, clock=clock, pause=clock.pause)
    return camera, fake


@pytest.mark.parametrize("name", ["isOpened", "set", "get", "grab", "retrieve", "read", "release"])
def test_the_fake_has_the_signatures_of_opencv(name):
    """cv2 tells its signatures only in its docstrings: `read([, image]) -> retval, image`."""
    written = re.match(rf"{name}\((.*?)\) ->", getattr(cv2.VideoCapture, name).__doc__)
    assert written, f"OpenCV no longer documents VideoCapture.{name} as expected"
    wanted = re.findall(r"\w+", written[1])
    parameters = list(inspect.signature(getattr(FakeVideoCapture, name)).parameters)[1:]
    assert parameters == wanted


def test_size_buffer_and_exposure_are_locked():
    _, fake = opened(exposure_us=8000, width=640, height=480)
    assert fake.properties[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert fake.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 1
    assert fake.properties[cv2.CAP_PROP_EXPOSURE] == 80


def test_without_a_locked_exposure_the_camera_is_set_back_to_automatic():
    camera, fake = opened()
    assert fake.properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 3
    assert camera.capture().exposure_us is None


def test_the_exposure_really_used_is_in_the_frame():
    camera, _ = opened(exposure_us=8040)
    assert camera.capture().exposure_us == 8000


def test_a_pixel_format_is_asked_for_as_four_letters():
    _, fake = opened(pixel_format="MJPG")
    assert int(fake.properties[cv2.CAP_PROP_FOURCC]) == cv2.VideoWriter.fourcc(*"MJPG")


def test_blue_first_becomes_red_first():
    camera, _ = opened()
    assert camera.capture().pixels[5, 5].tolist() == [200, 20, 10]


def test_a_frame_from_before_the_call_is_thrown_away():
    camera, _ = opened(stale_frames=2)
    assert camera.capture().pixels[0, 0, 0] == 3


def test_a_silent_camera_times_out_and_names_itself():
    camera, _ = opened(FakeVideoCapture(fault="silent"), device="/dev/video7", timeout_s=1.5)
    with pytest.raises(CameraTimeout, match=r"/dev/video7 sent no frame within 1\.5 s: check its cable"):
        camera.capture()


def test_an_unplugged_camera_is_told_from_a_silent_one(tmp_path):
    device = tmp_path / "video0"
    device.touch()
    camera, fake = opened(device=str(device))
    camera.capture()
    fake.fault = "silent"
    device.unlink()
    with pytest.raises(CameraError, match="video0 is gone: plug it in"):
        camera.capture()


def test_an_error_inside_opencv_is_a_camera_error(monkeypatch):
    def fail(image=None):
        raise cv2.error("ioctl")

    camera, fake = opened()
    monkeypatch.setattr(fake, "read", fail)
    with pytest.raises(CameraError, match=r"failed \(ioctl\): start again"):
        camera.capture()


def test_a_camera_that_changes_its_size_is_an_error():
    camera, _ = opened(FakeVideoCapture(fault="resized"))
    with pytest.raises(CameraError, match="sent 100x100 pixels instead of 640x480"):
        camera.capture()


def test_a_size_the_camera_lacks_is_refused_and_the_camera_let_go():
    fake = FakeVideoCapture(sizes=((1280, 720),))
    with pytest.raises(CameraUnavailable, match="offers 1280x720 pixels instead of 640x480"):
        opened(fake)
    assert fake.released == 1


def test_a_camera_without_manual_exposure_says_so_when_asked_for_it():
    with pytest.raises(CameraUnavailable, match="refuses a locked exposure of 8000 us"):
        opened(FakeVideoCapture(manual=False), exposure_us=8000)


def test_a_busy_device_is_told_from_a_missing_one(tmp_path):
    device = tmp_path / "video0"
    device.touch()
    with pytest.raises(CameraUnavailable, match="is there but does not open"):
        opened(FakeVideoCapture(opened=False), device=str(device))
    with pytest.raises(CameraUnavailable, match="is not there: is it plugged in"):
        opened(FakeVideoCapture(opened=False), device=str(tmp_path / "video1"))


@pytest.mark.parametrize("device", [97, "/dev/v4l/by-id/none-such"])
def test_opencv_itself_finds_no_missing_device(device):
    place = "/dev/video97" if device == 97 else device
    with pytest.raises(CameraUnavailable, match=place):
        V4l2CameraSettings(device=device).open()
