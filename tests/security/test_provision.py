"""The command `leukoscope-provision`: what is missing is made, what is there stays."""

import getpass
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from leukoscope.delivery import MqttSettings
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.intake.amqp import AmqpIntakeSettings

ROOT = Path(__file__).parents[2]


def provision(folder, *words):
    paths = f"{ROOT / 'tools'}:{ROOT / 'device'}"
    command = [sys.executable, "-m", "leukoscope_collector.provisioning", folder, *words]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_second_run_adds_devices_and_leaves_keys_and_settings_alone(tmp_path):
    first = provision(tmp_path, "--host", "localhost", "--device", "clinic/scope-1", "--collector", "collector-1")
    assert first.returncode == 0, first.stderr
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    second = provision(tmp_path, "--device", "clinic/scope-2", "--installed-at", '/etc/"leukoscope"/tls')
    assert second.returncode == 0, second.stderr
    assert all(path.read_bytes() == content for path, content in before.items())
    told = tomllib.loads((tmp_path / "devices" / "clinic" / "scope-2" / "reporting.toml").read_text())
    assert told["reporting"]["client_key"] == '/etc/"leukoscope"/tls/key.pem'
    assert "BEGIN" not in first.stdout + first.stderr + second.stdout + second.stderr


def test_a_second_run_leaves_port_user_and_saves_of_the_broker_as_they_were(tmp_path):
    # Only root makes the files of another user.
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    chosen = ["--port", "18883", "--broker-user", user, "--autosave-s", "7"]
    assert provision(tmp_path, "--host", "localhost", *chosen).returncode == 0
    file = tmp_path / "broker" / "mosquitto.conf"
    before = file.read_text()
    assert provision(tmp_path, "--device", "clinic/scope-1").returncode == 0
    assert file.read_text() == before
    told = tomllib.loads((tmp_path / "devices" / "clinic" / "scope-1" / "reporting.toml").read_text())
    assert told["reporting"]["port"] == 18883
    assert provision(tmp_path, "--port", "28883").returncode == 0
    assert file.read_text() == before.replace("listener 18883", "listener 28883")


def test_a_second_run_leaves_ports_and_places_of_a_cluster_as_they_were(tmp_path):
    chosen = ["--port", "18883", "--nodes-at", "/srv/rabbitmq"]
    assert provision(tmp_path, "--cluster", *HOSTS, *chosen).returncode == 0
    files = sorted((tmp_path / "cluster").glob("*/rabbitmq.conf"))
    before = [file.read_text() for file in files]
    assert len(files) == 3
    assert provision(tmp_path, "--device", "clinic/scope-1").returncode == 0
    assert [file.read_text() for file in files] == before


def test_the_certificate_of_a_page_is_made_once_and_anew_for_other_hosts_and_goes_with_its_device(tmp_path):
    device = ["--host", "localhost", "--device", "clinic/scope-1"]
    assert provision(tmp_path, *device, "--web", "clinic/scope-1=localhost,127.0.0.1").returncode == 0
    folder = tmp_path / "web" / "clinic" / "scope-1"
    first = (folder / "cert.pem").read_bytes()
    assert f'certificate = "{folder}/cert.pem"' in (folder / "web.toml").read_text()
    assert (folder / "key.pem").stat().st_mode & 0o077 == 0
    again = provision(tmp_path, "--web", "clinic/scope-1=localhost,127.0.0.1", "--installed-at", "/etc/leukoscope/tls")
    assert again.returncode == 0
    assert (folder / "cert.pem").read_bytes() == first
    assert 'key = "/etc/leukoscope/tls/web/key.pem"' in (folder / "web.toml").read_text()
    assert provision(tmp_path, "--web", "clinic/scope-1=scope-1.clinic.example").returncode == 0
    assert (folder / "cert.pem").read_bytes() != first
    # It names no holder whom the broker would let speak.
    assert "web" not in (tmp_path / "broker" / "acl").read_text()
    assert provision(tmp_path, "--revoke", "clinic/scope-1").returncode == 0
    assert not folder.exists()


