import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope.system import host

ASKING = """
import os, sys
started = []
sys.addaudithook(lambda event, facts: started.append(event) if event in ("subprocess.Popen", "os.fork") else None)
from leukoscope.system.host import clock_synchronised
print(clock_synchronised() in (True, False, None), started)
"""


def test_asking_whether_the_clock_is_synchronised_starts_no_program() -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"


@pytest.mark.parametrize(
    ("model", "processors", "name"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0\0", "Hardware\t: BCM2712\n", "Raspberry Pi 5 Model B Rev 1.0"),
        (None, "processor\t: 0\nmodel name\t: AMD EPYC 7B13\nmodel name\t: other\n", "AMD EPYC 7B13"),
        (None, "processor\t: 0\n", ""),
        (None, None, ""),
    ],
)
def test_a_board_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str | None, processors: str | None, name: str
) -> None:
    for place, text in (("_BOARD_MODEL", model), ("_PROCESSORS", processors)):
        monkeypatch.setattr(host, place, tmp_path / place)
        if text is not None:
            (tmp_path / place).write_text(text)
    assert host.board_name() == name
