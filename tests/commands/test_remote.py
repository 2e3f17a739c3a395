"""A device commanded over a real broker, from the start of a sample to its own restart."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from leukoscope.controls import Action
from leukoscope.errors import CameraError, LeukoscopeError, OutboxError
from leukoscope.messages.command import CommandName
from leukoscope.messages.json_format import to_bytes, utc_text, validate
from leukoscope.outbox import white_cells
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.entry import REPORT
from leukoscope.outbox.record_report import record
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.store import Outbox
from leukoscope.service.loop import Service
from leukoscope.service.opening import open_bench
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample import Provenance
from leukoscope.statistics.recount import Grounds
from leukoscope.statistics.rules import SHIPPED, Rules
from leukoscope.system.clock import utc_now
from leukoscope.system.watchdog import Watchdog
from tests.brokers import HOST, Mosquitto, Subscriber, wait_until
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, PROVENANCE, report
from tests.messages.test_commands import command

TOPIC = "leukoscope/v1/bench/test/"
WAIT_S = 60


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.kill()


class Laboratory:
    """Commands the device and reads what it says."""

    def __init__(self, reader: Subscriber) -> None:
        self._reader = reader

    def ask(self, name: str, **arguments: str) -> dict[str, Any]:
        """The result of a command."""
        identifier, now = str(uuid.uuid4()), datetime.now(UTC)
        self._reader.client.publish(
            TOPIC + "command",
            to_bytes(
                {
                    "schema": "leukoscope/command/1",
                    "id": identifier,
                    "name": name,
                    "by": "the laboratory",
                    "issued_at": utc_text(now),
                    "expires_at": utc_text(now + timedelta(hours=1)),
                    "arguments": arguments,
                }
            ),
            qos=1,
        )
        assert wait_until(lambda: self._result(identifier) is not None, WAIT_S), f"no result of {name}"
        found = self._result(identifier)
        assert found is not None
        return found

    def said(self, channel: str) -> list[dict[str, Any]]:
        """Every message of a channel so far."""
        messages = [json.loads(payload) for payload in self._reader.payloads("/" + channel)]
        for message in messages:
            validate(message)
        return messages

    def _result(self, identifier: str) -> dict[str, Any] | None:
        return next((one for one in self.said("result") if one["command"] == identifier), None)


def bench_of(folder: Path, broker: Mosquitto, allow: str, **values: object) -> Path:
    bench = write_bench(
        folder,
        'presses = [{ action = "toggle", after_s = 0.0 }]',
        "presses = []",
        reporting=f'{{ driver = "mqtt", host = "{HOST}", port = {broker.port} }}',
        **values,
    )
    bench.write_text(bench.read_text() + f"commands = {{ allow = [{allow}] }}\ncells = {{ pictures = 2 }}\n")
    return bench


def own_rules(near: Path) -> str:
    """The name of a rules file of the site's own beside its settings."""
    shipped = (SHIPPED / "blood.toml").read_text("utf-8")
    (near / "ours.toml").write_text(shipped.replace('"adult-blood"', '"ours"'), "utf-8")
    return "ours.toml"


