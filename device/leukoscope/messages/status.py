"""What a device says about itself: that it is there, that it has gone, and its health."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_text, validate

STATUS_SCHEMA = "leukoscope/status/1"
HEALTH_SCHEMA = "leukoscope/health/1"
_HIGHEST_SESSION = 2**53 - 1
"""What JSON readers can hold; also in status.v1.schema.json."""
_MOST_FAULTS, _LONGEST_FAULT = 100, 500
"""Lines, and characters of one; also in health.v1.schema.json."""


class Reason(StrEnum):
    """Why a status was sent."""

    CONNECTED = "connected"
    STOPPED = "stopped"
    CONNECTION_LOST = "connection_lost"


def birth(
    identity: Identity, *, session: int, at: datetime, sequence: int = 0, clock_synchronised: bool | None = None
) -> dict[str, Any]:
    """The device is there. Published retained, with the number of this connection."""
    return _status(identity, "online", Reason.CONNECTED, session, at, sequence, clock_synchronised)


def offline(
    identity: Identity, *, session: int, at: datetime, sequence: int = 0, clock_synchronised: bool | None = None
) -> dict[str, Any]:
    """The device was stopped on purpose. Published retained, before the connection is closed."""
    return _status(identity, "offline", Reason.STOPPED, session, at, sequence, clock_synchronised)


def last_will(identity: Identity, *, session: int, sequence: int = 0) -> dict[str, Any]:
    """What the broker says, retained, when the device vanishes.

    It carries the number of the connection it was left with: a reader that has seen a higher number
    knows an old will that arrives late for what it is. It cannot say when it happened.
    """
    return _status(identity, "offline", Reason.CONNECTION_LOST, session, None, sequence, None)


def health(
    identity: Identity,
    *,
    at: datetime,
    uptime_s: float,
    reports: Mapping[str, int],
    measurements: Mapping[str, float | None],
    faults: Sequence[str],
) -> dict[str, Any]:
    """The device's health; `stamped` gives it the number and clock quality it is sent with.

    Args:
        identity: who speaks.
        at: timezone-aware.
        uptime_s: seconds since the boot.
        reports: the outbox's counts, by state.
        measurements: named figures with their unit in the name, as `cpu_temperature_c`; None where
            the board cannot tell.
        faults: one line each, as shown to the technician; long ones are cut.

    Raises:
        InvalidMessage: a figure is NaN or a name is not lower_case.
    """
    message = {
        "schema": HEALTH_SCHEMA,
        "site": identity.site,
        "device": identity.device,
        "software_version": identity.software_version,
        "boot_id": identity.boot_id,
        "sequence": 0,
        "at": utc_text(at),
        "clock_synchronised": None,
        "uptime_s": uptime_s,
        "reports": dict(reports),
        "measurements": dict(measurements),
        "faults": _bounded(faults),
    }
    return _checked(message, HEALTH_SCHEMA)


def with_fault(message: Mapping[str, Any], fault: str) -> dict[str, Any]:
    """A health message that tells one fault more, where it does not tell it yet."""
    return {**message, "faults": _bounded(dict.fromkeys((fault, *message["faults"])))}


def _bounded(faults: Iterable[str]) -> list[str]:
    """As many and as long as a message may hold: a long one must not keep the device's health from being known."""
    cut = (text if len(text) <= _LONGEST_FAULT else f"{text[: _LONGEST_FAULT - 1]}…" for text in map(str, faults))
    return list(cut)[:_MOST_FAULTS]


def stamped(message: Mapping[str, Any], *, sequence: int, clock_synchronised: bool | None) -> dict[str, Any]:
    """A health message as it is sent.

    Args:
        message: from `health`.
        sequence: the outbox's counter.
        clock_synchronised: whether the device's clock can be trusted; None where the operating system cannot tell.
    """
    return {**message, "sequence": sequence, "clock_synchronised": clock_synchronised}


def session_of(payload: bytes) -> int:
    """The session number in a status message; 0 for what is none, and for a number that no session can exceed."""
    try:
        message = from_bytes(payload)
        validate(message, STATUS_SCHEMA)
    except InvalidMessage:
        return 0
    number = message["session"]
    return int(number) if number < _HIGHEST_SESSION else 0


def boot_of(payload: bytes) -> str | None:
    """The boot in which a status message was made; None for what is no status message."""
    try:
        message = from_bytes(payload)
        validate(message, STATUS_SCHEMA)
    except InvalidMessage:
        return None
    return str(message["boot_id"])


def _status(
    identity: Identity,
    state: str,
    reason: Reason,
    session: int,
    at: datetime | None,
    sequence: int,
    clock_synchronised: bool | None,
) -> dict[str, Any]:
    message = {
        "schema": STATUS_SCHEMA,
        "state": state,
        "reason": reason.value,
        "session": session,
        "at": None if at is None else utc_text(at),
        "clock_synchronised": clock_synchronised,
        "site": identity.site,
        "device": identity.device,
        "software_version": identity.software_version,
        "boot_id": identity.boot_id,
        "sequence": sequence,
    }
    return _checked(message, STATUS_SCHEMA)


def _checked(message: dict[str, Any], schema: str) -> dict[str, Any]:
    to_bytes(message)
    validate(message, schema)
    return message
