"""The pipeline driver on a real GStreamer, fed by its test picture."""

import os
import signal
import time

import numpy as np
import pytest

from leukoscope.cameras.gstreamer import GStreamerCamera, GStreamerCameraSettings
from leukoscope.errors import CameraError, CameraInterrupted, CameraUnavailable
from tests.cameras.clock import Clock
from tests.cameras.gstreamers import NO_GSTREAMER

LIVE = "videotestsrc is-live=true pattern=ball ! video/x-raw,framerate=100/1"
PATIENT_S = 60.0
"""A loaded machine may be slow to start a process."""

needs_gstreamer = pytest.mark.skipif(bool(NO_GSTREAMER), reason=NO_GSTREAMER)


def settings(pipeline=LIVE, **changes):
    chosen = {"width": 128, "height": 96, "frame_rate": 100, "timeout_s": PATIENT_S} | changes
    return GStreamerCameraSettings(pipeline=pipeline, **chosen)


@pytest.fixture
def opened():
    cameras, clock = [], Clock()

    def open_one(*args, **changes):
        cameras.append(GStreamerCamera(settings(*args, **changes), clock=clock, pause=clock.pause))
        return cameras[-1], clock

    yield open_one
    for camera in cameras:
        camera.close()


def pid_of(camera):
    return camera._pipeline._process.pid


@needs_gstreamer
def test_pictures_are_whole_and_move_on(opened):
    camera, _ = opened()
    first, later = camera.capture(), camera.capture()
    assert first.pixels.shape == (96, 128, 3)
    for frame in (first, later):
        rows, cols = np.nonzero(frame.pixels[..., 0] > 200)
        # A ball in one piece: no picture is put together from two.
        assert np.ptp(rows) < 60 and np.ptp(cols) < 60
    assert not np.array_equal(first.pixels, later.pixels)


@needs_gstreamer
def test_a_slow_reader_gets_a_new_picture_and_not_one_that_waited(opened):
    camera, _ = opened()
    before = camera._reader._arrived
    camera.capture()
    deadline = time.monotonic() + PATIENT_S
    while camera._reader._arrived < before + 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    passed = camera._reader._arrived
    camera.capture()
    assert camera._reader._arrived > passed, "a frame that arrived before the call must not be delivered"


@needs_gstreamer
def test_a_pipeline_that_dies_is_an_interruption_and_starts_again(opened):
    camera, _ = opened()
    camera.capture()
    os.kill(pid_of(camera), signal.SIGKILL)
    with pytest.raises(CameraInterrupted, match="no picture from the pipeline, it ended"):
        while True:
            camera.capture()
    assert camera.capture().number > 1


@needs_gstreamer
def test_a_pipeline_that_falls_silent_is_ended_and_named(opened, monkeypatch):
    monkeypatch.setattr("leukoscope.cameras.pipeline._END_S", 0.1)
    camera, _ = opened()
    camera.capture()
    pid = pid_of(camera)
    os.kill(pid, signal.SIGSTOP)
    camera._settings = settings(timeout_s=0.5)
    with pytest.raises(CameraInterrupted, match=r"within 0\.5 s: check the camera's cable"):
        while True:
            camera.capture()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    camera._settings = settings()
    assert camera.capture() is not None


@needs_gstreamer
def test_a_pipeline_that_stays_broken_becomes_a_fault(opened, monkeypatch):
    camera, clock = opened("videotestsrc is-live=true num-buffers=5", recovery_s=5.0)
    monkeypatch.setattr("leukoscope.cameras.pipeline.PROGRAM", "gst-launch-that-is-gone")
    with pytest.raises(
        CameraError,
        match=r"is not there \(No such file or directory\) \(tried \d+ times in 5 s\): check that GStreamer",
    ) as message:
        for _ in range(10_000):
            try:
                camera.capture()
            except CameraInterrupted:
                continue
    assert not isinstance(message.value, CameraInterrupted)
    assert clock.seconds == pytest.approx(5.0, abs=1.0)


@needs_gstreamer
def test_closing_ends_the_process(opened):
    camera, _ = opened()
    pid = pid_of(camera)
    camera.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@needs_gstreamer
@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ("filesrc location=/none-such ! rawvideoparse", 'Resource not found. No such file "/none-such"'),
        ("nosuchsrc ! videoconvert", 'no element "nosuchsrc"'),
        ("videotestsrc num-buffers=0", "it ended"),
        ('videotestsrc name="a', "check its quotes"),
    ],
)
def test_a_pipeline_that_cannot_run_says_why_when_it_is_opened(opened, pipeline, message):
    with pytest.raises(CameraUnavailable, match=r"no .*pipeline") as refused:
        opened(pipeline)
    assert message in str(refused.value)
    assert "check" in str(refused.value)


def test_without_gstreamer_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("leukoscope.cameras.pipeline.PROGRAM", "gst-launch-none-such")
    with pytest.raises(CameraUnavailable, match=r"apt install gstreamer1.0-tools gstreamer1.0-plugins-base"):
        settings().open()


def test_a_jetson_needs_no_pipeline_but_its_parts():
    jetson = GStreamerCameraSettings(exposure_us=4000, analogue_gain=2, sensor=1, width=1920, height=1080)
    assert jetson.source_elements == (
        'nvarguscamerasrc sensor-id=1 wbmode=5 aelock=true exposuretimerange="4000000 4000000" gainrange="2 2" '
        'ispdigitalgainrange="1 1" ! video/x-raw(memory:NVMM),format=NV12,width=1920,height=1080,framerate=30/1 '
        "! nvvidconv ! video/x-raw,format=BGRx,width=1920,height=1080"
    )


@needs_gstreamer
def test_the_parts_of_a_jetson_reach_gstreamer_as_one_pipeline():
    """Only NVIDIA's own elements are missing here, and the error names the first of them."""
    with pytest.raises(CameraUnavailable, match='no element "nvarguscamerasrc"'):
        GStreamerCameraSettings().open()
