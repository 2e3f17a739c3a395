"""The state of a publisher, which other threads may read."""

from dataclasses import replace
from typing import Any

from leukoscope.delivery.sink import SinkStatus


class DeliveryState:
    """The latest state; changed by the publisher's thread alone, as a whole, and read by any."""

    def __init__(self, destination: str) -> None:
        self.state = SinkStatus(destination=destination, connected=False, last_error=None, pending=0, sent=0, refused=0)

    def update(self, **changes: Any) -> None:
        """Replace these fields of the state."""
        self.state = replace(self.state, **changes)

    def settled(self, what: str) -> None:
        """Clear the last error if it names this."""
        if what in (self.state.last_error or ""):
            self.update(last_error=None)
