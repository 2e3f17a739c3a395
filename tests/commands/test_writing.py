"""What a command writes arrives whole where it was asked for, or the command says so and ends with status 2."""

import csv
import io
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from leukoscope.exporting.table import as_csv
from leukoscope.system.acting_as import as_owner_of
from leukoscope.system.output_file import write_output
from leukoscope.system.standard_output import OutputError, written_whole
from tests.commands.command_line import leukoscope
from tests.exporting.stored import blood, original, store

COMMAND = (sys.executable, "-m", "leukoscope.cli.main")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return store(blood(), tmp_path / "alone")


def run_into(stdout: int, *arguments: object, most_bytes: int | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command with its standard output in a file that may take so many bytes."""

    def limit() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=limit,
    )


@pytest.mark.parametrize(("form", "unbuffered"), [("fhir", "1"), ("html", ""), ("csv", "1")])
def test_an_export_that_does_not_fit_is_never_a_success(
    form: str, unbuffered: str, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with (tmp_path / "cut").open("wb") as file:
        done = run_into(file.fileno(), "export", report, "--as", form, most_bytes=1024)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("leukoscope: the result could not be written to standard output")


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["export", "{report}", "--as", "csv"]])
def test_every_command_that_prints_says_when_the_disk_is_full(command: list[str], report: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_into(full.fileno(), *(part.format(report=report) for part in command))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr


def test_a_file_that_may_not_be_used_is_one_line_too() -> None:
    message = "/nowhere/at/all: No such file or directory: check the path"
    with pytest.raises(OutputError, match=message), written_whole():
        Path("/nowhere/at/all").read_bytes()


def test_out_writes_through_a_link(report: Path, tmp_path: Path) -> None:
    real, link = tmp_path / "elsewhere" / "real.csv", tmp_path / "link.csv"
    real.parent.mkdir()
    real.write_text("of before")
    link.symlink_to(real)
    assert leukoscope("export", report, "--as", "csv", "--out", link).code == 0
    assert link.is_symlink()
    assert real.read_text() == as_csv(original()).replace("\r\n", "\n")


def test_out_writes_into_a_pipe(report: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert leukoscope("export", report, "--as", "csv", "--out", pipe).code == 0
    reader.join(10)
    assert read == [as_csv(original()).encode()]
    assert pipe.is_fifo()


def test_out_onto_a_full_device_is_told(report: Path) -> None:
    outcome = leukoscope("export", report, "--as", "csv", "--out", "/dev/full")
    assert outcome.code == 2
    assert "/dev/full cannot be written (No space left on device)" in outcome.err
    assert Path("/dev/full").is_char_device()


def test_a_new_file_is_written_in_a_new_folder(tmp_path: Path) -> None:
    write_output(tmp_path / "a" / "b", b"x", mode=0o600)
    assert (tmp_path / "a" / "b").read_bytes() == b"x"
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\tx", '=HYPERLINK("http://x")'])
def test_a_cell_is_no_formula(name: str) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(original(blood(sample_id=name))), newline="")))
    assert {row["specimen_id"] for row in rows} == {f"'{name}"}
    assert all(not row["value"].startswith("'") for row in rows)


@pytest.fixture
def of_the_service() -> Iterator[Path]:
    """A storage folder of another user."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "state"
        Path(name).chmod(0o755)
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield folder


def test_what_the_superuser_writes_into_a_storage_folder_is_its_owners(of_the_service: Path) -> None:
    before = os.geteuid()
    with as_owner_of(of_the_service):
        (of_the_service / "new").touch()
    assert (of_the_service / "new").stat().st_uid == of_the_service.stat().st_uid
    assert os.geteuid() == before


def test_a_program_that_lies_where_the_service_has_no_access_still_finds_its_parts(of_the_service: Path) -> None:
    home = of_the_service.parent / "home"
    home.mkdir(mode=0o700)
    (home / "late.py").write_text("LOADED = True\n")
    with as_owner_of(of_the_service):
        assert (home / "late.py").read_text() == "LOADED = True\n"
        (of_the_service / "new").touch()
    assert (of_the_service / "new").stat().st_uid == of_the_service.stat().st_uid
