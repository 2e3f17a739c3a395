import subprocess
import sys
import tomllib
from pathlib import Path

from leukoscope.bundles.installing import accept
from tests.bundles_installed import workshop
from tests.bundles_installed.workshop import rules

ROOT = Path(__file__).resolve().parents[2]


def pack_bundle(*arguments: object) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, ROOT / "tools" / "pack_bundle.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_key_is_made_and_an_archive_signed_with_it_is_accepted(tmp_path: Path) -> None:
    made = pack_bundle("new-key", tmp_path / "key.pem")
    (public,) = tomllib.loads(made.stdout[made.stdout.index("[models]") :])["models"]["keys"]
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    folder = workshop.bundle(tmp_path / "ours", "ours", "1.2.3").folder
    out = tmp_path / "ours.leukoscope"
    packed = pack_bundle("pack", folder, "--key", tmp_path / "key.pem", "--out", out, "--below", "3.0.0")
    assert packed.returncode == 0, packed.stderr
    _, contents, _ = accept(out.read_bytes(), "a", rules(keys=(public,)))
    assert (contents.name, contents.version, contents.software.below) == ("ours", "1.2.3", "3.0.0")


def test_a_key_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("precious")
    refused = pack_bundle("new-key", tmp_path / "key.pem")
    assert refused.returncode == 2
    assert "cannot be made (File exists)" in refused.stderr
    assert (tmp_path / "key.pem").read_text() == "precious"


def test_a_bundle_that_fails_its_golden_check_does_not_leave_the_desk(tmp_path: Path) -> None:
    folder = workshop.bundle(tmp_path / "ours", turned=True).folder
    refused = pack_bundle("pack", folder, "--out", tmp_path / "a.leukoscope")
    assert refused.returncode == 2
    assert "fails its golden check on onnx" in refused.stderr
    assert not (tmp_path / "a.leukoscope").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["ours"]
