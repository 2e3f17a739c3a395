"""One judgement of what a specimen may be called, at every door it can come through."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leukoscope.cli.calibrate import pages_of
from leukoscope.errors import OutboxError, ReviewError, SettingsError
from leukoscope.messages.command import CommandName
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import desk_of
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.service.run import run_bench
from leukoscope.service.sample_ids import SampleIds, Verdict
from leukoscope.service.sample_register import SampleRegister
from leukoscope.settings import SampleSettings
from leukoscope.specimen.lifecycle import Action
from leukoscope.specimen.sample import Provenance
from leukoscope.specimen.sample_id import UNREADABLE, why_not_an_id
from leukoscope.statistics.rules import Rules
from tests.commands.test_run import write_bench
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, PROVENANCE
from tests.messages.test_commands import command

BAD = {
    "empty": "",
    "a letter in two parts": "E\u03011",
    "too long": "A" * 65,
    "blank before": " A-1",
    "blank behind": "A-1 ",
    "no-break space behind": "A-1\u00a0",
    "control character": "A\x071",
    "escape": "A\x1b[31m1",
    "line feed": "A\n1",
    "NUL": "A\x001",
    "right-to-left override": "A\u202e1",
    "isolate": "A\u20671",
    "zero width space": "A\u200b1",
    "zero width joiner": "A\u200d1",
    "byte-order mark": "\ufeffA1",
    "soft hyphen": "A\u00ad1",
    "Hangul filler": "A\u31641",
    "Braille blank": "A\u28001",
    "variation selector": "A1\ufe0f",
    "half of a pair": "A\ud8001",
    "unreadable key": f"A{UNREADABLE}1",
}
GOOD = ("A-1", "2026/0417.Ab", "Zürich 7", "検体1", "x" * 64)


@pytest.mark.parametrize("sample_id", BAD.values(), ids=BAD.keys())
def test_what_is_no_name_is_refused_with_what_was_expected(sample_id: str) -> None:
    wrong = why_not_an_id(sample_id)
    assert wrong is not None
    assert wrong.startswith("expected ")


@pytest.mark.parametrize("sample_id", GOOD)
def test_names_that_laboratories_use_are_taken(sample_id: str) -> None:
    assert why_not_an_id(sample_id) is None


def test_the_pattern_of_the_site_holds_for_all_of_it() -> None:
    assert why_not_an_id("AB-12", "[A-Z]{2}-[0-9]{2}") is None
    assert why_not_an_id("AB-123", "[A-Z]{2}-[0-9]{2}") == "expected what samples.pattern says, [A-Z]{2}-[0-9]{2}"


PATTERN = "[A-Z]{2}-[0-9]{2}"
AT_EVERY_DOOR = [*(value for name, value in BAD.items() if name != "empty"), "ab-12", "AB-123"]


@pytest.mark.parametrize("sample_id", AT_EVERY_DOOR)
def test_scanner_and_keyboard_refuse_it(sample_id: str, tmp_path: Path) -> None:
    ids = SampleIds(SampleSettings(pattern=PATTERN), SampleRegister(tmp_path / "samples.jsonl"))
    assert ids.offer(sample_id, 0.0) is Verdict.NOT_AN_ID


@pytest.mark.parametrize("sample_id", AT_EVERY_DOOR)
def test_the_command_line_refuses_it(sample_id: str, tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    bench.write_text(bench.read_text() + f'samples = {{ pattern = "{PATTERN}" }}\n')
    with pytest.raises(SettingsError, match="--sample-id: expected"):
        run_bench(bench, pages_of, samples=1, sample_id=sample_id)


@pytest.mark.parametrize("sample_id", AT_EVERY_DOOR)
def test_a_review_refuses_it(sample_id: str, tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        desk = desk_of(outbox, tmp_path, IDENTITY, lambda: datetime.now(UTC), sample_pattern=PATTERN)
        with pytest.raises(ReviewError, match="--sample-id: expected"):
            desk.take("abcd", Decision(Action.REVIEW, "A. Technician", sample_id=sample_id))


class Door:
    """A device between samples, at the site of the pattern, on which AB-12 was counted before."""

    in_sample = False

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        register = SampleRegister(folder / "samples.jsonl")
        register.note("begun", "AB-12", {})
        ids = SampleIds(SampleSettings(pattern=PATTERN), register)
        self.objection, self.used_before = ids.objection, ids.used_before
        self.rules = Rules.shipped()
        self._begun: list[str] = []
        self._heard = CommandInbox(outbox, IDENTITY, tuple(CommandName), now=clock)
        self._remote = RemoteCommands(folder, self._heard, self)

    def provenance(self) -> Provenance:
        return PROVENANCE

    def why_full(self) -> OutboxError | None:
        return None

    def start_sample(self, sample_id: str) -> str:
        self._begun.append(sample_id)
        return str(uuid.uuid4())

    def use_rules(self, rules: Rules) -> None:
        self.rules = rules

    def restart(self) -> None:
        pass

    def ask(self, **arguments: object) -> tuple[list[str], str | None]:
        """The samples begun, and the reason that the sender reads when it was refused."""
        self._heard.receive(command("c-1", "start_sample", issued=clock(), arguments=arguments))
        self._remote.carry_out()
        (reply,) = self._heard.replies()
        return self._begun, json.loads(reply.payload)["reason"]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        yield Door(tmp_path, outbox)


SENDABLE = [value for value in AT_EVERY_DOOR if not any("\ud800" <= letter <= "\udfff" for letter in value)]


@pytest.mark.parametrize("sample_id", SENDABLE)
def test_a_command_refuses_it(sample_id: str, door: Door) -> None:
    assert door.ask(sample_id=sample_id) == ([], "malformed")


def test_a_command_for_a_used_name_is_refused(door: Door) -> None:
    assert door.ask(sample_id="AB-12") == ([], "used_before")


def test_a_command_for_a_used_name_may_say_that_it_is_meant(door: Door) -> None:
    begun, _ = door.ask(sample_id="AB-12", again=True)
    assert begun == ["AB-12"]
