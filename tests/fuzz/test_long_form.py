import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope.errors import PictureError
from tests.fuzz.__main__ import DEFECT, run_target
from tests.fuzz.cases import ACCEPTED, NAMED
from tests.fuzz.target import Target

ROOT = Path(__file__).resolve().parents[2]


def test_the_long_form_prints_a_table_and_ends_well_where_there_is_no_defect(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--only",
        "status messages",
        "--cases",
        "60",
        "--keep",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    heading, line = done.stdout.splitlines()
    assert heading.split()[:2] == ["target", "cases"]
    cases, named, accepted, defects = (int(word) for word in line.removeprefix("status messages").split()[:4])
    assert (cases, defects) == (60, 0)
    assert named + accepted == 60
    assert not list(tmp_path.iterdir())


def test_every_kind_of_defect_is_told_once_and_its_case_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(content: bytes, folder: Path) -> None:
        match content[0] % 4:
            case 0:
                raise PictureError("no picture", "give one")
            case 1:
                raise KeyError("name")
            case 2:
                raise MemoryError

    target = Target("drawn pictures", lambda rng: bytes([rng.randrange(256)]), read, lambda: ())
    seen = run_target(target, 200, 0, tmp_path / "kept")
    assert seen.total() == 200
    assert all(seen[outcome] > 20 for outcome in (ACCEPTED, NAMED, DEFECT))
    message = capsys.readouterr().out.splitlines()
    assert len(message) == 2
    assert sorted("KeyError" in line for line in message) == [False, True]
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        f"drawn-pictures-{number}{suffix}" for number in (1, 2) for suffix in ("", ".txt")
    }
