import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.startup import find_bundle
from leukoscope.inference.bundle import Bundle
from tests.bundles_installed.devices import real_archive, write_bench
from tests.bundles_installed.workshop import RULES

ROOT = Path(__file__).resolve().parents[2]


def test_the_device_starts_on_a_valid_bundle_whatever_step_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bundles_installed.killed", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = {name: int(count) for name, count in re.findall(r"(.+): (\d+) steps", done.stdout)}
    assert steps["installing"] > 30
    assert steps["starting on trial"] > 8
    assert steps["rolling back"] > 8


@pytest.mark.parametrize("seed", range(4))
def test_the_command_killed_at_any_moment_leaves_a_whole_bundle_in_force(tmp_path: Path, seed: int) -> None:
    archive = real_archive(tmp_path, "9.0.0")
    bench = write_bench(tmp_path)
    command = [sys.executable, "-m", "leukoscope.cli.main", "bundle", "install", str(archive), "--bench", str(bench)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store = BundleStore(tmp_path / "state" / "bundles")
    try:
        # From the moment at which it begins to write; it lasts a few tenths of a second.
        while not store.folder.exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0.0, 0.3))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = find_bundle("classifier", None, store, RULES.software)
    bundle = Bundle.read(found.folder)
    assert bundle.network_path("onnx")
    assert bundle.golden_path()
    assert found.installed == (bundle.manifest.version == "9.0.0")
