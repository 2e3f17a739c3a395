"""A folder as a display."""

from pathlib import Path

import pytest
from PIL import Image

from leukoscope.displays.snapshot import SnapshotSettings
from leukoscope.errors import DisplayError

SIZE = (96, 32)


def grey(level: int) -> Image.Image:
    return Image.new("RGB", SIZE, (level, level, level))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def settings(folder: Path, keep: int = 500) -> SnapshotSettings:
    return SnapshotSettings(folder=folder, width=96, height=32, keep=keep)


def test_only_a_changed_picture_is_written(tmp_path: Path) -> None:
    display = settings(tmp_path).open()
    for level in (1, 1, 2, 2, 1):
        display.show(grey(level))
    assert names(tmp_path) == ["screen-000001.png", "screen-000002.png", "screen-000003.png"]
    assert Image.open(tmp_path / "screen-000002.png").getpixel((0, 0)) == (2, 2, 2)


def test_a_second_run_goes_on_behind_the_first(tmp_path: Path) -> None:
    for level in (1, 2):
        display = settings(tmp_path).open()
        display.show(grey(level))
        display.close()
    assert names(tmp_path) == ["screen-000001.png", "screen-000002.png"]


def test_only_the_newest_are_kept_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_bytes(b"mine")
    (tmp_path / "screen-final.png").write_bytes(b"mine too")
    display = settings(tmp_path, keep=3).open()
    for level in range(10):
        display.show(grey(level))
    assert names(tmp_path) == [
        "notes.png",
        "screen-000008.png",
        "screen-000009.png",
        "screen-000010.png",
        "screen-final.png",
    ]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DisplayError, match=r"cannot use .*file/screens"):
        settings(tmp_path / "file" / "screens").open()
