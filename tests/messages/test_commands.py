"""Commands are done at most once, only where they are allowed, and always answered."""

import json
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leukoscope.messages.command import COMMAND_SCHEMA, CommandName, Outcome
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import to_bytes, utc_text, validate
from leukoscope.outbox import audit_trail, command_inbox
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from tests.messages.examples import IDENTITY, NOW

UNDER_WAY = "00000000-0000-0000-0000-000000000001"
ARGUMENTS = {
    "start_sample": {"sample_id": "S-1"},
    **{f"{what}_sample": {"report": UNDER_WAY} for what in ("pause", "resume", "finish", "discard")},
    "set_rules": {"file": "marrow.toml"},
    "review": {"report": "00000000-0000-0000-0000-000000000001", "version": 1, "steps": [{"action": "finalise"}]},
}
DONE = Outcome("done", "this is in force")


def command(identifier="c-1", name="send_bundle", *, issued=NOW, lives=timedelta(minutes=10), **changes):
    message = {
        "schema": COMMAND_SCHEMA,
        "id": identifier,
        "name": name,
        "by": "the laboratory system",
        "issued_at": utc_text(issued),
        "expires_at": utc_text(issued + lives),
        "arguments": ARGUMENTS.get(name, {}),
    }
    return to_bytes(message | changes)


def listening(outbox, *allow, now=NOW, quality=True, identity=IDENTITY):
    names = allow or tuple(CommandName)
    return CommandInbox(outbox, identity, names, now=lambda: now, clock_quality=lambda: quality)


def only_reply(heard):
    (reply,) = heard.replies()
    message = json.loads(reply.payload)
    validate(message)
    return message


def refused(heard, payload, **how):
    heard.receive(payload, **how)
    message = only_reply(heard)
    assert message["outcome"] == "refused"
    assert heard.take() is None
    return message["reason"]


def test_a_command_is_done_once_and_its_repetitions_get_the_same_answer(outbox):
    heard = listening(outbox)
    heard.receive(command())
    order = heard.take()
    assert (order.name, order.by) == (CommandName.SEND_BUNDLE, "the laboratory system")
    heard.answer(order, DONE)
    (first,) = heard.replies()
    for _ in range(3):
        heard.receive(command())
        assert heard.take() is None
        assert heard.replies() == [first]


def test_a_repetition_while_it_is_being_done_is_answered_when_it_is(outbox):
    heard = listening(outbox)
    heard.receive(command(), reply_to="lab/first")
    heard.receive(command(), reply_to="lab/second")
    assert heard.replies() == []
    heard.answer(heard.take(), DONE)
    assert heard.take() is None
    assert only_reply(heard)["outcome"] == "done"


def test_the_answer_is_remembered_across_a_restart(tmp_path):
    with Outbox.open(tmp_path / "outbox") as outbox:
        heard = listening(outbox)
        heard.receive(command())
        heard.answer(heard.take(), DONE)
        first = only_reply(heard)
    with Outbox.open(tmp_path / "outbox") as outbox:
        heard = listening(outbox)
        heard.receive(command())
        assert heard.take() is None
        assert only_reply(heard) == first


def test_an_answer_from_another_boot_is_called_historical(outbox):
    heard = listening(outbox)
    heard.receive(command())
    heard.answer(heard.take(), DONE)
    assert not only_reply(heard)["envelope"]["historical"]
    later = listening(outbox, identity=Identity("ward-3", "scope-1", "0.1.0", "boot-2"))
    later.receive(command())
    assert only_reply(later)["envelope"]["historical"]


def test_a_command_that_a_restart_interrupted_is_not_tried_again(tmp_path):
    with Outbox.open(tmp_path / "outbox") as outbox:
        heard = listening(outbox)
        heard.receive(command(name="restart"))
        assert heard.take() is not None
    with Outbox.open(tmp_path / "outbox") as outbox:
        heard = listening(outbox)
        heard.receive(command(name="restart"))
        assert heard.take() is None
        message = only_reply(heard)
        assert (message["outcome"], message["reason"]) == ("failed", "interrupted")


def test_nothing_is_allowed_unless_the_settings_name_it(outbox):
    for name in CommandName:
        heard = CommandInbox(outbox, IDENTITY, (), now=lambda: NOW, clock_quality=lambda: True)
        assert refused(heard, command(f"id-{name}", name.value)) == "not_allowed"
    heard = listening(outbox, CommandName.SEND_BUNDLE)
    assert refused(heard, command("other", "restart")) == "not_allowed"
    heard.receive(command("this"))
    assert heard.take().name is CommandName.SEND_BUNDLE


def test_a_refused_command_stays_refused_when_it_is_allowed_later(outbox):
    assert refused(listening(outbox, CommandName.RESTART), command()) == "not_allowed"
    assert refused(listening(outbox), command()) == "not_allowed"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed"),
        (b"\xff\x00rubbish", "malformed"),
        (b"[]", "malformed"),
        (b"[" * 5000, "malformed"),
        (b'{"schema":"leukoscope/report/1"}', "malformed"),
        (command(id="a b"), "malformed"),
        (command(id=7), "malformed"),
        (command(name="format_disk"), "malformed"),
        (command(extra=1), "malformed"),
        (command(arguments={"x": 1}), "malformed"),
        (command(name="start_sample", arguments={}), "malformed"),
        (command(name="start_sample", arguments={"sample_id": "x" * 65}), "malformed"),
        (command(name="start_sample", arguments={"sample_id": "a\nb"}), "malformed"),
        (command(name="set_rules", arguments={"file": "../secret.toml"}), "malformed"),
        (command(name="set_rules", arguments={"file": "/etc/passwd"}), "malformed"),
        (command(expires_at="2026-02-30T00:00:00.000000Z"), "malformed"),
        (command(lives=timedelta(0)), "malformed"),
        (command(lives=timedelta(days=2)), "malformed"),
        (command(by="x" * 9000), "oversize"),
        (command(issued=NOW - timedelta(hours=1)), "expired"),
        (command(issued=NOW + timedelta(hours=1)), "not_yet"),
    ],
)
def test_what_is_no_valid_command_is_refused_with_its_reason(outbox, payload, reason):
    assert refused(listening(outbox), payload) == reason


