"""Files that a power cut must not damage, and locks between processes."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope.system.durable_files import FileLock, LockHeld, append_line, put_in_place, write_whole

HOLD = """
import sys
from pathlib import Path
from leukoscope.system.durable_files import FileLock
with FileLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _synced(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[list[str]]:
    """What the folder held at each fsync."""
    seen: list[list[str]] = []
    fsync = os.fsync

    def noting(number: int) -> None:
        seen.append(sorted(path.name for path in folder.iterdir()))
        fsync(number)

    monkeypatch.setattr(os, "fsync", noting)
    return seen


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _synced(monkeypatch, tmp_path)
    write_whole(tmp_path / "state.json", b"new")
    assert seen == [[".state.json.unfinished"], ["state.json"]]


def test_a_finished_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part").write_bytes(b"all of it")
    seen = _synced(monkeypatch, tmp_path)
    put_in_place(tmp_path / "part", tmp_path / "whole")
    assert seen == [["part"], ["whole"]]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "state.json"
    write_whole(path, b"old")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_whole(path, b"new")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("state.json", b"old")]


def test_a_file_can_be_made_for_its_owner_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "support.tar.gz", b"x", mode=0o600)
    assert (tmp_path / "support.tar.gz").stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append_line(path, b"one")
    with path.open("ab") as file:
        file.write(b"tw")
    size = append_line(path, b"three")
    assert path.read_bytes() == b"one\ntw\nthree\n"
    assert size == path.stat().st_size


def test_a_new_file_of_lines_has_its_name_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _synced(monkeypatch, tmp_path)
    append_line(tmp_path / "lines", b"one")
    append_line(tmp_path / "lines", b"two")
    assert len(seen) == 3  # file and folder, then the file alone


def test_a_lock_names_its_holder_and_is_free_once_the_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "storage.lock"
    lock = FileLock(path)
    assert lock.holder() is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeld) as refused:
            lock.take()
        assert refused.value.holder == lock.holder() == f"process {holder.pid} (-c)"
        holder.kill()
    with lock:
        assert f"process {os.getpid()} " in path.read_text()
    assert lock.holder() is None


def test_a_lock_of_an_earlier_version_names_its_holder_too(tmp_path: Path) -> None:
    path = tmp_path / "camera.lock"
    with FileLock(path):
        path.write_text("812\n")
        with pytest.raises(LockHeld, match=r"locked by process 812$"):
            FileLock(path).take()


def test_a_waiting_lock_is_taken_once_the_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "trend.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        holder.stdin.write("\n")
        holder.stdin.flush()
        with FileLock(path, wait=True):
            assert f"process {os.getpid()} " in path.read_text()


def test_a_folder_that_is_gone_is_an_error_and_not_made_again(tmp_path: Path) -> None:
    gone = tmp_path / "stick" / "state.json"
    for write in (write_whole, append_line):
        with pytest.raises(FileNotFoundError):
            write(gone, b"new")
    assert not gone.parent.exists()
