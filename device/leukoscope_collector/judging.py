"""Whether a message is what it says it is, and comes from whom it says."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.critical import critical_codes
from leukoscope.messages.json_format import from_bytes, validator

REPORT_SCHEMA = "leukoscope/report/1"
STATUS_SCHEMA = "leukoscope/status/1"
HEALTH_SCHEMA = "leukoscope/health/1"
CELL_SCHEMA = "leukoscope/cell/1"
RESULT_SCHEMA = "leukoscope/result/1"
LARGEST_PICTURE = 8192
"""Bytes of WebP."""
_EXPECTED = {
    "report": REPORT_SCHEMA,
    "status": STATUS_SCHEMA,
    "health": HEALTH_SCHEMA,
    "cell": CELL_SCHEMA,
    "result": RESULT_SCHEMA,
}
_DAY = re.compile(r'"(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}\.\d{6}Z"')
_HIGHEST = 2**53 - 1
_LEVEL = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Report:
    """A valid report, ready to be stored."""

    topic: str
    id: str
    version: int
    site: str
    device: str
    status: str | None
    """How far it has come in its life (preliminary, final, amended), where it says so."""
    sha256: str
    """Of what is said about the sample: the envelope may say at a later sending that it is late."""
    payload: str
    critical: tuple[str, ...]
    """Codes of findings that the laboratory should telephone about."""


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What a device last said about itself."""

    site: str
    device: str
    kind: str
    """`status` or `health`."""
    state: str | None
    """`online` or `offline`; None for health."""
    session: int | None
    """The number of the connection; None for health."""
    payload: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of one white cell of a report."""

    topic: str
    site: str
    device: str
    report: str
    """The report's id; the collector has not checked whether that report is this device's."""
    version: int
    cell: int
    cell_class: str
    """What the classifier called it."""
    sha256: str
    """Of everything but the envelope."""
    payload: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device says became of a command."""

    site: str
    device: str
    command: str | None
    """The command's id; None where none could be read."""
    name: str | None
    outcome: str
    sha256: str
    """Of everything but the envelope."""
    payload: str


Accepted = Report | DeviceStatus | Picture | Answer
"""Everything that may be stored."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A message that will not do, and why."""

    topic: str
    payload: bytes
    reason: str
    cut_from: int | None = None
    """Bytes that it had, where the payload is only the beginning of it."""


def judge(
    topic: str, payload: bytes, *, topic_root: str, largest: int, cut_from: int | None = None
) -> Accepted | Suspect:
    """The message as what may be stored, or as a suspect with the reason.

    Args:
        topic: what it was published under; the broker's access rules vouch for site and device in it.
        payload: as it came.
        topic_root: first levels of every topic.
        largest: bytes a message may have.
        cut_from: bytes that it had, where the payload is only the beginning of it.
    """
    try:
        if cut_from is not None or len(payload) > largest:
            raise InvalidMessage(
                f"{cut_from or len(payload)} bytes, and at most {largest} are taken", "cut the report's pictures down"
            )
        site, device, kind = _names_in(topic, topic_root)
        message = from_bytes(payload)
        _check(message, _EXPECTED[kind])
        text = payload.decode()
        _refuse_what_databases_cannot_read(message, text)
        return _accepted(topic, site, device, kind, message, text)
    except InvalidMessage as error:
        return Suspect(topic, payload, _printable(str(error)), cut_from)


def _accepted(topic: str, site: str, device: str, kind: str, message: Mapping[str, Any], text: str) -> Accepted:
    match kind:
        case "report":
            _check_origin(message["provenance"], site, device)
            version = _whole(message["version"], "version")
            return Report(
                topic,
                message["id"],
                version,
                site,
                device,
                _status_of(message),
                _digest(message),
                text,
                critical_codes(message),
            )
        case "status":
            _check_origin(message, site, device)
            return DeviceStatus(site, device, kind, message["state"], _whole(message["session"], "session"), text)
        case "health":
            _check_origin(message, site, device)
            return DeviceStatus(site, device, kind, None, None, text)
        case "cell":
            webp_in(message)
            numbers = _whole(message["version"], "version"), _whole(message["cell"], "cell")
            named = message["report"], *numbers, message["class"]
            return Picture(topic, site, device, *named, _digest(message), text)
        case _:
            answered = message["command"], message["name"], message["outcome"]
            return Answer(site, device, *answered, _digest(message), text)