def test_a_refusal_names_the_id_where_one_can_be_read(outbox):
    heard = listening(outbox)
    heard.receive(command(name="format_disk"))
    assert only_reply(heard)["command"] == "c-1"
    heard.receive(b"rubbish")
    assert only_reply(heard)["command"] is None


def test_a_retained_command_is_refused(outbox):
    assert refused(listening(outbox), command(), stored=True) == "retained"


@pytest.mark.parametrize("off", [timedelta(hours=-5), timedelta(hours=5), timedelta(days=-20_000)])
def test_a_clock_that_is_wrong_refuses_rather_than_does(outbox, off):
    assert refused(listening(outbox, now=NOW + off), command()) in ("expired", "not_yet")


def test_a_result_says_whether_its_clock_can_be_trusted(outbox):
    for number, quality in enumerate((True, False, None)):
        heard = listening(outbox, quality=quality)
        heard.receive(command(f"c-{number}"))
        heard.answer(heard.take(), DONE)
        assert only_reply(heard)["envelope"]["clock_synchronised"] is quality


def test_two_commands_of_one_id_are_told_apart(outbox):
    heard = listening(outbox)
    heard.receive(command())
    heard.answer(heard.take(), DONE)
    heard.replies()
    assert refused(heard, command(name="restart")) == "id_reused"


def test_memory_is_bounded_and_what_has_expired_makes_room(outbox, monkeypatch):
    monkeypatch.setattr(command_inbox, "MOST_REMEMBERED", 3)
    heard = listening(outbox)
    for number in range(3):
        heard.receive(command(f"c-{number}"))
        heard.answer(heard.take(), DONE)
    heard.replies()
    assert refused(heard, command("one-more")) == "too_many"
    tomorrow = NOW + timedelta(days=1)
    heard = listening(outbox, now=tomorrow)
    heard.receive(command("next-day", issued=tomorrow))
    assert heard.take() is not None


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=9000)])
def test_a_captured_command_is_not_done_again_when_the_clock_was_ahead_and_steps_back(outbox, ahead):
    heard = listening(outbox)
    heard.receive(command("captured"))
    heard.answer(heard.take(), DONE)
    heard = listening(outbox, now=NOW + ahead)
    # Whatever comes while the clock is wrong lets it forget what has expired by that clock.
    for number in range(3):
        heard.receive(command(f"late-{number}", issued=NOW + ahead))
        heard.answer(heard.take(), DONE)
    heard = listening(outbox)
    heard.receive(command("captured"))
    assert heard.take() is None
    assert only_reply(heard)["outcome"] == "done"


def test_what_is_known_is_bounded_by_number(outbox, monkeypatch):
    monkeypatch.setattr(command_inbox, "MOST_KNOWN", 4)
    for number in range(9):
        now = NOW + timedelta(days=number)
        heard = listening(outbox, now=now)
        heard.receive(command(f"c-{number}", issued=now))
        heard.answer(heard.take(), DONE)
    with outbox.reading() as sql:
        known = [name for (name,) in sql.execute("SELECT id FROM command ORDER BY rowid")]
    assert known == ["c-5", "c-6", "c-7", "c-8"]


def test_a_command_that_may_still_be_valid_is_not_forgotten_for_others(outbox, monkeypatch):
    monkeypatch.setattr(command_inbox, "MOST_KNOWN", 2)
    heard = listening(outbox)
    for number in range(5):
        heard.receive(command(f"c-{number}"))
        heard.answer(heard.take(), DONE)
    heard.replies()
    heard.receive(command("c-0"))
    assert heard.take() is None


def test_a_command_that_was_done_is_in_the_audit_trail(outbox):
    heard = listening(outbox)
    heard.receive(command())
    heard.answer(heard.take(), DONE)
    with outbox.reading() as sql:
        (entry,) = audit_trail.entries(sql)
    assert (entry.action, entry.subject, entry.by) == (
        "command", "command c-1", "the laboratory system (over MQTT)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "used"),
    [
        ("lab/answers/7", True),
        ("leukoscope/v1/ward-3/scope-2/status", False),
        ("site/x/report", False),
        ("a/+/b", False),
        ("$SYS/x", False),
        ("", False),
    ],
)
def test_an_answer_goes_where_the_sender_asks_but_never_under_a_devices_name(outbox, topic, used):
    heard = listening(outbox)
    heard.receive(b"rubbish", reply_to=topic, correlation=b"7")
    (reply,) = heard.replies()
    assert (reply.reply_to, reply.correlation) == (topic if used else None, b"7")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.integers(0, 2**32 - 1))
def test_no_bytes_ever_break_it(outbox, noise):
    """Random bytes, and valid commands with a few bytes changed."""
    if isinstance(noise, int):
        rng, text = random.Random(noise), bytearray(command(f"n-{noise}"))
        for _ in range(rng.randrange(1, 6)):
            text[rng.randrange(len(text))] = rng.randrange(256)
        noise = bytes(text)
    heard = listening(outbox)
    heard.receive(noise)
    assert len(heard.replies()) + (heard.take() is not None) == 1
