"""The largest picture that is read, from the file to its counts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.command_line import simulated_camera

EXAMINE = """
import sys
from pathlib import Path
from leukoscope.cli import main
try:
    main.main()
finally:
    # Unlike getrusage it does not begin with what the parent had in memory.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(int(line.split()[1]) * 1024, file=sys.stderr)
"""
MOST_BYTES = 300_000_000


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
    command = [
        sys.executable,
        "-c",
        EXAMINE,
        "examine",
        str(tmp_path / "large.jpg"),
        "--um-per-px",
        um_per_px,
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["counts"]["rbc"] > rows * cols / 10_000
    assert int(done.stderr.split()[-1]) < MOST_BYTES
