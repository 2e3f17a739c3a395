"""The folder of a run of the fleet."""

import pytest

from fleet_simulation.postgres import ServerError
from fleet_simulation.run_folder import RunFolder
from fleet_simulation.running import refuse_ended, wait_until_stored
from fleet_simulation.servers import Program
from leukoscope.errors import LeukoscopeError
from tests.brokers import wait_until


@pytest.fixture
def said(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return []


def test_a_run_that_held_leaves_nothing(said):
    with RunFolder(said.append) as folder:
        (folder.path / "collector-1.log").write_text("collecting\n")
    assert not folder.path.exists()
    assert said == []


@pytest.mark.parametrize("raises", [False, True])
def test_a_run_that_did_not_hold_keeps_its_logs_and_says_where(said, raises):
    folder = RunFolder(said.append)
    try:
        with folder:
            (folder.path / "cluster").mkdir()
            (folder.path / "cluster" / "out").write_text("Starting broker\n")
            (folder.path / "silent.log").touch()
            if raises:
                raise ServerError("no database takes writes")
            folder.keep = True
    except ServerError:
        assert raises
    assert said == [f"the logs of this run are in {folder.path}", "  cluster/out"]
    assert (folder.path / "cluster" / "out").read_text() == "Starting broker\n"


def test_a_collector_that_ends_by_itself_ends_the_run_with_its_last_line(tmp_path, database):
    program = Program(["sh", "-c", "echo Timeout during AMQP handshake; exit 1"], tmp_path / "collector-2.log")
    program.start()
    assert wait_until(lambda: program.ended)
    with pytest.raises(LeukoscopeError, match="collector-2 ended by itself: Timeout during AMQP handshake"):
        refuse_ended([program])
    database.open().close()
    with pytest.raises(LeukoscopeError, match="collector-2 ended by itself"):
        wait_until_stored(database.conninfo, 1, [program])
