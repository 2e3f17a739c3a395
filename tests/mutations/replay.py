"""Runs tests against an altered copy of the device's code."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.mutation import ROOT, Mutation

GREEN, RED = 0, 1
"""What pytest ends with where every test passed, and where some failed; more is a mistake in how it was called."""


@contextmanager
def scratch_copy() -> Iterator[Path]:
    """A folder with the packages of the device, and beside them what their code looks for in a checkout."""
    with tempfile.TemporaryDirectory(prefix="leukoscope-mutation-") as folder:
        copy = Path(folder)
        # With the compiled code, which holds as long as a file keeps its time: only what is altered is compiled anew.
        shutil.copytree(ROOT / "device", copy / "device")
        for name in ("models", "calibration", "pyproject.toml"):
            (copy / name).symlink_to(ROOT / name)
        yield copy


def run_tests(copy: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run tests of this checkout with the packages of the copy."""
    device = str(copy / "device")
    environ = os.environ | {"PYTHONPATH": device, "PYTHONDONTWRITEBYTECODE": "1"}
    where = "import leukoscope; print(leukoscope.__file__)"
    used = subprocess.run([sys.executable, "-c", where], env=environ, capture_output=True, text=True, check=True).stdout
    if not used.startswith(device):
        raise RuntimeError(f"expected the package in {device}, found {used.strip()}")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)


def replay(mutation: Mutation) -> subprocess.CompletedProcess[str]:
    """Run the tests of a mutation against a copy that has it."""
    with scratch_copy() as copy:
        path = copy / mutation.file
        path.write_text(mutation.applied(path.read_text("utf-8")), "utf-8")
        return run_tests(copy, mutation.tests)
