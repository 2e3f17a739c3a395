"""The package imports on any laptop."""

import os
import subprocess
import sys
from pathlib import Path

import leukoscope


def test_no_hardware_library_is_needed_until_a_display_or_control_is_opened() -> None:
    program = (
        "import sys, leukoscope.displays.show, leukoscope.controls\n"
        "hardware = {'luma', 'gpiozero', 'lgpio', 'pygame', 'RPi', 'spidev', 'smbus2', 'termios'}\n"
        "print(sorted(hardware & set(sys.modules)))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(leukoscope.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment, timeout=60, check=True)
    assert done.stdout == b"[]\n"
