"""A storage folder has one instrument, and a sample goes on only on the instrument that began it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from leukoscope.errors import OutboxError
from leukoscope.outbox.ownership import LOCK, owned
from leukoscope.service.event_journal import EventJournal
from leukoscope.service.sample_progress import SampleProgress, made_with
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.messages.examples import PROVENANCE

PARTS = made_with(PROVENANCE)
HOLD = "import sys; from pathlib import Path; from leukoscope.outbox.ownership import owned\n\
with owned(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def begun(folder: Path, parts: Mapping[str, str]) -> Path:
    header = {"report_id": "a", "sample_id": "S-1", "started_at": "2026-11-01T00:00:00+00:00", "made_with": dict(parts)}
    journal = EventJournal.begin(folder, "a", header)
    journal.close()
    return journal.path


def holder_of(folder: Path) -> "subprocess.Popen[bytes]":
    """A process that runs an instrument on the folder until its input ends."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_a_second_instrument_on_a_folder_is_refused_before_it_touches_the_sample_of_the_first(tmp_path: Path) -> None:
    storage = tmp_path / "state"
    journal = begun(storage / "in-progress", PARTS)
    before = journal.read_bytes()
    with holder_of(storage) as first:
        outcome = leukoscope("run", "--bench", write_bench(tmp_path), "--samples", "1")
        first.communicate()
    assert outcome.code == 2
    assert f"is in use by process {first.pid}" in outcome.err
    assert "a storage.folder of its own" in outcome.err
    assert journal.read_bytes() == before
    assert not (storage / "outbox.sqlite").exists()


def test_the_folder_is_free_again_when_its_instrument_was_killed(tmp_path: Path) -> None:
    with holder_of(tmp_path) as first:
        with pytest.raises(OutboxError, match="is in use by"), owned(tmp_path):
            pytest.fail("two owners")
        first.kill()
    with owned(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


def test_a_lock_file_that_was_deleted_opens_the_folder_to_nobody(tmp_path: Path) -> None:
    """A person takes it for a leftover, and the second instrument would go on with the sample of the first."""
    with holder_of(tmp_path) as first:
        (tmp_path / LOCK).unlink()
        for _ in range(2):
            with pytest.raises(OutboxError, match=r"another process \(\.running was deleted"), owned(tmp_path):
                pytest.fail("two owners")
        first.kill()
    with owned(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instrument": "clinic/scope-9"}, "on another site or device"),
        ({"instrument": "elsewhere/scope-1"}, "on another site or device"),
        ({"classifier": "other"}, "with other networks"),
    ],
)
def test_a_sample_of_another_instrument_is_set_aside(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = begun(tmp_path, {**PARTS, **change})
    said: list[str] = []
    progress = SampleProgress(tmp_path, lambda error: said.append(str(error)))
    assert progress.interrupted(PARTS, lambda report_id: False) is None
    assert message in said[0]
    assert not path.exists()
    assert [one.suffix for one in tmp_path.iterdir()] != [".events"]


def test_a_sample_of_a_version_that_did_not_write_down_its_instrument_goes_on(tmp_path: Path) -> None:
    begun(tmp_path, {name: value for name, value in PARTS.items() if name != "instrument"})
    found = SampleProgress(tmp_path, lambda error: pytest.fail(str(error))).interrupted(PARTS, lambda report_id: False)
    assert found is not None
    assert found.header["sample_id"] == "S-1"
