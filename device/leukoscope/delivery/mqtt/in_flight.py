"""What was published on the present connection and has not been answered yet."""

import time
from dataclasses import dataclass

from leukoscope.delivery.mqtt.diagnostics import CONNECTING_ANEW
from leukoscope.errors import BrokerError
from leukoscope.outbox.entry import Key


@dataclass(frozen=True, slots=True)
class InFlightMessage:
    """A publication that has not been answered yet."""

    what: str
    key: Key | None
    """None for what is not kept, as birth and health."""
    attempts: int
    overdue_at: float
    alone: bool
    again: bool
    """It was acknowledged before and is sent once more."""


class InFlight:
    """Publications by the number that their answer will carry; used by one thread."""

    def __init__(self, ack_timeout_s: float) -> None:
        """Nothing in flight; each publication is to be answered within `ack_timeout_s`."""
        self._ack_timeout_s = ack_timeout_s
        self._by_mid: dict[int, InFlightMessage] = {}

    def __len__(self) -> int:
        return len(self._by_mid)

    def __contains__(self, mid: int) -> bool:
        return mid in self._by_mid

    @property
    def kept(self) -> dict[Key, InFlightMessage]:
        """Those of the outbox's messages."""
        return {message.key: message for message in self._by_mid.values() if message.key is not None}

    @property
    def one_is_alone(self) -> bool:
        """Nothing may be sent beside the one that is in flight."""
        return any(message.alone for message in self._by_mid.values())

    @property
    def again(self) -> int:
        """How many of them were acknowledged before."""
        return sum(message.again for message in self._by_mid.values())

    def add(
        self,
        mid: int,
        what: str,
        *,
        key: Key | None = None,
        attempts: int = 0,
        alone: bool = False,
        again: bool = False,
    ) -> None:
        """It was published just now.

        Args:
            mid: the number of its answer.
            what: in words.
            key: under which it is kept; None for what is not.
            attempts: how often it went unanswered before.
            alone: nothing else may be sent beside it.
            again: it was acknowledged before.
        """
        overdue_at = time.monotonic() + self._ack_timeout_s
        self._by_mid[mid] = InFlightMessage(what, key, attempts, overdue_at, alone, again)

    def pop(self, mid: int) -> InFlightMessage | None:
        """The one that is answered under this number; None where no message waits for that answer."""
        return self._by_mid.pop(mid, None)

    def clear(self) -> None:
        """The connection has ended, and with it the numbers."""
        self._by_mid.clear()

    def give_up_on_overdue(self) -> None:
        """Let the connection end when an answer fails to come.

        Raises:
            BrokerError: it is overdue.
        """
        for message in self._by_mid.values():
            if time.monotonic() > message.overdue_at:
                # MQTT allows sending again only on a new connection.
                raise BrokerError(
                    f"the broker did not acknowledge {message.what} within {self._ack_timeout_s:g} s", CONNECTING_ANEW
                )
