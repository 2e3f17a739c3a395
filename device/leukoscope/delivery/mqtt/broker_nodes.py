"""Which node of a broker cluster is tried next."""

from random import Random
from typing import Generic, TypeVar

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings

Settings = TypeVar("Settings", bound=BrokerSettings)


class BrokerNodes(Generic[Settings]):
    """The nodes in an order of our own, so that many devices spread over them."""

    def __init__(self, settings: Settings, rng: Random) -> None:
        nodes = settings.nodes()
        self._nodes = rng.sample(nodes, len(nodes)) if len(nodes) > 1 else list(nodes)
        self._turn = 0

    @property
    def current(self) -> Settings:
        """The settings of the node whose turn it is."""
        return self._nodes[self._turn]

    def try_next(self) -> None:
        """This one did not answer, or was lost."""
        self._turn = (self._turn + 1) % len(self._nodes)
