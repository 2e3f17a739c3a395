from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from leukoscope.cameras.replay import ReplayCamera, ReplayCameraSettings
from leukoscope.errors import CameraError, CameraUnavailable
from tests.cameras.clock import Clock


def picture(path, shade, size=(32, 24)):
    Image.new("RGB", size, (shade, 10, 20)).save(path)


def all_frames(camera):
    return list(iter(camera.capture, None))


def test_a_folder_is_replayed_in_natural_order_and_ends(tmp_path):
    for number in (10, 2, 1):
        picture(tmp_path / f"f{number}.png", number)
    camera = ReplayCameraSettings(path=tmp_path).open()
    frames = all_frames(camera)
    assert [frame.label for frame in frames] == ["f1.png", "f2.png", "f10.png"]
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert camera.capture() is None
    assert camera.skipped == []


def test_a_single_picture_is_a_replay_of_one(tmp_path):
    picture(tmp_path / "a.bmp", 77)
    assert len(all_frames(ReplayCameraSettings(path=tmp_path / "a.bmp").open())) == 1


@pytest.fixture
def video(tmp_path):
    """Twelve frames at 4 per second whose green grows by 20."""
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 4, (64, 48))
    for number in range(12):
        writer.write(np.full((48, 64, 3), (20, 20 * number, 220), np.uint8))
    writer.release()
    return path


def test_a_video_is_replayed_red_as_red(video):
    frames = all_frames(ReplayCameraSettings(path=video, pace="as_fast_as_possible").open())
    assert [frame.label for frame in frames] == [f"walk.avi#{number}" for number in range(1, 13)]
    assert np.abs(frames[0].pixels[20, 20].astype(int) - (220, 0, 20)).max() < 12


def test_a_video_waits_for_its_own_clock(video):
    clock = Clock()
    camera = ReplayCamera(ReplayCameraSettings(path=video), clock=clock, pause=clock.pause)
    for number in range(12):
        assert camera.capture().label == f"walk.avi#{number + 1}"
        assert clock.seconds == pytest.approx(number / 4)
    assert camera.capture() is None


def test_a_late_reader_misses_frames_and_gets_the_newest(video):
    clock = Clock()
    camera = ReplayCamera(ReplayCameraSettings(path=video), clock=clock, pause=clock.pause)
    seen = []
    while (frame := camera.capture()) is not None:
        assert abs(int(frame.pixels[20, 20, 1]) - 20 * (int(frame.label.split("#")[1]) - 1)) < 12
        seen.append(frame.label)
        clock.pause(0.8)  # what the instrument needs to examine it
    assert seen == ["walk.avi#1", "walk.avi#4", "walk.avi#7", "walk.avi#10"]
    assert frame is None


def test_a_video_begins_when_it_is_first_looked_at(video):
    clock = Clock()
    camera = ReplayCamera(ReplayCameraSettings(path=video), clock=clock, pause=clock.pause)
    clock.pause(60.0)
    assert camera.capture().label == "walk.avi#1"


def test_a_bad_picture_is_skipped_and_told(tmp_path):
    picture(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.jpg").write_text("hello")
    picture(tmp_path / "4.png", 4)
    camera = ReplayCameraSettings(path=tmp_path).open()
    assert [frame.number for frame in all_frames(camera)] == [1, 2]
    assert [path.name for path, _ in camera.skipped] == ["2.png", "3.jpg"]
    assert "empty" in camera.skipped[0][1]
    assert "not a picture" in camera.skipped[1][1]


def test_pictures_of_different_sizes_are_all_delivered(tmp_path):
    picture(tmp_path / "1.png", 1)
    picture(tmp_path / "2.png", 2, size=(30, 24))
    camera = ReplayCameraSettings(path=tmp_path).open()
    assert [camera.capture().pixels.shape for _ in range(2)] == [(24, 32, 3), (24, 30, 3)]
    assert camera.skipped == []


def test_a_replay_of_nothing_but_bad_pictures_is_an_error_not_an_end(tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(CameraError, match=r"nothing could be replayed.*1\.png.*empty"):
        ReplayCameraSettings(path=tmp_path).open().capture()


def test_a_folder_without_pictures_is_refused_when_opened(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CameraUnavailable, match=r"no pictures to replay in .* png"):
        ReplayCameraSettings(path=tmp_path).open()


def test_a_file_that_is_neither_picture_nor_video_is_refused_when_opened(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(CameraUnavailable, match="neither a video nor a picture"):
        ReplayCameraSettings(path=tmp_path / "notes.txt").open()


def test_a_picture_above_the_limit_is_skipped_and_told(tmp_path):
    picture(tmp_path / "1.png", 1)
    picture(tmp_path / "2.png", 1, size=(100, 100))
    camera = ReplayCameraSettings(path=tmp_path, max_pixels=5000).open()
    all_frames(camera)
    assert "at most 5,000 pixels" in camera.skipped[0][1]


def test_a_replay_needs_a_path():
    with pytest.raises(ValidationError, match="path"):
        ReplayCameraSettings()  # type: ignore[call-arg]


def test_a_recording_that_was_cut_short_does_not_end_as_a_whole_one_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 4, (64, 48))
    noise = np.random.default_rng(0).integers(0, 255, (24, 48, 64, 3)).astype(np.uint8)
    for frame in noise:
        writer.write(frame)
    writer.release()
    content = path.read_bytes()
    path.write_bytes(content[: int(0.6 * len(content))])
    camera = ReplayCameraSettings(path=path, pace="as_fast_as_possible").open()
    with pytest.raises(CameraError, match=r"ends after 1\d of 24 frames, it was cut short"):
        all_frames(camera)
    capfd.readouterr()  # what FFmpeg says of the torn frame


def test_pages_of_a_file_are_fields_and_other_kinds_of_pictures_are_told(tmp_path: Path) -> None:
    pages = [np.random.default_rng(seed).integers(0, 255, (24, 32, 3)).astype(np.uint8) for seed in (1, 2)]
    Image.fromarray(pages[0]).save(
        tmp_path / "two.tif", save_all=True, append_images=[Image.fromarray(pages[1])], compression="raw"
    )
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x1cftypheic")
    camera = ReplayCameraSettings(path=tmp_path).open()
    frames = all_frames(camera)
    assert [frame.label for frame in frames] == ["two.tif#1", "two.tif#2"]
    assert np.array_equal(frames[1].pixels, pages[1])
    assert [path.name for path, _ in camera.skipped] == ["a.heic"]
