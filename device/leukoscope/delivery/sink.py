"""What every way of delivering reports promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """What the display says about reporting."""

    destination: str
    """Where reports go, in words."""
    connected: bool
    """Whether the receiver is there now."""
    last_error: str | None
    """One line naming what stands in the way; None when nothing does."""
    pending: int
    """Reports waiting in the outbox."""
    sent: int
    """Reports acknowledged and still in the outbox."""
    refused: int
    """Reports the receiver will not have; they wait for a person."""
    has_receiver: bool = True
    """False where reports only stay in the outbox."""


class Sink(Protocol):
    """Delivers what is in the outbox, and never holds the instrument up.

    Trouble is never raised: it is in `state`, and the reports wait in the outbox.
    """

    @property
    def state(self) -> SinkStatus:
        """How things stand; returns at once."""

    @property
    def late_s(self) -> float:
        """Seconds since its thread should have been heard of; 0 when all is well, or there is none."""

    def start(self) -> None:
        """Begin to deliver."""

    def wake(self) -> None:
        """Something new is in the outbox."""

    def post_health(self, message: Mapping[str, Any]) -> None:
        """Send the device's health (`status.health`); only the latest counts."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing is pending; False when the time ran out first."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop delivering; what is pending stays in the outbox. Safe to call twice."""
