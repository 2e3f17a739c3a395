"""One message in the outbox: its key, its state and what is kept with it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What has become of a message."""

    PENDING = "pending"
    SENT = "sent"
    """The receiver acknowledged it."""
    REFUSED = "refused"
    """The receiver will not have it; kept, with the reason, until a person says retry."""


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies a message for good."""

    id: str
    version: int
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id} v{self.version}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in the outbox."""

    key: Key
    topic: str
    """Below the device's own topic, as `report`."""
    payload: bytes
    state: State
    created_at: str
    """ISO 8601, UTC."""
    settled_at: str | None
    """When it was sent or refused."""
    attempts: int
    """How often it was sent and the connection ended, or the time ran out, without an answer."""
    note: str
    """Why it was refused, or what else is worth knowing."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages of a kind are in each state."""

    pending: int
    sent: int
    refused: int


REPORT = "report"
"""The kind of message that all this is about."""
CELL = "cell"
"""The kind that is a picture of a white cell: sent after everything else, and the first to go when room is short."""
