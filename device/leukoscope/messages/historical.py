"""Marks what is sent long after it was made, so that no receiver takes it for a new one."""

from datetime import datetime, timedelta
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import from_bytes, to_bytes, utc_time

LATE_AFTER = timedelta(minutes=5)
"""Between making and sending; a report of a connected device takes seconds."""


def as_sent(payload: bytes, *, boot_id: str, now: datetime) -> bytes:
    """The message as it goes out: `envelope.historical` is true when it is late, and nothing else differs.

    Late is what was made more than LATE_AFTER ago, in another boot, or by a clock that has jumped back since: then
    its true time is unknown.

    Args:
        payload: a message; one without an envelope stays as it is.
        boot_id: of the present boot.
        now: timezone-aware.
    """
    try:
        message = from_bytes(payload)
        envelope: Any = message.get("envelope")
        made, boot = utc_time(envelope["sent_clock"]), envelope["boot_id"]
    except (InvalidMessage, KeyError, TypeError, AttributeError):
        return payload
    if boot == boot_id and timedelta() <= now - made <= LATE_AFTER:
        return payload
    return to_bytes({**message, "envelope": {**envelope, "historical": True}})
