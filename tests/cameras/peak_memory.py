"""How much memory reading a picture takes at its peak, in a process of its own."""

import subprocess
import sys
from pathlib import Path

_PEAK = """
import sys
from pathlib import Path
from leukoscope.cameras.pictures import read_picture
def peak_mib():
    # Unlike getrusage it does not begin with what the parent had in memory.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
# What the libraries take when they are first used is no part of a picture.
read_picture(Path(sys.argv[2]))
before = peak_mib()
read_picture(Path(sys.argv[1]))
print(peak_mib() - before)
"""


def growth_mib(picture: Path, small: Path) -> float:
    """What reading a picture adds to the peak, in MiB, after a small one of its kind was read."""
    command = [sys.executable, "-c", _PEAK, str(picture), str(small)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
