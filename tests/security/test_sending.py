"""`leukoscope-collector send`: an operator commands a device through the provisioned broker; others cannot."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from leukoscope.delivery.mqtt.publisher import Publisher
from leukoscope.messages.command import CommandName, Outcome
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from tests.brokers import wait_until
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY
from tests.security.conftest import SPEAKER, SiteBroker

ROOT = Path(__file__).parents[2]


def send(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leukoscope_collector", "send", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "device")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def operator_file(site: SiteBroker, holder: str = "ward") -> Path:
    """The settings that were provisioned; for another holder, those with his certificate."""
    file = site.holders["ward"] / "operator.toml"
    if holder == "ward":
        return file
    foreign = site.folder / f"{holder.replace('/', '-')}.toml"
    foreign.write_text(file.read_text().replace(str(site.holders["ward"]), str(site.holders[holder])))
    return foreign


@pytest.fixture
def device(site: SiteBroker, outbox: Outbox) -> Iterator[Callable[[Outcome], list[tuple[CommandName, dict]]]]:
    """Starts a device that gives every command the same outcome; what it was asked to do."""
    started: list[tuple[Publisher, threading.Event, threading.Thread]] = []

    def start(outcome: Outcome) -> list[tuple[CommandName, dict]]:
        inbox = CommandInbox(outbox, IDENTITY, tuple(CommandName), now=clock, clock_quality=lambda: True)
        publisher = site.settings(SPEAKER).open(outbox, IDENTITY, now=clock, rng=Random(4), commands=inbox)
        publisher.start()
        assert wait_until(lambda: publisher.state.connected)
        asked: list[tuple[CommandName, dict]] = []
        ended = threading.Event()

        def obey() -> None:
            while not ended.wait(0.02):
                if (command := inbox.take()) is not None:
                    asked.append((command.name, dict(command.arguments)))
                    inbox.answer(command, outcome)
                    publisher.wake()

        thread = threading.Thread(target=obey)
        thread.start()
        started.append((publisher, ended, thread))
        return asked

    yield start
    for publisher, ended, thread in started:
        ended.set()
        thread.join()
        publisher.stop()


def test_an_operator_starts_a_sample_and_reads_what_became_of_it(site: SiteBroker, device: Callable[..., list]) -> None:
    asked = device(Outcome("done", "S-17 is being counted", report="00000000-0000-4000-8000-000000000001"))
    done = send(SPEAKER, "start_sample", "--sample-id", "S-17", "--settings", operator_file(site))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "done: S-17 is being counted\nreport 00000000-0000-4000-8000-000000000001\n"
    assert asked == [(CommandName.START_SAMPLE, {"sample_id": "S-17"})]


def test_a_refusal_ends_with_1_and_is_one_json_object_where_that_is_asked_for(
    site: SiteBroker, device: Callable[..., list]
) -> None:
    device(Outcome("refused", "a sample is being counted", reason="busy"))
    done = send(SPEAKER, "restart", "--settings", operator_file(site), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["reason"] == "busy"


def test_who_is_no_operator_cannot_command(site: SiteBroker, device: Callable[..., list]) -> None:
    asked = device(Outcome("done", "restarting"))
    done = send(SPEAKER, "restart", "--settings", operator_file(site, "collector-1"))
    assert done.returncode == 2
    assert "is this the certificate of an operator?" in done.stderr
    assert asked == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((SPEAKER, "restart"), f"nobody hears leukoscope/v1/{SPEAKER}: is the device on"),
        ((SPEAKER, "start_sample"), "sample_id"),
        (("scope-1", "restart"), "device: expected 1-64 letters"),
        ((f"{SPEAKER}/+", "restart"), "device: expected 1-64 letters"),
    ],
)
def test_what_reaches_no_device_is_one_line_and_exit_2(site: SiteBroker, words: tuple[str, ...], message: str) -> None:
    done = send(*words, "--settings", operator_file(site))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_settings_of_an_operator_are_for_their_owner_alone(site: SiteBroker) -> None:
    assert operator_file(site).stat().st_mode & 0o077 == 0
