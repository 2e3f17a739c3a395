"""What the central side's commands print arrives whole, or they say in one line that it did not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = """
name = "collector-1"
broker = {{ host = "127.0.0.1", port = 1 }}
store = {{ driver = "sqlite", file = "{folder}/reports.sqlite3" }}
"""


@pytest.mark.parametrize(
    "words",
    [
        ("leukoscope_collector", "--settings", "{folder}/collector.toml", "--show"),
        ("leukoscope_collector", "--settings", "{folder}/collector.toml", "--search", "S-1"),
        ("leukoscope_collector.provisioning", "{folder}/site", "--host", "localhost", "--device", "clinic/scope-1"),
    ],
    ids=["show", "search", "provision"],
)
def test_a_full_disk_under_standard_output_is_one_line_and_exit_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "collector.toml").write_text(SETTINGS.format(folder=tmp_path))
    command = [sys.executable, "-m", *(word.format(folder=tmp_path) for word in words)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "device")},
            check=False,
        )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert "could not be written to standard output (No space left on device)" in line
