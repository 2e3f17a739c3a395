"""The door to the broker: what it hands to a collector, and keeps until the collector says that it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, not yet acknowledged."""

    topic: str
    payload: bytes
    tag: int | None
    """What the broker knows it by on this connection; None where it waits for no acknowledgement."""
    cut_from: int | None = None
    """Bytes that it had, where the payload is only the beginning of it."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a collector takes from the broker."""

    name: str
    """The collector's own: unique and lasting."""
    group: str
    """Collectors of one group share the messages among them."""
    topic_root: str
    """First levels of every topic."""
    receive_maximum: int
    """Messages the broker may have with us unacknowledged."""
    session_expiry_s: int
    """Seconds for which the broker keeps what arrives while this collector is away."""
    largest: int = 1_000_000
    """Bytes that a message may have; of a larger one only the beginning is received."""


class Intake(Protocol):
    """A connection that acknowledges nothing by itself, used by one thread and thrown away when it breaks.

    What is not acknowledged when the connection ends is handed out again, to this collector or another.
    """

    @property
    def waiting(self) -> int:
        """Messages that came and were not taken."""

    def poll(self, timeout_s: float) -> None:
        """Read and write what is due, waiting up to `timeout_s`.

        Raises:
            BrokerError: the connection has ended.
        """

    def take(self, most: int) -> list[Delivery]:
        """Up to `most` messages, in the order of arrival."""

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """They are stored: the broker may forget them. To be called only after the commit.

        Args:
            deliveries: what `take` gave, all of it, in the order of the calls.

        Raises:
            BrokerError: the connection has ended; they will come again.
        """

    def leave(self) -> None:
        """Say goodbye to the broker, if it is there."""

    def close(self) -> None:
        """Let go of the socket; safe to call twice, and without `leave` before it."""
