"""The watch over each case sees what it is there for."""

from pathlib import Path

import numpy as np
import pytest

from leukoscope.errors import PictureError
from tests.fuzz import watch
from tests.fuzz.cases import NAMED, run_case
from tests.fuzz.target import Target
from tests.fuzz.watch import Hangs, StrayFile, little_memory, watched


def test_a_file_outside_the_folder_is_seen_and_not_written(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    with watched(inside):
        (inside / "good").write_bytes(b"")
        (inside / "sub").mkdir()
    for spoil in (
        lambda: outside.write_bytes(b""),
        (inside / ".." / "outside").touch,
        outside.mkdir,
        lambda: (inside / "good").replace(outside),
        (tmp_path / "insider").touch,
    ):
        with pytest.raises(StrayFile), watched(inside):
            spoil()
        assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_a_case_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LIMIT_S", 0.02)
    with pytest.raises(Hangs), watched(tmp_path):
        while True:
            try:
                sum(range(100))
            except Exception:
                continue


def test_memory_beyond_the_limit_is_not_given() -> None:
    with little_memory(), pytest.raises(MemoryError):
        np.zeros(3 * 2**30, dtype=np.uint8)
    np.zeros(2**20, dtype=np.uint8)


def _read(content: bytes, folder: Path) -> None:
    raise PictureError("no picture" if content else "no picture:\nnone at all", "give one")


def test_an_error_of_several_lines_is_a_defect(tmp_path: Path) -> None:
    target = Target("drawn", lambda _: b"", _read, lambda: ())
    assert run_case(target, b"content", tmp_path / "a") == NAMED
    with pytest.raises(AssertionError, match="expected one line"):
        run_case(target, b"", tmp_path / "b")
    assert not list(tmp_path.iterdir())
