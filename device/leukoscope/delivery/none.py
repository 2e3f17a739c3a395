"""Reporting to no receiver: results stay in the outbox as the files of record."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from random import Random
from typing import Any, ClassVar, Literal

from leukoscope.delivery.sink import SinkStatus
from leukoscope.errors import OutboxError
from leukoscope.messages.identity import Identity
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.schema import FrozenModel
from leukoscope.system.clock import Clock


class NoDeliverySettings(FrozenModel):
    """No receiver: `leukoscope outbox list` shows the results, and a receiver set later gets them all."""

    takes_commands: ClassVar[bool] = False
    driver: Literal["none"] = "none"

    def open(
        self, outbox: Outbox, identity: Identity, *, now: Clock, rng: Random, commands: CommandInbox | None = None
    ) -> "NoDelivery":
        """The sink; `identity`, `now`, `rng` and `commands` are for other sinks."""
        return NoDelivery(outbox)


class NoDelivery:
    """Counts what is in the outbox and leaves it there."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._state = SinkStatus(
            destination=f"kept in {outbox.path.name}",
            connected=False,
            last_error=None,
            pending=0,
            sent=0,
            refused=0,
            has_receiver=False,
        )

    @property
    def state(self) -> SinkStatus:
        """Never connected, and that is no error."""
        return self._state

    @property
    def late_s(self) -> float:
        """Never: there is no thread."""
        return 0.0

    def start(self) -> None:
        """Count what is there."""
        self.wake()

    def wake(self) -> None:
        """Count anew."""
        try:
            counts = self._outbox.counts()
        except OutboxError as error:
            self._state = replace(self._state, last_error=str(error))
        else:
            self._state = replace(self._state, last_error=None, **asdict(counts))

    def post_health(self, message: Mapping[str, Any]) -> None:
        """Nothing is sent: no receiver watches this device."""

    def flush(self, timeout_s: float) -> bool:
        """True at once: everything is where it is meant to be."""
        return True

    def stop(self, timeout_s: float = 5.0) -> None:
        """Nothing is to be stopped."""
