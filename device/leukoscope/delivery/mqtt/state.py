"""How things stand with a publisher, for whoever asks."""

from dataclasses import replace
from typing import Any

from leukoscope.delivery.sink import SinkStatus


class DeliveryState:
    """The latest state; changed by the publisher's thread alone, as a whole, and read by any."""

    def __init__(self, destination: str) -> None:
        self.state = SinkStatus(destination=destination, connected=False, last_error=None, pending=0, sent=0, refused=0)

    def tell(self, **changes: Any) -> None:
        """These fields of the state are different now."""
        self.state = replace(self.state, **changes)

    def settled(self, what: str) -> None:
        """Trouble that names this is over."""
        if what in (self.state.last_error or ""):
            self.tell(last_error=None)
