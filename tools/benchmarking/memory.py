"""How much memory `leukoscope run` takes at most, measured in a process of its own."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import tomli_w

from leukoscope.errors import LeukoscopeError

LIMIT_MB = 250.0
TIMEOUT_S = 300.0
# A parent's memory counts into what getrusage says about its children, so the child tells by itself.
_CHILD = """
import sys
from leukoscope.cli.main import main
try:
    main()
finally:
    print(open("/proc/self/status").read(), file=sys.stderr)
"""


def peak_rss_mb(segmenter: Path, classifier: Path, engine: str, white_cells: int = 10) -> float | None:
    """Most memory resident at once during one short sample on the simulated bench, in 10^6 bytes.

    The simulated slide and microscope are in it, and so are pages of libraries as the system happens to keep them:
    right after an installation up to 50 MB more than after a restart. None where the system has no /proc to ask.

    Raises:
        LeukoscopeError: the run failed.
    """
    if not Path("/proc/self/status").exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        bench = Path(folder) / "bench.toml"
        bench.write_text(
            tomli_w.dumps(
                {
                    "site": "benchmark",
                    "device": "memory",
                    "camera": {"driver": "simulated", "dwell_frames": 2, "smear": {"white_per_1000_rbc": 40.0}},
                    "calibration": {"file": "simulated.toml"},
                    "displays": [{"driver": "snapshot", "folder": f"{folder}/screens"}],
                    "controls": [{"driver": "scripted", "presses": [{"action": "toggle", "after_s": 0.0}]}],
                    "storage": {"folder": f"{folder}/state"},
                    "counting": {"white_cells": white_cells},
                    "reporting": {"driver": "none"},
                    "models": {
                        "segmenter": str(segmenter.resolve()),
                        "classifier": str(classifier.resolve()),
                        "engine": {"driver": engine, "threads": 1},
                    },
                }
            ),
            "utf-8",
        )
        run = subprocess.run(
            [sys.executable, "-c", _CHILD, "run", "--bench", str(bench), "--samples", "1"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    peak = re.search(r"^VmHWM:\s+(\d+) kB", run.stderr, re.MULTILINE)
    if run.returncode != 0 or peak is None:
        raise LeukoscopeError(
            f"the run whose memory was to be measured failed: {run.stderr[-500:]}", "read its last lines"
        )
    return int(peak[1]) * 1024 / 1e6
