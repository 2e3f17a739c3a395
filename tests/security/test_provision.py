"""The command `tools/provision`: what is missing is made, what is there stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def provision(folder, *words):
    paths = f"{ROOT / 'tools'}:{ROOT / 'device'}"
    command = [sys.executable, "-m", "leukoscope_collector.provisioning", folder, *words]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_second_run_adds_devices_and_leaves_keys_and_settings_alone(tmp_path):
    first = provision(tmp_path, "--host", "localhost", "--device", "clinic/scope-1", "--collector", "collector-1")
    assert first.returncode == 0, first.stderr
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    second = provision(tmp_path, "--device", "clinic/scope-2", "--installed-at", "/etc/leukoscope/tls")
    assert second.returncode == 0, second.stderr
    assert all(path.read_bytes() == content for path, content in before.items())
    said = (tmp_path / "devices" / "clinic" / "scope-2" / "reporting.toml").read_text()
    assert 'client_key = "/etc/leukoscope/tls/key.pem"' in said
    assert "BEGIN" not in first.stdout + first.stderr + second.stdout + second.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "expected --host"),
        (["--host", "h", "--device", "scope-1"], "expected a device as clinic/scope-1"),
        (["--host", "h", "--device", "a/+"], "expected a device as clinic/scope-1"),
        (["--host", "h", "--device", f"{'a' * 40}/{'b' * 40}"], "at most 64 characters"),
        (["--host", "h", "--collector", "a/b"], "expected a name of letters"),
        (["--host", "h", "--collector", "x", "--operator", "x"], "already one of the collectors"),
        (["--host", "h", "--revoke", "nobody"], "nobody here is called nobody"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_exit_2(tmp_path, words, complaint):
    done = provision(tmp_path / "site", *words)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
