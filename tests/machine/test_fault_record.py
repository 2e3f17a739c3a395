import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from leukoscope.system.fault_record import FaultRecord, LastFault, part_in

CAMERA = LastFault("Camera", "the camera was unplugged", "plug it in again")


def test_a_fault_is_kept_until_everything_works(tmp_path: Path) -> None:
    record = FaultRecord(tmp_path)
    assert record.read() is None
    record.write(CAMERA)
    assert FaultRecord.of_this_service({"RUNTIME_DIRECTORY": str(tmp_path)}).read() == CAMERA
    record.clear()
    record.clear()
    assert record.read() is None


def test_without_a_folder_nothing_is_kept_and_nothing_fails() -> None:
    record = FaultRecord.of_this_service({})
    record.begin()
    record.write(CAMERA)
    record.clear()
    record.end()
    assert record.read() is None


@pytest.mark.parametrize("content", ["", "{", '"Camera"', '{"part": "Camera"}', '{"part": 1, "what": 2}'])
def test_a_record_that_cannot_be_read_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "fault.json").write_text(content)
    assert FaultRecord(tmp_path).read() is None


@pytest.mark.parametrize(
    ("calls", "part"),
    [
        (("cameras/v4l2.py", "service/loop.py", "cli/main.py"), "Camera"),
        (("outbox/store.py", "service/loop.py", "cli/main.py"), "Storage"),
        (("displays/oled.py", "displays/show.py", "service/presenter.py", "service/loop.py"), "Display"),
        (("inference/onnx.py", "analysis/segmenter.py", "instrument.py", "service/loop.py"), "Networks"),
        (("optics/motion.py", "instrument.py", "service/loop.py"), "Instrument"),
    ],
)
def test_the_part_that_hangs_is_where_the_main_loop_was(calls: tuple[str, ...], part: str) -> None:
    lines = [
        f'  File "/opt/leukoscope/.venv/lib/python3.11/site-packages/leukoscope/{call}", line 1 in f' for call in calls
    ]
    listing = "\n".join(
        [
            "Fatal Python error: Aborted\n",
            "Thread 0x00007f (most recent call first):",
            '  File "/opt/leukoscope/lib/leukoscope/delivery/mqtt/publisher.py", line 1 in f',
            "",
            "Current thread 0x00007e (most recent call first):",
            *lines,
        ]
    )
    assert part_in(listing) == part


HANGS = """
import signal, sys
from pathlib import Path
from leukoscope.system.fault_record import FaultRecord
record = FaultRecord(Path(sys.argv[1]))
record.begin()
print("hangs", flush=True)
signal.pause()
"""


def test_a_process_that_is_aborted_by_the_watchdog_leaves_word_of_where_it_was(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HANGS, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"hangs\n"
        process.send_signal(signal.SIGABRT)
    assert process.returncode == -signal.SIGABRT
    fault = FaultRecord(tmp_path).read()
    assert fault is not None
    assert "stopped answering" in fault.happened
    # The next start keeps it, for a third one that may not get as far, and forgets the old threads.
    again = FaultRecord(tmp_path)
    again.begin()
    again.end()
    assert (tmp_path / "stacks.txt").read_text() == ""
    assert again.read() == fault


def test_a_service_that_dies_of_a_fault_leaves_it_on_record(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text("site = ")
    environ = os.environ | {"RUNTIME_DIRECTORY": str(tmp_path)}
    command = [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    kept = json.loads((tmp_path / "fault.json").read_text())
    assert kept["part"] == "Settings"
    assert textwrap.shorten(kept["happened"], 20)
