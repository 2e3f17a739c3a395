"""`examine` and `classify` on folders as they are found: what cannot be read is named, what is printed is whole."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.commands.command_line import leukoscope, simulated_pictures

SCALE = ("--um-per-px", "0.127")


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next(iter(simulated_pictures(tmp_path_factory.mktemp("fields"), 1)))[0]


def test_what_is_left_out_of_a_folder_is_named_and_ends_with_status_2(field: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(field.read_bytes())
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x1cftypheic")
    (tmp_path / "readme.txt").write_text("pictures of today")
    outcome = leukoscope("examine", tmp_path, *SCALE)
    assert outcome.code == 2
    assert len(outcome.out.splitlines()) == 1
    assert outcome.err == "leukoscope: 1 file left out, of a kind that is not read: b.heic\n"


def test_every_page_of_a_file_is_a_line_and_of_a_focus_stack_the_sharpest_is(field: Path, tmp_path: Path) -> None:
    with Image.open(field) as picture:
        sharp = picture.convert("RGB")
    blurred = Image.fromarray(cv2.GaussianBlur(np.asarray(sharp), (0, 0), 6))
    other = sharp.transpose(Image.Transpose.ROTATE_180)
    sharp.save(tmp_path / "two.tif", save_all=True, append_images=[other])
    blurred.save(tmp_path / "stack.tif", save_all=True, append_images=[sharp])
    masks = tmp_path / "masks"
    outcome = leukoscope("examine", tmp_path / "two.tif", *SCALE, "--mask-dir", masks)
    assert outcome.code == 0, outcome.err
    assert [line.partition(":")[0] for line in outcome.out.splitlines()] == [
        str(tmp_path / "two.tif#1"),
        str(tmp_path / "two.tif#2"),
    ]
    assert sorted(path.name for path in masks.iterdir()) == ["two-1.png", "two-2.png"]
    refused = leukoscope("examine", tmp_path / "stack.tif", *SCALE)
    assert (refused.code, refused.out) == (2, "")
    chosen = leukoscope("examine", tmp_path / "stack.tif", *SCALE, "--focus-stack")
    assert chosen.code == 0
    assert "stack.tif#2: " in chosen.out
    assert "REFUSED" not in chosen.out


@pytest.mark.parametrize("command", ["examine", "classify"])
def test_a_scale_that_red_cells_contradict_is_warned_of(command: str, field: Path) -> None:
    wrong = leukoscope(command, field, "--um-per-px", "0.0635")
    assert wrong.code == 0
    assert "red cells measure" in wrong.err
    assert "7.2 expected: check the scale" in wrong.err
    assert leukoscope(command, field, *SCALE).err == ""


def test_a_name_cannot_steer_the_terminal(field: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "\x1b[2Jfield\u202egnp.png"
    hostile.write_bytes(field.read_bytes())
    (tmp_path / "\x1b]0;x\x07.png").write_bytes(b"")
    outcome = leukoscope("examine", tmp_path, *SCALE)
    assert not {"\x1b", "\u202e", "\x07"} & set(outcome.out + outcome.err)
    assert "\\x1b[2Jfield\\u202egnp.png" in outcome.out


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_result_that_does_not_fit_ends_with_one_line_and_status_2(field: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "leukoscope.cli.main", "examine", field, *SCALE],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "could not be written to standard output (No space left on device)" in line


def test_a_damaged_picture_is_one_line_whatever_its_decoder_prints(field: Path, tmp_path: Path) -> None:
    with Image.open(field) as picture:
        picture.convert("RGB").save(tmp_path / "whole.tif", compression="tiff_adobe_deflate")
    content = bytearray((tmp_path / "whole.tif").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "flipped.tif").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "leukoscope.cli.main", "examine", tmp_path / "flipped.tif", *SCALE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"leukoscope: {tmp_path / 'flipped.tif'} cannot be decoded")
