"""A step that comes with a remote command is taken once by the device that counted, or refused in words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leukoscope.messages.command import CommandName
from leukoscope.messages.json_format import validate
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import desk_of
from leukoscope.reviewing.from_afar import arguments_of, decisions_of
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.specimen.lifecycle import Action
from leukoscope.system.clock import utc_now
from tests.messages.examples import IDENTITY
from tests.messages.test_commands import command
from tests.web.made import CELLS, make_sample

BY = "Dr. Ada at the centre"


@dataclass
class Device:
    """A service between samples, with a report in its outbox."""

    folder: Path
    outbox: Outbox
    woken: int = 0
    commands: CommandInbox = field(init=False)

    def __post_init__(self) -> None:
        self.report = make_sample(self.outbox, "S-17")
        self.start_again()

    def start_again(self, *allow: CommandName) -> None:
        """As after a restart: what was waiting is forgotten, what was written down is not."""
        self.commands = CommandInbox(self.outbox, IDENTITY, allow or tuple(CommandName), now=utc_now)

    @property
    def remote(self) -> RemoteCommands:
        """What does the commands; of the device it asks nothing but its reports."""
        desk = desk_of(self.outbox, self.folder, IDENTITY, utc_now)
        return RemoteCommands(self.folder, self.commands, object(), desk, self.wake)  # type: ignore[arg-type]

    def wake(self) -> None:
        self.woken += 1

    def receive(self, payload: bytes) -> None:
        self.commands.receive(payload)

    def work(self) -> list[dict[str, Any]]:
        """Do what waits, and what is answered."""
        self.remote.carry_out()
        message = [json.loads(reply.payload) for reply in self.commands.replies()]
        for one in message:
            validate(one)
        return message

    @property
    def versions(self) -> list[int]:
        return [entry.key.version for entry in self.outbox.versions(self.report.id)]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        yield Device(tmp_path, outbox)


def signing(device: Device, version: int = 1) -> dict[str, Any]:
    """Everything looked at, each unsure cell called a lymphocyte, and signed."""
    total = sum(CELLS.values())
    unsure = range(total - CELLS["unsure"] + 1, total + 1)
    review = Decision(
        Action.REVIEW, BY, "", dict.fromkeys(unsure, "lymphocyte"), looked_at=frozenset(range(1, total + 1))
    )
    return arguments_of(device.report.id, version, [review, Decision(Action.FINALISE, BY, "seen")])


def review_command(device: Device, identifier: str = "r-1", **changes: Any) -> bytes:
    return command(identifier, "review", issued=utc_now(), by=BY, arguments=signing(device) | changes)


def test_a_report_is_signed_from_afar_by_the_device_that_counted(device: Device) -> None:
    device.receive(review_command(device))
    (message,) = device.work()
    assert (message["outcome"], message["report"], message["version"]) == ("done", device.report.id, 3)
    assert device.versions == [1, 2, 3]
    assert device.woken == 1
    last = json.loads(device.outbox.versions(device.report.id)[-1].payload)
    assert last["lifecycle"]["status"] == "final"
    assert {step["by"] for step in last["lifecycle"]["steps"]} == {BY}
    assert last["lifecycle"]["cells_looked_at"] == sum(CELLS.values())


def test_a_repetition_is_answered_and_makes_no_version(device: Device) -> None:
    payload = review_command(device)
    for _ in range(3):
        device.receive(payload)
    answers = device.work()
    device.receive(payload)
    answers += device.work()
    assert {(one["outcome"], one["version"]) for one in answers} == {("done", 3)}
    assert device.versions == [1, 2, 3]


def test_a_device_that_stopped_before_it_answered_does_it_once(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the versions were made and before the answer was written, and before anything was made."""
    payload = review_command(device)
    for stopped_after in ("hearing", "doing"):
        device.receive(payload)
        if stopped_after == "doing":
            with monkeypatch.context() as killed:
                killed.setattr(CommandInbox, "answer", lambda *message: (_ for _ in ()).throw(KeyboardInterrupt))
                with pytest.raises(KeyboardInterrupt):
                    device.work()
        device.start_again()
    device.receive(payload)
    (message,) = device.work()
    assert (message["outcome"], message["version"]) == ("done", 3)
    assert device.versions == [1, 2, 3]