def test_a_device_does_what_it_is_told_and_starts_again(tmp_path: Path, broker: Mosquitto) -> None:
    bench = bench_of(tmp_path, broker, '"start_sample", "set_rules", "send_bundle", "restart"')
    with Subscriber(broker.port) as reader:
        laboratory = Laboratory(reader)
        device = subprocess.Popen(
            [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert wait_until(lambda: laboratory.said("status"), WAIT_S), "the device did not come up"
            assert laboratory.ask("set_rules", file="nowhere.toml")["reason"] == "rules"
            assert laboratory.ask("set_rules", file=own_rules(tmp_path))["outcome"] == "done"
            got = laboratory.ask("send_bundle")
            assert got["in_force"]["rules"]["id"] == "ours"
            began = laboratory.ask("start_sample", sample_id="S-42")
            assert (began["outcome"], began["text"]) == ("done", "S-42 is being counted")
            assert wait_until(lambda: len(laboratory.said("cell")) == 2, WAIT_S), "no report and pictures came"
            (counted,) = laboratory.said("report")
            assert (counted["id"], counted["sample"]["sample_id"]) == (began["report"], "S-42")
            assert counted["rules"] == got["in_force"]["rules"]
            assert {cell["report"] for cell in laboratory.said("cell")} == {counted["id"]}
            assert laboratory.ask("restart")["outcome"] == "done"
            assert wait_until(lambda: len(laboratory.said("status")) == 3, WAIT_S), "it did not come back"
            assert laboratory.ask("send_bundle")["in_force"]["rules"]["id"] == "adult-blood"
            device.terminate()
            complaints = device.communicate(timeout=WAIT_S)[1]
        finally:
            device.kill()
            device.communicate()
        assert device.returncode == 0, complaints
        assert wait_until(lambda: len(laboratory.said("status")) == 4)
        states = [(one["state"], one["reason"]) for one in laboratory.said("status")]
    assert states == [("online", "connected"), ("offline", "stopped")] * 2
    trail = leukoscope("audit", "list", "--bench", bench, "--json").out
    actions = [json.loads(line)["action"] for line in trail.splitlines()]
    assert actions == ["command"] * 4 + ["recorded"] + ["command"] * 2


@dataclass
class Standing:
    """A device between samples, or amid one, that does what it is asked to."""

    rules: Rules
    commands: CommandInbox
    in_sample: bool = False
    full: OutboxError | None = None
    broken: LeukoscopeError | None = None
    near: Path = Path("nowhere")
    began: list[str] = field(default_factory=list)

    def provenance(self) -> Provenance:
        return PROVENANCE

    def why_full(self) -> OutboxError | None:
        return self.full

    def objection(self, sample_id: str) -> str | None:
        return None

    def used_before(self, sample_id: str) -> bool:
        return False

    def start_sample(self, sample_id: str) -> str:
        if self.broken is not None:
            raise self.broken
        self.began.append(sample_id)
        return report(1).id

    def use_rules(self, rules: Rules) -> None:
        self.rules = rules

    def restart(self) -> None:
        raise AssertionError("it was not asked for between samples")

    def ask(self, *asked: tuple[str, dict[str, str]]) -> list[tuple[str, dict[str, Any]]]:
        """Commands that come all at once, and what is answered."""
        remote = RemoteCommands(self.near, self.commands, self)
        for number, (name, arguments) in enumerate(asked):
            self.commands.receive(command(f"c-{number}", name, issued=clock(), arguments=arguments))
        try:
            remote.carry_out()
        finally:
            results = [json.loads(reply.payload) for reply in self.commands.replies()]
            self.answers = [(result["outcome"], result) for result in results]
        return self.answers


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Standing]:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        yield Standing(Rules.shipped(), CommandInbox(outbox, IDENTITY, tuple(CommandName), now=clock))


def test_a_device_that_counts_is_neither_restarted_nor_given_another_sample(standing: Standing) -> None:
    standing.in_sample = True
    got = standing.ask(("start_sample", {"sample_id": "second"}), ("restart", {}), ("send_bundle", {}))
    assert [(outcome, result["reason"]) for outcome, result in got] == [
        ("refused", "busy"), ("refused", "busy"), ("done", None),
    ]  # fmt: skip


def test_a_full_outbox_takes_no_sample_from_afar_either(standing: Standing) -> None:
    standing.full = OutboxError("The outbox is full", "connect the broker")
    ((_, result),) = standing.ask(("start_sample", {"sample_id": "S-1"}))
    assert (result["reason"], result["text"]) == ("full", str(standing.full))


def test_commands_that_come_at_once_are_done_one_after_the_other(standing: Standing, tmp_path: Path) -> None:
    standing.near = tmp_path
    asked = [("send_bundle", {}), ("set_rules", {"file": own_rules(tmp_path)}), ("send_bundle", {})]
    before, _, after = (result for _, result in standing.ask(*asked))
    assert before["in_force"]["rules"] != after["in_force"]["rules"]
    assert after["in_force"]["rules"]["id"] == "ours"


def test_rules_for_another_mode_are_refused_from_afar_too(standing: Standing) -> None:
    ((outcome, result),) = standing.ask(("set_rules", {"file": "marrow.toml"}))
    assert (outcome, result["reason"]) == ("refused", "rules")
    assert "adult-marrow (marrow.toml) are for marrow" in result["text"]
    assert standing.rules.mode == "blood"


def test_a_sample_that_did_not_begin_is_answered_as_failed(standing: Standing) -> None:
    standing.broken = CameraError("the camera at /dev/video0 failed", "check its cable")
    with pytest.raises(CameraError):
        standing.ask(("start_sample", {"sample_id": "S-1"}))
    ((outcome, result),) = standing.answers
    assert (outcome, result["reason"], result["text"]) == ("failed", "fault", str(standing.broken))
    assert standing.commands.take() is None


class Hand:
    """Counts two samples; amid the first one, other rules are commanded."""

    PAGES: ClassVar = dict.fromkeys(range(22, 41), Action.TOGGLE)
    """Presses that turn the pages of the first result; the one after the last begins the second sample."""
    PRESSES: ClassVar = {1: Action.TOGGLE, 21: Action.FINISH} | PAGES | {61: Action.FINISH, 62: Action.QUIT}

    def __init__(self, commands: CommandInbox) -> None:
        self._commands = commands
        self._polls = 0

    def poll(self) -> Action | None:
        self._polls += 1
        step, beside = divmod(self._polls, 2)
        if beside:
            return None
        if step == 20:
            ours = command("c-1", "set_rules", issued=datetime.now(UTC), arguments={"file": "ours.toml"})
            self._commands.receive(ours)
        return self.PRESSES.get(step)

    def close(self) -> None:
        pass


def test_a_sample_is_reported_and_reviewed_by_the_rules_it_began_with(tmp_path: Path) -> None:
    own_rules(tmp_path)
    path = write_bench(tmp_path, white_cells=1000)
    with open_bench(BenchSettings.read(path), tmp_path, Watchdog.of_this_process()) as bench:
        commands = CommandInbox(bench.outbox, bench.identity, tuple(CommandName), now=utc_now)
        commanded = replace(bench, commands=commands, controls=(Hand(commands),))
        Service(commanded, tmp_path, sleep=lambda seconds: None).run()
        (reply,) = commands.replies()
        assert json.loads(reply.payload)["outcome"] == "done"
        named = []
        for entry in bench.outbox.list(kind=REPORT):
            with bench.outbox.reading() as sql:
                kept = white_cells.find(sql, entry.key.id)
            assert kept is not None
            by_reviews = Grounds.from_json(kept.grounds).rules.id
            named.append((json.loads(entry.payload)["rules"]["id"], by_reviews))
    assert named == [("adult-blood", "adult-blood"), ("ours", "ours")]


def test_commands_without_a_way_to_hear_them_are_a_fault_of_the_settings(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    bench.write_text(bench.read_text() + 'commands = { allow = ["restart"] }\n')
    outcome = leukoscope("run", "--bench", bench)
    assert outcome.code == 2
    assert "need reporting.driver mqtt" in outcome.err


def leaving_bench(folder: Path, presses: str) -> Path:
    """A bench that quits by itself, with one report of before in its state."""
    with Outbox.open(folder / "state" / "outbox.sqlite") as outbox:
        # Files of another device would not be sent as its own.
        own = replace(report(1).provenance, site="bench", device="test")
        key = record(report(1, provenance=own), outbox, IDENTITY, now=clock)
        kept = outbox.get(key)
        assert kept is not None
        ReportFiles(folder / "state" / "reports").write(key, kept.payload)
    return write_bench(folder, '{ action = "toggle", after_s = 0.0 }', presses)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the display would show, in words."""
    screens: list[str] = []
    monkeypatch.setattr(
        "leukoscope.service.presenter.Presenter._show", lambda self, screen: screens.append(str(screen))
    )
    return screens


def test_a_full_outbox_is_told_and_no_further_sample_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: list[str]
) -> None:
    presses = '{ action = "toggle", after_s = 0.0 }, { action = "quit", after_polls = 6 }'
    bench = leaving_bench(tmp_path, presses)
    monkeypatch.setattr("leukoscope.outbox.pruning.used_bytes", lambda sql: 257 * 2**20)
    assert leukoscope("run", "--bench", bench).code == 0
    assert any("The outbox is full" in screen for screen in shown)
    assert not any("Counting" in screen for screen in shown)
    assert len(leukoscope("report", "list", "--bench", bench, "--json").out.splitlines()) == 1


def test_a_corrupt_outbox_is_told_on_the_display_and_its_reports_are_sent_again(
    tmp_path: Path, shown: list[str]
) -> None:
    bench = leaving_bench(tmp_path, '{ action = "quit", after_polls = 6 }')
    outbox = tmp_path / "state" / "outbox.sqlite"
    outbox.write_bytes(b"overwritten" * 2000)
    assert leukoscope("run", "--bench", bench).code == 0
    assert any("The outbox was damaged; 1 reports are sent again" in screen for screen in shown)
    assert outbox.with_name("outbox.sqlite.corrupt-1").read_bytes() == b"overwritten" * 2000
    assert json.loads(leukoscope("outbox", "list", "--bench", bench, "--json").out)["state"] == "pending"
    assert leukoscope("audit", "verify", "--bench", bench).code == 0
