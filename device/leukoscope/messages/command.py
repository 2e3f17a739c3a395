"""One remote command as a message, schema leukoscope/command/1, and one result, schema leukoscope/result/1."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_text, utc_time, validate
from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence, from_wire, to_wire

COMMAND_SCHEMA = "leukoscope/command/1"
RESULT_SCHEMA = "leukoscope/result/1"
MOST_BYTES = 8192
"""Of one command that is no review."""
MOST_REVIEW_BYTES = 60_000
"""Of one review, which may name each cell of a large sample."""
LONGEST_LIFE = timedelta(hours=24)
"""Between issue and expiry: so long must every command be remembered."""
MOST_TEXT_CHARS = 1000
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class CommandName(StrEnum):
    """What can be commanded."""

    START_SAMPLE = "start_sample"
    """Begin to count a specimen of this name."""
    PAUSE_SAMPLE = "pause_sample"
    """Look at nothing more until it is resumed."""
    RESUME_SAMPLE = "resume_sample"
    """Go on with a sample that is paused."""
    FINISH_SAMPLE = "finish_sample"
    """Report what is counted so far."""
    DISCARD_SAMPLE = "discard_sample"
    """Throw a paused sample away; nothing of it is reported."""
    SET_RULES = "set_rules"
    """Use other rules from the next sample on, until the device starts again."""
    SEND_BUNDLE = "send_bundle"
    """Tell which networks, rules and calibration are in force."""
    RESTART = "restart"
    """Leave and start again."""
    REVIEW = "review"
    """Take a person's steps of a report: name cells, sign, correct or amend. Done once, however often it is tried."""


class CommandSettings(FrozenModel):
    """What may be commanded over MQTT."""

    allow: tuple[CommandName, ...] = ()
    """Of start_sample, pause_sample, resume_sample, finish_sample, discard_sample, set_rules, send_bundle, restart,
    review; what is not named is refused."""


class Refusal(Exception):
    """Why a command is not done."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        """A word for programs."""
        self.text = text
        """The same for people."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is well made."""

    id: str
    name: CommandName
    by: str
    """Who gave it, in words of the sender's."""
    issued_at: datetime
    expires_at: datetime
    arguments: Mapping[str, Any]
    content: Mapping[str, Any]
    """The whole message; two commands of one id must agree in it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command."""

    outcome: str
    """"done", "refused" or "failed"."""
    text: str
    reason: str | None = None
    """A word for programs when it was not done."""
    report: str | None = None
    """The id of the report that will come of it."""
    in_force: Mapping[str, Any] | None = None
    """What `send_bundle` asks for."""
    version: int | None = None
    """The version of the report that a review led to."""


def read_command(payload: bytes, *, stored: bool) -> Command:
    """The command in a payload.

    Raises:
        Refusal: it is too large, no command, was retained at the broker, or lives too long.
    """
    if len(payload) > MOST_REVIEW_BYTES:
        # Of a message of any size no more than its beginning is kept.
        raise Refusal("oversize", f"expected at most {MOST_REVIEW_BYTES} bytes, found at least {len(payload)}")
    try:
        message = from_bytes(payload)
    except InvalidMessage as error:
        if len(payload) > MOST_BYTES:
            raise Refusal("oversize", f"expected at most {MOST_BYTES} bytes, found {len(payload)}") from error
        raise Refusal("malformed", str(error)[:400]) from error
    if len(payload) > MOST_BYTES and message.get("name") != CommandName.REVIEW:
        raise Refusal("oversize", f"expected at most {MOST_BYTES} bytes, found {len(payload)}")
    try:
        validate(message, COMMAND_SCHEMA)
        issued_at, expires_at = utc_time(message["issued_at"]), utc_time(message["expires_at"])
    except InvalidMessage as error:
        raise Refusal("malformed", str(error)[:400]) from error
    if stored:
        raise Refusal("retained", "a command must not be retained: every new connection would hear it again")
    if not timedelta() < expires_at - issued_at <= LONGEST_LIFE:
        raise Refusal("malformed", "expected expires_at after issued_at, by 24 hours at most")
    name = CommandName(message["name"])
    return Command(message["id"], name, message["by"], issued_at, expires_at, message["arguments"], message)


def command_of(
    identifier: str,
    name: CommandName,
    *,
    by: str,
    issued_at: datetime,
    expires_at: datetime,
    arguments: Mapping[str, Any],
) -> bytes:
    """A command as it goes out.

    Args:
        identifier: unique; a repetition under it is done once.
        name: what to do.
        by: who commands, for the audit trail.
        issued_at: timezone-aware.
        expires_at: timezone-aware; the device does not begin later than this.
        arguments: what the command needs, by the names of the schema.

    Raises:
        InvalidMessage: it breaks the published schema.
    """
    message = {
        "schema": COMMAND_SCHEMA,
        "id": identifier,
        "name": name.value,
        "by": by,
        "issued_at": utc_text(issued_at),
        "expires_at": utc_text(expires_at),
        "arguments": dict(arguments),
    }
    validate(message, COMMAND_SCHEMA)
    return to_bytes(message)


def read_result(payload: bytes) -> tuple[str | None, Outcome]:
    """The id of the command that a result answers, and what became of it.

    Raises:
        InvalidMessage: it is no result.
    """
    message = from_bytes(payload)
    validate(message, RESULT_SCHEMA)
    outcome = Outcome(
        message["outcome"], text_in(message), message["reason"], message["report"], in_force=message["in_force"]
    )
    return message["command"], outcome


def text_in(result: Mapping[str, Any]) -> str:
    """What a result says to people; with its id and values where the device sent these and they say the same."""
    text = str(result["text"])
    sentence = from_wire(result.get("sentence"))
    return sentence if sentence is not None and str(sentence)[:MOST_TEXT_CHARS] == text else text


def query_in(payload: bytes) -> tuple[str | None, str | None]:
    """Id and name in a payload that need be no valid command, as far as they can be made out."""
    if len(payload) > MOST_REVIEW_BYTES:
        return None, None
    try:
        message = from_bytes(payload)
    except InvalidMessage:
        return None, None
    found, name = message.get("id"), message.get("name")
    return (
        found if isinstance(found, str) and _ID.fullmatch(found) else None,
        name if isinstance(name, str) and name in list(CommandName) else None,
    )


def result_of(
    identifier: str | None,
    name: str | None,
    outcome: Outcome,
    identity: Identity,
    *,
    sequence: int,
    at: datetime,
    clock_synchronised: bool | None,
) -> bytes:
    """A result as it goes out.

    Args:
        identifier: of the command; None where none could be read.
        name: what was commanded; None likewise.
        outcome: what became of it.
        identity: who answers.
        sequence: the outbox's counter.
        at: timezone-aware.
        clock_synchronised: whether that can be trusted; None where the operating system cannot tell.

    Raises:
        InvalidMessage: it breaks the published schema.
    """
    message = {
        "schema": RESULT_SCHEMA,
        "command": identifier,
        "name": name,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "text": outcome.text[:MOST_TEXT_CHARS],
        **({"sentence": to_wire(outcome.text)} if isinstance(outcome.text, Sentence) else {}),
        "report": outcome.report,
        **({} if outcome.version is None else {"version": outcome.version}),
        "in_force": None if outcome.in_force is None else dict(outcome.in_force),
        "envelope": {
            "boot_id": identity.boot_id,
            "sequence": sequence,
            "sent_clock": utc_text(at),
            "clock_synchronised": clock_synchronised,
            "historical": False,
        },
    }
    validate(message, RESULT_SCHEMA)
    return to_bytes(message)
