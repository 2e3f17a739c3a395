"""Replays every golden pair on the LiteRT engine with whichever runtime is installed; run as a script.

Imports only what the engine itself needs, so that it runs in the small environment of tflite-runtime too.
"""

import sys
from pathlib import Path

from leukoscope.analysis.golden import replay
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings


def main(models: Path) -> int:
    """Print one line per bundle; 0 when every decision agrees."""
    failed = 0
    for folder in sorted(path.parent for path in models.glob("*/manifest.toml")):
        bundle = Bundle.read(folder)
        network = LitertSettings(threads=1).open(bundle)
        check = replay(bundle, network)
        print(f"{bundle.manifest.name}: {network.engine}: {check.agreed} of {check.decisions}, {check.surplus} surplus")
        failed += not check.passed or check.decisions == 0
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
