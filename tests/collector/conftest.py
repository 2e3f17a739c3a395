"""Collectors, stores of both kinds, and the brokers between them and a device."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from fleet_simulation.postgres import ScratchPostgres, ServerError
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.postgres_store import PostgresSettings
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import HOST
from tests.collector.running import Running
from tests.delivery.conftest import mosquitto

__all__ = ["mosquitto"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[ScratchPostgres]:
    try:
        made = ScratchPostgres(durable=False)
    except ServerError as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.fixture
def database(cluster: ScratchPostgres, request: pytest.FixtureRequest) -> PostgresSettings:
    """An empty database."""
    name = f"db_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(cluster.conninfo, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return PostgresSettings(driver="postgresql", conninfo=cluster.conninfo.replace("dbname=postgres", f"dbname={name}"))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteSettings | PostgresSettings:
    """A new store of each kind."""
    if request.param == "sqlite":
        return SqliteSettings(file=tmp_path / "store" / "reports.sqlite3")
    return request.getfixturevalue("database")


@pytest.fixture
def collector() -> Iterator[Callable[..., Running]]:
    """Makes running collectors; each is stopped with the test."""
    made: list[Running] = []

    def make(port: int, store: object, name: str = "collector-1", **settings: object) -> Running:
        quick = {"longest_retry_s": 0.3, "broker": {"host": HOST, "port": port, "connect_timeout_s": 2}}
        made.append(Running(CollectorSettings.model_validate({"name": name, "store": store} | quick | settings)))
        return made[-1]

    yield make
    for one in made:
        one.stop()
