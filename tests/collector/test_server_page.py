"""What the page about the central side says works: its commands are run, its files fit each other."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from contextlib import closing
from importlib import resources
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import psycopg
import pytest
import yaml  # type: ignore[import-untyped]

from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.postgres_store import PostgresSettings
from leukoscope_collector.provisioning.__main__ import main as provision
from leukoscope_collector.sqlite_store import SqliteSettings
from tests.collector.test_copying import NOVEMBER, content
from tests.collector.test_partitions import judged

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "device" / "docs" / "server.md"
COMPOSE = ROOT / "systemd" / "compose.yaml"


def commands(*starts: str) -> str:
    """The page's lines of shell that begin so, in the page's order."""
    found = [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    ")]
    chosen = [line for line in found if line.startswith(starts)]
    assert len(chosen) >= len(starts)
    return "\n".join(chosen)


def run(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        ["sh", "-ec", script], cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="no sqlite3 on this machine")
def test_a_sqlite_store_is_backed_up_while_it_is_written_and_restored(tmp_path: Path) -> None:
    settings = SqliteSettings(file=tmp_path / "reports.sqlite3")
    with closing(settings.open()) as store:
        store.keep([judged(1), judged(2)], [], NOVEMBER)
        assert "ok" in run(commands("sqlite3 "), tmp_path)
        before = content(store)
        store.keep([judged(3)], [], NOVEMBER)
    run(commands("rm -f reports", "cp backup"), tmp_path)
    with closing(settings.open()) as restored:
        assert content(restored) == before
        assert restored.keep([judged(2), judged(3)], [], NOVEMBER).stored == 1


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="no pg_dump on this machine")
def test_a_postgresql_store_is_backed_up_and_restored_into_an_empty_database(
    tmp_path: Path, database: PostgresSettings
) -> None:
    with closing(database.open()) as store:
        store.keep([judged(1), judged(2)], [], NOVEMBER)
        before = content(store)
    empty = re.findall(r"dbname=(\w+)", database.conninfo)[0] + "_restored"
    with psycopg.connect(database.conninfo, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {empty}".encode())
    restored = PostgresSettings(
        driver="postgresql", conninfo=re.sub(r"dbname=\w+", f"dbname={empty}", database.conninfo)
    )
    script = commands("pg_dump", "pg_restore")
    run(script, tmp_path, CONNINFO=database.conninfo, EMPTY=restored.conninfo)
    with closing(restored.open()) as store:
        assert content(store) == before
        assert store.keep([judged(2), judged(3)], [], NOVEMBER).stored == 1


def test_the_containers_name_only_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = COMPOSE.read_text()
    made = yaml.safe_load(text)
    services = made["services"]
    assert set(services) == {"mosquitto", "postgres", "collector"}
    for service in services.values():
        assert {"image", "restart", "volumes"} <= set(service)
        assert set(service.get("secrets", [])) <= set(made["secrets"])
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in made["volumes"] or source.startswith(("${SITE}", ".."))
    site = tmp_path / "site"
    words = [str(site), "--host", "mosquitto", "--device", "clinic/scope-1", "--collector", "collector-1"]
    monkeypatch.setattr("sys.argv", ["leukoscope-provision", *words])
    provision()
    file = site / "collectors" / "collector-1" / "collector.toml"
    assert (site / "broker" / "mosquitto.conf").is_file()
    # The lines that its head asks for, in place of the store that was provisioned.
    ours = "\n".join(line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   "))
    ours = ours[ours.index("[store]") :]
    file.write_text(file.read_text().partition("[store]")[0] + ours)
    settings = CollectorSettings.model_validate(tomllib.loads(file.read_text()))
    assert isinstance(settings.store, PostgresSettings)
    assert settings.broker.where.startswith("mosquitto")
    environment = services["postgres"]["environment"]
    assert f"dbname={environment['POSTGRES_DB']} user={environment['POSTGRES_USER']}" in settings.store.conninfo
    assert str(settings.store.password_file) == environment["POSTGRES_PASSWORD_FILE"]
    assert services["collector"]["ports"] == [f"127.0.0.1:{settings.metrics.port}:{settings.metrics.port}"]


def test_the_containers_are_described_as_the_compose_specification_asks() -> None:
    vendored = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text("utf-8"))
    judge = jsonschema.validators.validator_for(schema)(schema)
    ours = yaml.safe_load(COMPOSE.read_text())
    assert [error.message for error in judge.iter_errors(ours)] == []
    ours["services"]["collector"]["restarts"] = "always"
    assert ["'restarts' was unexpected" in error.message for error in judge.iter_errors(ours)] == [True]