def test_steps_that_a_restart_interrupted_are_not_taken_once_they_are_not_allowed(device: Device) -> None:
    payload = review_command(device)
    device.receive(payload)
    device.start_again(CommandName.RESTART)
    device.receive(payload)
    (message,) = device.work()
    assert (message["outcome"], message["reason"]) == ("refused", "not_allowed")
    assert device.versions == [1]


def test_a_report_that_cannot_be_read_fails_the_step_and_nothing_else(device: Device) -> None:
    payload = review_command(device)
    with device.outbox.writing() as sql:
        sql.execute("UPDATE message SET payload = CAST('{}' AS BLOB) WHERE kind = 'report'")
    device.receive(payload)
    (message,) = device.work()
    assert (message["outcome"], message["reason"]) == ("failed", "fault")


def test_a_step_whose_file_cannot_be_written_is_done_and_says_so(device: Device) -> None:
    (device.folder / "reports").write_text("where the folder should be")
    device.receive(review_command(device))
    (message,) = device.work()
    assert (message["outcome"], message["version"]) == ("done", 3)
    assert "is recorded and will be sent, but its file in" in message["text"]
    assert device.versions == [1, 2, 3]


def test_a_replayed_step_under_another_id_is_refused(device: Device) -> None:
    device.receive(review_command(device))
    device.work()
    device.receive(review_command(device, "r-2"))
    (message,) = device.work()
    assert (message["outcome"], message["reason"]) == ("refused", "review")
    assert "is final" in message["text"]
    assert device.versions == [1, 2, 3]


def test_another_command_under_the_same_id_is_refused(device: Device) -> None:
    device.receive(review_command(device))
    device.work()
    other = signing(device) | {"version": 3}
    device.receive(command("r-1", "review", issued=utc_now(), by=BY, arguments=other))
    (message,) = device.work()
    assert (message["outcome"], message["reason"]) == ("refused", "id_reused")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"report": "00000000-0000-0000-0000-00000000ffff"}, "review"),
        ({"version": 7}, "review"),
        ({"steps": [{"action": "finalise"}]}, "review"),
        ({"steps": [{"action": "review", "names": {"999": "blast"}}]}, "review"),
        ({"steps": [{"action": "review", "names": {"1": "unicorn"}}]}, "review"),
        ({"steps": [{"action": "erase"}]}, "malformed"),
        ({"steps": []}, "malformed"),
        ({"steps": [{"action": "review", "names": {"x": "blast"}}]}, "malformed"),
        ({"steps": [{"action": "review", "remarks": {"finding/x": "y" * 201}}]}, "malformed"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    device: Device, changes: dict[str, Any], reason: str
) -> None:
    device.receive(review_command(device, **changes))
    (message,) = device.work()
    assert (message["outcome"], message["reason"]) == ("refused", reason)
    assert device.versions == [1]


def test_an_expired_step_is_refused(device: Device) -> None:
    issued = utc_now() - timedelta(hours=2)
    device.receive(command("r-1", "review", issued=issued, by=BY, arguments=signing(device)))
    (message,) = device.work()
    assert (message["outcome"], message["reason"]) == ("refused", "expired")


def test_words_survive_the_way_to_the_device(device: Device) -> None:
    arguments = signing(device)
    first, second = decisions_of(json.loads(json.dumps(arguments)), BY, "r-1")
    assert (first.action, first.based_on, second.action, second.based_on) == (Action.REVIEW, 1, Action.FINALISE, 2)
    assert arguments_of(device.report.id, 1, [first, second]) == arguments
