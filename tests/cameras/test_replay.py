import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from leukoscope.cameras.replay import ReplayCameraSettings
from leukoscope.errors import CameraError, CameraUnavailable


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


def test_a_video_is_replayed_red_as_red(tmp_path):
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (64, 48))
    for _ in range(3):
        writer.write(np.full((48, 64, 3), (20, 30, 220), np.uint8))
    writer.release()
    frames = all_frames(ReplayCameraSettings(path=path).open())
    assert [frame.label for frame in frames] == ["walk.avi#1", "walk.avi#2", "walk.avi#3"]
    assert np.abs(frames[0].pixels[20, 20].astype(int) - (220, 30, 20)).max() < 12


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
        ReplayCameraSettings()
