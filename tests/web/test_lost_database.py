"""A database that goes away and comes back: the page and the steps of the centre go on without a start of their own."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import OutboxError
from leukoscope.messages.command import Outcome, result_of
from leukoscope.outbox.page_database import PageDatabase
from leukoscope.system.clock import utc_now
from leukoscope.web import Databases
from leukoscope_collector.postgres_store import PostgresSettings
from leukoscope_collector.report_store import StoreUnavailable
from leukoscope_collector.sqlite_store import SqliteSettings
from leukoscope_collector.web.step_sender import Sender
from leukoscope_collector.web.steps import Steps
from tests.brokers import HOST, Mosquitto, free_port, wait_until
from tests.collector.conftest import cluster, database
from tests.collector.running import Device
from tests.delivery.conftest import mosquitto
from tests.messages.examples import IDENTITY
from tests.web.conftest import NAME, PIN, Served
from tests.web.test_security import Client

__all__ = ["cluster", "database", "mosquitto"]
OTHER = "00000000-0000-0000-0000-000000000002"
ARGUMENTS = {
    "report": "00000000-0000-0000-0000-000000000001",
    "version": 1,
    "steps": [{"action": "review", "names": {"1": "blast"}}],
}


def end_all_connections(settings: PostgresSettings) -> None:
    """As a server that restarts, or fails over to its standby, does."""
    with psycopg.connect(settings.conninfo, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )


def test_each_thread_opens_a_new_connection_after_one_was_lost(database: PostgresSettings) -> None:
    databases = Databases(database.open)
    got: list[object] = []
    asked, answered = threading.Event(), threading.Event()

    def another_thread() -> None:
        databases.get().execute("SELECT 1")
        answered.set()
        asked.wait(10)
        got.append(databases.get().execute("SELECT 2"))
        databases.close()

    thread = threading.Thread(target=another_thread)
    thread.start()
    assert answered.wait(10)
    end_all_connections(database)
    with pytest.raises(StoreUnavailable):
        databases.get().execute("SELECT 1")
    assert databases.get().execute("SELECT 1") == [(1,)]
    asked.set()
    thread.join(10)
    # It did not have to fail first.
    assert got == [[(2,)]]
    end_all_connections(database)
    with pytest.raises(StoreUnavailable), databases.get().transaction():
        databases.get().execute("INSERT INTO web_cursor VALUES ('a', 'b')")
    with databases.get().transaction():
        databases.get().execute("INSERT INTO web_cursor VALUES ('a', 'b')")
    assert databases.get().execute("SELECT name FROM web_cursor") == [("a",)]
    databases.close()


def test_a_file_that_fails_is_told_in_words(tmp_path: Path) -> None:
    page, store = PageDatabase(tmp_path / "web.sqlite"), SqliteSettings(file=tmp_path / "store.sqlite3").open()
    with pytest.raises(OutboxError, match="cannot be read or written"):
        page.execute("SELECT * FROM gone")
    with pytest.raises(StoreUnavailable, match="cannot be read or written"):
        store.execute("SELECT * FROM gone")
    page.close()
    store.close()


@contextmanager
def centre(folder: Path, database: PostgresSettings, broker: int) -> Iterator[tuple[Client, str]]:
    """`leukoscope-collector web` over PostgreSQL, and the code that it shows."""
    settings = folder / "collector.toml"
    settings.write_text(
        f'broker = {{ host = "{HOST}", port = {broker} }}\nweb = {{ port = 0 }}\n'
        f'store = {{ driver = "postgresql", conninfo = "{database.conninfo}" }}\n'
    )
    command = [sys.executable, "-m", "leukoscope_collector", "web", "--settings", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield (
                Client(Served(folder, int(line.rstrip("/\n").rpartition(":")[2]))),
                process.stdout.readline().split()[-1],
            )
        finally:
            process.kill()


def test_the_page_answers_again_after_its_database_was_away(database: PostgresSettings, tmp_path: Path) -> None:
    with centre(tmp_path, database, free_port()) as (client, code):
        assert client.begin("/set-up", {"code": code, "name": NAME, "secret": PIN}) == 303
        assert {client.ask("GET", "/worklist")[0] for _ in range(8)} == {200}
        end_all_connections(database)
        statuses = [client.ask("GET", "/worklist")[0] for _ in range(12)]
        # What failed says so in a sentence, and no thread keeps a connection that is dead.
        assert set(statuses) <= {200, 503}
        assert statuses[-6:] == [200] * 6


def test_steps_are_sent_and_answered_after_the_database_was_away_and_whatever_a_device_says(
    database: PostgresSettings, mosquitto: Callable[[], Mosquitto]
) -> None:
    broker = mosquitto().start()
    databases = Databases(database.open)
    steps = Steps(databases)
    sender = Sender(BrokerSettings(host=HOST, port=broker.port), "page", "leukoscope/v1", steps, utc_now)
    commands: list[bytes] = []
    with Device(broker.port) as device:
        assert device.subscribe("leukoscope/v1/ward-3/scope-1/command")
        device.client.on_message = lambda client, data, message: commands.append(bytes(message.payload))
        sender.start()
        try:
            steps.add("ward-3", "scope-2", NAME, ARGUMENTS | {"report": OTHER}, utc_now())
            assert wait_until(lambda: steps.last(OTHER) == ("ward-3/scope-2", "", "nobody hears it there"))
            end_all_connections(database)
            with pytest.raises(StoreUnavailable):
                databases.get().execute("SELECT 1")
            steps.add("ward-3", "scope-1", NAME, ARGUMENTS, utc_now())
            assert wait_until(lambda: commands, 15)
            ((identifier,),) = databases.get().execute("SELECT id FROM web_command WHERE device = 'scope-1'")
            topic = "leukoscope/v1/ward-3/scope-1/result"
            for junk in (b"", b"{", b"[]", b'{"command": "%s"}' % identifier.encode(), b"\xff"):
                device.publish(junk, topic)
            done = Outcome("done", "version 2 is made", version=2, report=ARGUMENTS["report"])  # type: ignore[arg-type]
            message = result_of(identifier, "review", done, IDENTITY, sequence=1, at=utc_now(), clock_synchronised=True)
            device.publish(message, topic)
            assert wait_until(lambda: steps.last(str(ARGUMENTS["report"])) == ("ward-3/scope-1", "done", done.text))
        finally:
            sender.stop()
    databases.close()
