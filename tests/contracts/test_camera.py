"""What every camera promises, whatever the driver."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.cameras import picamera_fake
from leukoscope.cameras.gstreamer import GStreamerCameraSettings
from leukoscope.cameras.picamera import PiCamera, PiCameraSettings
from leukoscope.cameras.replay import ReplayCameraSettings
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.cameras.v4l2 import V4l2Camera, V4l2CameraSettings
from leukoscope.errors import CameraError, CameraUnavailable
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.specimen.sample import Source
from tests.cameras.fake_video_capture import FakeVideoCapture
from tests.cameras.gstreamers import NO_GSTREAMER

SIZE = (96, 128)


@dataclass
class Bench:
    """One driver with working hardware, and the same with none."""

    source: Source
    frame_source: str
    open: Any
    open_missing: Any


def simulated(folder: Path) -> Bench:
    scope = MicroscopeSettings(width=SIZE[1], height=SIZE[0], um_per_px=0.25)
    return Bench(Source.SIMULATED, "simulated", SimulatedCameraSettings(microscope=scope).open, None)


def replay(folder: Path) -> Bench:
    for number in range(5):
        Image.new("RGB", (SIZE[1], SIZE[0]), (200, 50 + number, 90)).save(folder / f"{number}.png")
    return Bench(
        Source.REPLAYED,
        "replay",
        ReplayCameraSettings(path=folder).open,
        ReplayCameraSettings(path=folder / "gone").open,
    )


def video(folder: Path) -> Bench:
    path = folder / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 100, (SIZE[1], SIZE[0]))
    for number in range(5):
        writer.write(np.full((*SIZE, 3), (90, 50 + number, 200), np.uint8))
    writer.release()
    return Bench(
        Source.REPLAYED,
        "replay",
        ReplayCameraSettings(path=path, pace="as_fast_as_possible").open,
        ReplayCameraSettings(path=folder / "gone.avi").open,
    )


def v4l2(folder: Path) -> Bench:
    settings = V4l2CameraSettings(device=3, width=SIZE[1], height=SIZE[0])
    return Bench(
        Source.LIVE,
        "v4l2:3",
        lambda: V4l2Camera(settings, lambda device: FakeVideoCapture(sizes=((SIZE[1], SIZE[0]),))),
        V4l2CameraSettings(device=str(folder / "gone")).open,
    )


def picamera(folder: Path) -> Bench:
    def connect(number: int = 0) -> PiCamera:
        size: dict[str, Any] = {"width": SIZE[1], "height": SIZE[0]}
        return PiCamera(PiCameraSettings(camera=number, lock_folder=folder, **size), picamera_fake)

    return Bench(Source.LIVE, "picamera", connect, lambda: connect(5))


def gstreamer(folder: Path) -> Bench:
    if NO_GSTREAMER:
        pytest.skip(NO_GSTREAMER)
    size: dict[str, Any] = {"width": SIZE[1], "height": SIZE[0], "frame_rate": 120, "timeout_s": 60.0}
    red = "videotestsrc is-live=true pattern=red ! video/x-raw,framerate=100/1"
    return Bench(
        Source.LIVE,
        "gstreamer",
        GStreamerCameraSettings(pipeline=red, **size).open,
        GStreamerCameraSettings(pipeline=f"filesrc location={folder}/gone ! rawvideoparse", **size).open,
    )


@pytest.fixture(params=[simulated, replay, video, v4l2, picamera, gstreamer], ids=lambda driver: driver.__name__)
def bench(request, tmp_path):
    picamera_fake.reset()
    yield request.param(tmp_path)
    picamera_fake.reset()


@pytest.fixture
def camera(bench):
    camera = bench.open()
    yield camera
    camera.close()


def test_pixels_are_rgb_bytes_in_one_block(camera):
    pixels = camera.capture().pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape == (*SIZE, 3)
    assert pixels.flags.c_contiguous


def test_red_comes_first(camera):
    red, _, blue = camera.capture().pixels.reshape(-1, 3).mean(axis=0)
    assert red > blue


def test_every_frame_has_the_same_size(camera):
    assert {camera.capture().pixels.shape for _ in range(4)} == {(*SIZE, 3)}


def test_frames_are_numbered_from_one(camera):
    assert [camera.capture().number for _ in range(4)] == [1, 2, 3, 4]


def test_numbering_begins_again_when_opened_again(bench):
    for _ in range(2):
        camera = bench.open()
        assert camera.capture().number == 1
        camera.close()


def test_the_time_is_utc_and_never_runs_backwards(camera):
    times = [camera.capture().captured_at for _ in range(3)]
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert times == sorted(times)


def test_the_source_flag_and_the_frames_source_agree(bench, camera):
    assert camera.source is bench.source
    assert camera.capture().source == bench.frame_source


def test_a_frame_is_not_changed_by_the_next_capture(camera):
    frame = camera.capture()
    before = frame.pixels.copy()
    camera.capture()
    assert np.array_equal(frame.pixels, before)


def test_writing_into_a_frame_does_not_reach_the_next(camera):
    frame = camera.capture()
    frame.pixels[...] = 0
    assert camera.capture().pixels.max() > 100


def test_closing_twice_is_safe(camera):
    camera.capture()
    camera.close()
    camera.close()


def test_closing_before_the_first_frame_is_safe(camera):
    camera.close()


def test_capturing_after_closing_says_so(camera):
    camera.close()
    with pytest.raises(CameraError, match="is closed: open it again"):
        camera.capture()


def test_it_can_be_opened_again_after_closing(bench):
    bench.open().close()
    camera = bench.open()
    assert camera.capture() is not None
    camera.close()


def test_only_a_replay_ends(bench, camera):
    frames = [camera.capture() for _ in range(7)]
    assert (frames[-1] is None) == (bench.source is Source.REPLAYED)


def test_a_missing_device_is_named_and_says_what_to_do(bench):
    if bench.open_missing is None:
        pytest.skip("a simulation is never missing")
    with pytest.raises(CameraUnavailable, match=r"(no|nothing|not there).*: .*(check|plugged in)"):
        bench.open_missing()


def test_a_preview_shows_the_same_field_in_fewer_pixels_or_there_is_none(camera):
    frame = camera.capture()
    if frame.preview is None:
        return
    small = frame.preview
    assert small.dtype == np.uint8
    assert small.flags.c_contiguous
    assert small.shape[1] <= SIZE[1]
    assert small.shape[0] / small.shape[1] == pytest.approx(SIZE[0] / SIZE[1], abs=2 / small.shape[1])
    assert np.abs(small.mean(axis=(0, 1)) - frame.pixels.mean(axis=(0, 1))).max() < 6


def test_exposure_is_told_or_left_open_but_never_zero(camera):
    frame = camera.capture()
    assert frame.exposure_us is None or frame.exposure_us > 0
