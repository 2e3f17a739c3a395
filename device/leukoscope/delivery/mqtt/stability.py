"""Whether connections last: how long to wait before the next one, and for how long to tell what ended the last."""

import logging
import time

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.delivery.mqtt.delivery_state import DeliveryState
from leukoscope.errors import BrokerError, InvalidMessage

_log = logging.getLogger(__name__)


class Stability:
    """Lets the pause between connections start anew only when one did some good; used by the publisher's thread.

    A broker that takes every connection and ends it at once, because it is busy or another client has our name,
    must not be asked a hundred times a minute. Nor must the cause vanish from the display with each new connection.
    """

    def __init__(self, backoff: Backoff, delivery_state: DeliveryState, calm_s: float) -> None:
        """A connection that lived for `calm_s` is a good one, whatever ends it."""
        self._backoff = backoff
        self._delivery_state = delivery_state
        self._calm_s = calm_s
        self._since = 0.0
        self._delivered = False
        self._cause: BrokerError | None = None
        self._by_broker = False
        self._logged: str | None = None

    @property
    def trouble(self) -> str | None:
        """What is wrong with reporting now, in a line; None where nothing is."""
        return self._delivery_state.state.last_error

    def connected(self) -> None:
        """The broker has said yes."""
        self._since = time.monotonic()
        self._delivered = False
        self._delivery_state.update(connected=True, last_error=None if self._cause is None else str(self._cause))

    def delivered(self) -> None:
        """The broker acknowledged a message that it had not acknowledged before."""
        self._delivered = True
        if not self._by_broker:
            # What only the line did is over; a broker that throws us out does so after some messages, too.
            self._over()

    def poll(self) -> None:
        """The connection lives on."""
        if time.monotonic() - self._since >= self._calm_s:
            self._backoff.reset()
            self._over()

    def thrown_out(self, why: BrokerError) -> None:
        """Something beside the line keeps connections from lasting; it is over when there was none of it for long."""
        self._since = time.monotonic()
        self._cause, self._by_broker = why, True
        self._log_once(str(why))
        self._delivery_state.update(last_error=str(why))

    def ended(self, why: BrokerError, *, by_broker: bool) -> BrokerError:
        """The connection was lost, or the broker ended it with a reason.

        Returns:
            What to raise: the cause; a lost line does not replace a reason that the broker gave.
        """
        if by_broker or not self._by_broker:
            self._cause, self._by_broker = why, by_broker
        if self._delivered and not self._by_broker:
            self._backoff.reset()
        self._delivered = False
        return self._cause or why

    def record(self, why: str) -> None:
        """There is no connection now; each cause goes to the log once."""
        self._log_once(why)
        self._delivery_state.update(connected=False, last_error=why)

    def cannot_say(self, what: str, why: InvalidMessage) -> None:
        """A message about the device itself can never be sent to this broker."""
        text = f"{what} is not sent: {why}"
        self._log_once(text)
        self._delivery_state.update(last_error=text)

    def _log_once(self, why: str) -> None:
        if self._logged != why:
            _log.warning("reporting: %s", why)
            self._logged = why

    def _over(self) -> None:
        if self._cause is not None and self._delivery_state.state.last_error == str(self._cause):
            self._delivery_state.update(last_error=None)
        if self._logged is not None:
            _log.info("reporting: the connection to the broker holds again")
        self._cause = self._logged = None
        self._by_broker = False
