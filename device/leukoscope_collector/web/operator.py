"""The connection over which steps go to devices and their answers come back."""

import logging
import random
import threading
from collections import deque
from typing import Any

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.delivery.mqtt.connection import Connection
from leukoscope.errors import BrokerError, LeukoscopeError
from leukoscope.web import Clock
from leukoscope_collector.web.steps import Steps

_TURN_S = 0.05
_log = logging.getLogger(__name__)


class Operator(Connection):
    """Publishes commands at QoS 1 and hears what becomes of them."""

    def __init__(self, settings: BrokerSettings, client_id: str, root: str) -> None:
        super().__init__(settings, client_id)
        self._root = root
        self._results: deque[tuple[str, str, bytes]] = deque(maxlen=1000)
        self._client.on_message = self._on_message

    def open(self, stopping: threading.Event) -> None:
        """Connect and subscribe to results; raises BrokerError."""
        self.connect(stopping.is_set)
        self._client.subscribe(f"{self._root}/+/+/result", 1)

    def send(self, site: str, device: str, payload: bytes) -> None:
        """Give a command to the broker."""
        self._client.publish(f"{self._root}/{site}/{device}/command", payload, qos=1)

    def results(self) -> list[tuple[str, str, bytes]]:
        """Site, device and result since the last call."""
        return [self._results.popleft() for _ in range(len(self._results))]

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        site, device, _ = message.topic.rsplit("/", 3)[1:]
        self._results.append((site, device, bytes(message.payload)))


class Sender:
    """A thread that sends what is due until it is answered."""

    def __init__(self, settings: BrokerSettings, name: str, root: str, steps: Steps, now: Clock) -> None:
        self._settings, self._name, self._root, self._steps, self._now = settings, name, root, steps, now
        self._backoff = Backoff(0.25, 5.0, random.Random())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steps to devices", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not answered is sent again by the next start."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            operator = Operator(self._settings, self._name, self._root)
            try:
                operator.open(self._stopping)
                while not self._stopping.is_set():
                    self._turn(operator)
            except BrokerError as error:
                _log.warning("steps wait: %s", error)
            except LeukoscopeError as error:
                _log.warning("steps wait: %s", error)
            finally:
                operator.close()
            self._stopping.wait(self._backoff.next_s())

    def _turn(self, operator: Operator) -> None:
        operator.turn(_TURN_S)
        for site, device, payload in operator.results():
            self._steps.answer(site, device, payload)
        for step in self._steps.due(self._now()):
            operator.send(step.site, step.device, step.payload)
            self._steps.mark_sent(step.id, self._now())
        self._backoff.reset()
