"""The command `leukoscope-collector`, as systemd or a person runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import HOST, free_port, wait_until
from tests.collector.running import Device, id_of, message, stored

ROOT = Path(__file__).parents[2]


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    paths = f"{ROOT / 'tools'}:{ROOT / 'device'}"
    return subprocess.Popen(
        [sys.executable, "-m", "leukoscope_collector", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": paths} | environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def settings_file(folder: Path, port: int, more: str = "") -> Path:
    file = folder / "collector.toml"
    store = f'driver = "sqlite"\nfile = "{folder}/reports.sqlite3"'
    file.write_text(f'[broker]\nhost = "{HOST}"\nport = {port}\n{more}\n[store]\n{store}\n[metrics]\nport = 0\n')
    return file


def test_a_collector_killed_amid_work_loses_nothing_and_one_that_is_stopped_ends_well(mosquitto, tmp_path):
    broker = mosquitto("max_queued_messages 1000000\nmax_inflight_messages 0").start()
    file = settings_file(tmp_path, broker.port)
    settings = SqliteSettings(file=tmp_path / "reports.sqlite3")
    sent = set()
    with Device(broker.port) as device:
        for life in range(3):
            running = start("--settings", file)
            assert "collecting from" in running.stderr.readline()
            for number in range(life * 100, life * 100 + 40):
                device.publish(message(number))
                sent.add((id_of(number), 1))
            if life < 2:
                running.kill()
                running.communicate()
        assert wait_until(lambda: stored(settings) == sent)
    running.send_signal(signal.SIGTERM)
    _, complaints = running.communicate(timeout=10)
    assert (running.returncode, complaints) == (0, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("naem = 'x'", "naem is not a known key"),
        ("[store]\ndriver = 'postgresql'\nconninfo = 'host=x password=hunter2'", "put it into a file"),
        ("[broker]\nhost = 'b'\npassword_file = 'p'", "a password needs a username"),
        ("[broker", "cannot be read"),
    ],
)
def test_settings_that_cannot_work_are_one_line_and_exit_2_and_show_no_password(tmp_path, content, words):
    file = tmp_path / "collector.toml"
    file.write_text(content)
    ended = start("--settings", file)
    _, complaints = ended.communicate(timeout=30)
    assert ended.returncode == 2
    assert words in complaints
    assert complaints.count("\n") == 1
    assert "hunter2" not in complaints


def test_check_tells_who_answers_and_who_does_not(mosquitto, tmp_path):
    broker = mosquitto().start()
    ended = start("--settings", settings_file(tmp_path, broker.port), "--check")
    said, complaints = ended.communicate(timeout=30)
    assert (ended.returncode, complaints) == (0, "")
    assert f"{HOST}:{broker.port} and {tmp_path}/reports.sqlite3 answer" in said
    ended = start("--settings", settings_file(tmp_path, free_port()), "--check")
    assert "nothing listens at" in ended.communicate(timeout=30)[1]
    assert ended.returncode == 2


def test_a_password_comes_from_the_environment_and_is_never_printed(mosquitto, tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "collector", "hunter2"], check=True, capture_output=True)
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}").start()
    login = 'username = "collector"\npassword_env = "OUR_PASSWORD"'
    file = settings_file(tmp_path, broker.port, login)
    for password, code, words in (("hunter2", 0, "answer"), ("hunter3", 2, "Not authorized: the broker")):
        ended = start("--settings", file, "--check", OUR_PASSWORD=password)
        said = "".join(ended.communicate(timeout=30))
        assert (ended.returncode, words in said, "hunter" in said) == (code, True, False)


def test_show_prints_reports_devices_and_what_was_quarantined(mosquitto, collector, tmp_path):
    broker = mosquitto().start()
    file = settings_file(tmp_path, broker.port)
    running = collector(broker.port, SqliteSettings(file=tmp_path / "reports.sqlite3"))
    assert wait_until(running.is_connected)
    with Device(broker.port) as device:
        device.publish(message(1))
        device.publish(b"[bold]rubbish")
        assert wait_until(lambda: running.figure("reports_total", outcome="quarantined") == 1)
    said, complaints = start("--settings", file, "--show", COLUMNS="200").communicate(timeout=30)
    assert complaints == ""
    assert all(words in said for words in ("Latest of 1 reports", id_of(1), "ward-3", "expected a JSON message"))
