"""What the installer asks apt for on each system, and doctor, with answers that are made up: a Jetson is not here."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from leukoscope.messages.report import decode, encode
from leukoscope.settings import BenchSettings
from leukoscope.system.lock_digest import LOCK, lock_digest
from tests.messages.examples import NOW, PROVENANCE, report

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ("ca-certificates", "python3", "python3-venv")
JETPACK = ("ca-certificates", "python3.11", "python3.11-venv")


def functions() -> str:
    """The installer without its last lines, which begin to install."""
    text, _, _ = (ROOT / "tools" / "install").read_text("utf-8").partition('if [ "$uninstall" = yes ]')
    moving = 'cd "$(dirname "${BASH_SOURCE[0]}")/.."'
    assert moving in text
    return text.replace(moving, f'cd "{ROOT}"')


def run(folder: Path, what: str, **programs: str) -> subprocess.CompletedProcess[str]:
    """Call functions of the installer as root, with programs that answer as the test sets them."""
    for name, script in programs.items():
        path = folder / name.replace("_", "-").replace("python311", "python3.11")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    script = f"id() {{ echo 0; }}\n{functions()}\nPATH={folder}:/usr/bin:/bin\n{what}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)


def asked_of_apt(folder: Path, offered: str, installed: str, *, jetson: bool) -> list[str]:
    done = run(
        folder,
        f"on_jetson() {{ {str(jetson).lower()}; }}\ninstall_packages",
        apt_get=f'echo "$@" >>{folder}/apt',
        apt_cache=f"""
            [ $1 = pkgnames ] && echo python3-venv && exit
            case " {offered} " in *" $2 "*) echo "  Candidate: 1.0" ;; *) echo "  Candidate: (none)" ;; esac
            # Much more than a pipe holds: a reader that leaves after the first line is noticed.
            seq -f "        500 http://deb.example/debian stable/main %g" 20000""",
        # The name is its last argument.
        dpkg_query=f"""
            for name; do :; done
            case " {installed} " in *" $name "*) printf installed ;; *) exit 1 ;; esac""",
    )
    assert done.returncode == 0, done.stderr
    asked = (folder / "apt").read_text().splitlines() if (folder / "apt").exists() else []
    return [word for line in asked if line.startswith("install") for word in line.split() if not word.startswith("-")][
        1:
    ]


@pytest.mark.parametrize(
    ("offered", "installed", "jetson", "asked"),
    [
        pytest.param(
            "python3-picamera2 python3-lgpio python3-evdev",
            "ca-certificates python3 python3-picamera2",
            False,
            ["python3-venv", "python3-lgpio", "python3-evdev"],
            id="Raspberry Pi OS",
        ),
        pytest.param("python3-lgpio", "", False, [*DEBIAN, "python3-lgpio"], id="Debian"),
        # Ubuntu 22.04 has them for its own Python 3.10, which is not the one that is used.
        pytest.param("python3-lgpio python3-evdev", "ca-certificates python3", True, [*JETPACK[1:]], id="JetPack"),
        pytest.param("python3-lgpio", " ".join(JETPACK), True, [], id="JetPack again"),
    ],
)
def test_apt_is_asked_for_what_the_system_needs_and_has_not(
    tmp_path: Path, offered: str, installed: str, jetson: bool, asked: list[str]
) -> None:
    assert asked_of_apt(tmp_path, offered, installed, jetson=jetson) == asked


def test_a_system_without_apt_is_refused_by_name(tmp_path: Path) -> None:
    done = run(tmp_path, f"PATH={tmp_path}\ninstall_packages")
    assert done.returncode == 2
    assert "only Raspberry Pi OS, Debian and JetPack are known here" in done.stderr


def test_where_the_system_s_python_is_too_old_a_newer_one_beside_it_is_taken(tmp_path: Path) -> None:
    # As on JetPack 6: python3 is 3.10, which the installer may not use.
    done = run(tmp_path, f"PATH={tmp_path}\nfind_python", python3="exit 1", python311="exit 0")
    assert done.stdout == f"{tmp_path}/python3.11\n"
    (tmp_path / "python3.11").unlink()
    assert run(tmp_path, f"PATH={tmp_path}\nfind_python || echo none").stdout == "none\n"


@pytest.mark.parametrize(("numpy", "pinned"), [("1.24.2", True), ("2.1.0", False), (None, False)])
def test_system_packages_that_were_built_against_numpy_1_keep_it(
    tmp_path: Path, numpy: str | None, pinned: bool
) -> None:
    if numpy is not None:
        (tmp_path / "numpy.py").write_text(f'__version__ = "{numpy}"\n')
    done = run(tmp_path, f"PYTHONPATH={tmp_path} constraints python3 -S")
    assert ("numpy<2" in done.stdout) is pinned


@pytest.mark.parametrize(
    ("got", "chosen"),
    [
        ('onnx 22.2 ms, litert 13.8 ms: litert is faster here; [models.engine] driver = "litert"', "litert"),
        ("onnx 22.2 ms, litert 23.8 ms: onnx is a good choice", None),
    ],
)
def test_settings_made_by_questions_name_the_engine_that_doctor_found_faster(
    tmp_path: Path, got: str, chosen: str | None
) -> None:
    findings = [{"part": "camera", "good": False, "text": "missing"}, {"part": "engine", "good": True, "text": got}]
    lines = "\n".join(map(json.dumps, findings))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    doctor = tmp_path / ".venv" / "bin" / "leukoscope"
    # Something is always missing while a board is being set up, and doctor then ends with 2.
    doctor.write_text(f"#!/bin/sh\n[ $1 = doctor ] || exit 1\ncat <<'END'\n{lines}\nEND\nexit 2\n")
    doctor.chmod(0o755)
    settings = tmp_path / "bench.toml"
    shutil.copy(ROOT / "systemd" / "bench.toml", settings)
    done = run(tmp_path, f"OPT={tmp_path}\nchoose_engine {settings}")
    assert done.returncode == 0, done.stderr
    assert BenchSettings.read(settings).models.engine.driver == (chosen or "onnx")


@pytest.mark.parametrize(
    ("processor", "python", "constrained", "lock"),
    [
        ("x86_64", "3.11", False, "systemd/locks/device/x86_64-python3.11.txt"),
        ("aarch64", "3.13", False, "systemd/locks/device/aarch64-python3.13.txt"),
        # No lock is made for these, and system packages that were built against numpy 1 keep it.
        ("aarch64", "3.12", False, ""),
        ("armv7l", "3.11", False, ""),
        ("aarch64", "3.11", True, ""),
    ],
)
def test_a_board_is_installed_from_the_lock_of_its_processor_and_python(
    tmp_path: Path, processor: str, python: str, constrained: bool, lock: str
) -> None:
    (tmp_path / "constraints.txt").write_text("numpy<2\n" if constrained else "")
    done = run(
        tmp_path, f"lock_for python3 {tmp_path}/constraints.txt", uname=f"echo {processor}", python3=f"echo {python}"
    )
    assert (done.returncode, done.stdout) == (0, lock), done.stderr


def test_a_report_names_the_lock_that_its_software_was_installed_from(tmp_path: Path) -> None:
    assert lock_digest(tmp_path) is None
    (tmp_path / LOCK).parent.mkdir(parents=True)
    (tmp_path / LOCK).write_bytes(b"numpy==2.0\n")
    digest = lock_digest(tmp_path)
    assert digest == hashlib.sha256(b"numpy==2.0\n").hexdigest()
    message = encode(
        report(provenance=replace(PROVENANCE, dependencies=digest)), boot_id="b", sequence=1, sent_clock=NOW
    )
    assert message["provenance"]["dependencies"] == digest
    assert decode(message).provenance.dependencies == digest