HOSTS = [word for number in (1, 2, 3) for word in ("--host", f"broker-{number}.example")]


def test_a_cluster_has_a_folder_for_each_node_and_clients_that_know_all_of_them(tmp_path):
    done = provision(tmp_path, "--cluster", *HOSTS, "--device", "clinic/scope-1", "--collector", "collector-1")
    assert done.returncode == 0, done.stderr
    for number in (1, 2, 3):
        node = tmp_path / "cluster" / f"broker-{number}.example"
        assert "ssl_options.certfile = /etc/rabbitmq/cert.pem" in (node / "rabbitmq.conf").read_text()
        assert f"NODENAME=rabbit@broker-{number}.example\nUSE_LONGNAME=true" in (node / "rabbitmq-env.conf").read_text()
        assert (node / "key.pem").stat().st_mode & 0o077 == 0
    settings = tomllib.loads((tmp_path / "devices" / "clinic" / "scope-1" / "reporting.toml").read_text())["reporting"]
    device = MqttSettings.model_validate(settings)
    assert [node.where for node in device.nodes()] == [f"broker-{number}.example:8883" for number in (1, 2, 3)]
    collector = CollectorSettings.read(tmp_path / "collectors" / "collector-1" / "collector.toml").broker
    assert isinstance(collector, AmqpIntakeSettings)
    assert [node.where for node in collector.nodes()] == [f"broker-{number}.example:5671" for number in (1, 2, 3)]


@pytest.mark.parametrize(("members", "imports"), [("[3]", True), ("[2]", False), ("[0,2]", False)])
def test_a_cluster_whose_list_of_mqtt_clients_is_split_takes_no_users(tmp_path, members, imports):
    provision(tmp_path / "site", "--cluster", *HOSTS)
    programs = tmp_path / "programs"
    programs.mkdir()
    control = programs / "rabbitmqctl"
    control.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/said\ncase "$*" in *eval*) echo "{members}" ;; esac\n')
    control.chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    apply = tmp_path / "site" / "cluster" / "apply"
    done = subprocess.run([apply], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == (0 if imports else 1)
    assert ("import_definitions" in (tmp_path / "said").read_text()) is imports
    assert ("start one after the other" in done.stderr) is not imports


def test_a_cluster_is_added_to_without_naming_its_nodes_again_and_forgets_who_was_revoked(tmp_path):
    provision(tmp_path, "--cluster", *HOSTS, "--device", "clinic/scope-1", "--device", "clinic/scope-2")
    done = provision(tmp_path, "--device", "clinic/scope-3", "--revoke", "clinic/scope-1")
    assert done.returncode == 0, done.stderr
    users = json.loads((tmp_path / "cluster" / "definitions.json").read_text())["users"]
    assert {user["name"] for user in users} == {"clinic/scope-2", "clinic/scope-3"}
    # A new RabbitMQ has an administrator "guest" with that password.
    assert (tmp_path / "cluster" / "users-to-delete").read_text().split() == ["guest", "clinic/scope-1"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "expected --host"),
        (["--cluster", "--host", "h", "--host", "i"], "for each of 3 or 5 nodes, found 2"),
        (["--host", "h", "--device", "scope-1"], "expected a device as clinic/scope-1"),
        (["--host", "h", "--device", "a/+"], "expected a device as clinic/scope-1"),
        (["--host", "h", "--device", f"{'a' * 40}/{'b' * 40}"], "at most 64 characters"),
        (["--host", "h", "--collector", "a/b"], "expected a name of letters"),
        (["--host", "h", "--collector", "x", "--operator", "x"], "already one of the collectors"),
        (["--host", "h", "--revoke", "nobody"], "nobody here is called nobody"),
        (["--host", "h", "--web", "a/b=h"], "no device or collector here is called 'a/b'"),
        (["--host", "h", "--device", "a/b", "--web", "a/b"], "expected a/b=HOST"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_exit_2(tmp_path, words, complaint):
    done = provision(tmp_path / "site", *words)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