def webp_in(message: Mapping[str, Any]) -> bytes:
    """The picture in a leukoscope/cell/1 message.

    Raises:
        InvalidMessage: it is no WebP, or larger than pictures are.
    """
    try:
        webp = base64.b64decode(message["picture"]["base64"], validate=True)
    except binascii.Error as error:
        raise InvalidMessage(f"picture.base64: {error}", "send it as the published schema says") from error
    if len(webp) > LARGEST_PICTURE or (webp[:4], webp[8:12]) != (b"RIFF", b"WEBP"):
        raise InvalidMessage(
            f"picture: expected a WebP of at most {LARGEST_PICTURE} bytes, found {len(webp)} bytes",
            "send it as the published schema says",
        )
    return webp


def _names_in(topic: str, topic_root: str) -> tuple[str, str, str]:
    levels = topic.removeprefix(topic_root + "/").split("/")
    fits = topic.startswith(topic_root + "/") and len(levels) == 3 and levels[2] in _EXPECTED
    if not fits or not all(_LEVEL.fullmatch(level) for level in levels):
        raise InvalidMessage(
            f"expected a topic as {topic_root}/SITE/DEVICE/report, found {topic!r}",
            "publish under the device's own topic",
        )
    return levels[0], levels[1], levels[2]


def _check(message: Mapping[str, Any], expected: str) -> None:
    if message.get("schema") != expected:
        raise InvalidMessage(
            f"expected schema {expected}, found {message.get('schema')!r}; a newer device may be sending",
            "update the collector",
        )
    fault = next(validator(expected).iter_errors(message), None)
    if fault is not None:
        place = ".".join(str(step) for step in fault.instance_path) or "the message"
        raise InvalidMessage(
            f"not a valid {expected} message: {place}: {fault.message}", "send it as the published schema says"
        )


def _refuse_what_databases_cannot_read(message: Mapping[str, Any], text: str) -> None:
    """A NUL in JSON, 30 February in a schema: PostgreSQL stores both, and then fails each query that looks there."""
    # Only what may hold one is looked through.
    if "\\u0000" in text and _holds_nul(message):
        raise InvalidMessage("a text holds a NUL, which databases cannot read", "send it as the published schema says")
    for day in set(_DAY.findall(text)):
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise InvalidMessage(
                f"a time is on {day}: there is no such day", "send it as the published schema says"
            ) from error


def _holds_nul(part: Any) -> bool:
    match part:
        case str():
            return "\0" in part
        case dict():
            return any(_holds_nul(one) for pair in part.items() for one in pair)
        case list():
            return any(map(_holds_nul, part))
    return False


def _check_origin(signed: Mapping[str, Any], site: str, device: str) -> None:
    if (signed["site"], signed["device"]) != (site, device):
        raise InvalidMessage(
            f"it says it is from {signed['site']}/{signed['device']} and was published by {site}/{device}",
            "publish under the device's own topic",
        )


def _status_of(message: Mapping[str, Any]) -> str | None:
    status = message.get("lifecycle", {}).get("status")
    return status if isinstance(status, str) else None


def _digest(message: Mapping[str, Any]) -> str:
    content = {name: part for name, part in message.items() if name != "envelope"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _whole(number: float, what: str) -> int:
    if number > _HIGHEST:
        raise InvalidMessage(
            f"{what}: {number} is more than a JSON reader can hold", "send it as the published schema says"
        )
    return int(number)


def _printable(text: str) -> str:
    """One line, without what a terminal or a database would stumble over."""
    return json.dumps(text, ensure_ascii=True)[1:-1].replace("\\u0000", "?").replace('\\"', '"')[:_REASON_LENGTH]
