"""The largest picture that is read, from the file to its counts."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.command_line import simulated_camera

COMMAND = Path(sys.executable).with_name("leukoscope")
MOST_BYTES = 300_000_000
LIBRARIES_BYTES = 80_000_000
"""What Python, OpenCV and the runtime map of their files; right after an installation the system shows 50 MB more."""
POLL_S = 0.02
TRIES = 3
"""Pages of the picture's file are given back by a thread, late where other programs have the processors."""


@pytest.mark.parametrize(
    ("rows", "cols", "um_per_px"),
    [(7_070, 7_070, "0.127"), (3_360, 3_840, "0.127"), (1_680, 1_920, "0.254")],
    ids=["the largest", "looked at in one go", "of a small scale"],
)
def test_pictures_of_any_size_are_examined_in_300_megabytes(
    tmp_path: Path, rows: int, cols: int, um_per_px: str
) -> None:
    """Python and the runtime alone take 130 of them, the pixels of the largest would take 150."""
    field = simulated_camera().capture().pixels
    slide = np.tile(field, (-(-rows // len(field)), -(-cols // field.shape[1]), 1))[:rows, :cols]
    Image.fromarray(slide).save(tmp_path / "large.jpg", quality=90)
    command = [str(COMMAND), "examine", str(tmp_path / "large.jpg"), "--um-per-px", um_per_px, "--json"]
    limit, most = MOST_BYTES - LIBRARIES_BYTES, MOST_BYTES
    for _ in range(TRIES):
        most = _peak_bytes(command, tmp_path / "out.json")
        assert json.loads((tmp_path / "out.json").read_bytes())["counts"]["rbc"] > rows * cols / 10_000
        if most < limit:
            break
    assert 50_000_000 < most < limit


def _peak_bytes(command: list[str], answer: Path) -> int:
    most = 0
    with answer.open("wb") as out, subprocess.Popen(command, stdout=out) as running:
        while running.poll() is None:
            most = max(most, _own_bytes(running.pid))
            time.sleep(POLL_S)
    assert running.returncode == 0
    return most


def _own_bytes(process: int) -> int:
    """What a process holds in memory, but for files that lie on the disk under a name."""
    try:
        lines = Path(f"/proc/{process}/smaps").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0  # it has just ended
    held, named = 0, False
    for line in lines:
        first, *fields = line.split()
        if not first.endswith(":"):
            named = len(fields) > 4 and fields[4].startswith("/") and fields[-1] != "(deleted)"
        elif (first == "Rss:" and not named) or (first == "Anonymous:" and named):
            held += int(fields[0]) * 1024
    return held
