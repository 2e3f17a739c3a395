import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
ON_A_BOARD = [unit for unit in UNITS if not any(word in unit.name for word in ("collector", "web"))]
MOST_EXPOSED = 2.0


def systemd(program: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin")
    if found is None:
        pytest.skip(f"needs {program}: apt-get install systemd")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_may_touch_little(unit: Path) -> None:
    found = run(systemd("systemd-analyze"), "security", "--offline=true", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", found.stdout)
    assert exposure is not None, found.stderr
    assert float(exposure[1]) <= MOST_EXPOSED


def test_a_leak_ends_the_device_before_it_takes_the_board_along() -> None:
    text = (SYSTEMD / "leukoscope.service").read_text()
    assert re.search(r"^MemoryMax=\d+%$", text, re.MULTILINE)
    assert "OOMPolicy=stop" in text


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_has_a_bound_to_its_memory(unit: Path) -> None:
    assert re.search(r"^MemoryMax=\d+[%MG]$", unit.read_text(), re.MULTILINE)


def test_systemd_has_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    program = shutil.which("true")
    for unit in UNITS:
        # The program is not installed where the tests run; everything else is judged as it is.
        text = unit.read_text().replace("/opt/leukoscope-collector/bin/leukoscope-collector", str(program))
        text = text.replace("/opt/leukoscope/.venv/bin/leukoscope", str(program))
        (tmp_path / unit.name).write_text(text)
    verdict = run(systemd("systemd-analyze"), "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS))
    assert (verdict.returncode, verdict.stderr) == (0, "")


def test_user_groups_and_folders_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    users = run(systemd("systemd-sysusers"), f"--root={tmp_path}", SYSTEMD / "leukoscope.sysusers.conf")
    assert users.returncode == 0, users.stderr
    groups = {line.split(":")[0]: line.split(":")[3] for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert {one for one, members in groups.items() if "leukoscope" in members} == {
        "video",
        "render",
        "gpio",
        "i2c",
        "spi",
        "input",
    }
    folders = run(systemd("systemd-tmpfiles"), "--create", "--dry-run", SYSTEMD / "leukoscope.tmpfiles.conf")
    assert "nknown" not in folders.stderr.replace("Unknown user", "").replace("Unknown group", "")


def test_the_user_of_the_collector_is_made_with_the_name_its_unit_has(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    made = run(systemd("systemd-sysusers"), f"--root={tmp_path}", SYSTEMD / "leukoscope-collector.sysusers.conf")
    assert made.returncode == 0, made.stderr
    users = [line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    unit = (SYSTEMD / "leukoscope-collector@.service").read_text()
    assert re.findall(r"^User=(.*)$", unit, re.MULTILINE) == [one for one in users if one == "leukoscope-collector"]


def test_the_groups_of_the_unit_are_those_that_are_made() -> None:
    made = re.findall(r"^m leukoscope (\w+)$", (SYSTEMD / "leukoscope.sysusers.conf").read_text(), re.MULTILINE)
    for unit in ON_A_BOARD:
        wanted = re.search(r"^SupplementaryGroups=(.*)$", unit.read_text(), re.MULTILINE)
        assert wanted is not None
        assert set(wanted[1].split()) == set(made)
