"""The thread that sends steps to devices and takes their answers."""

import logging
import random
import threading
import time

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import BrokerError, LeukoscopeError
from leukoscope.web import Clock
from leukoscope_collector.commanding import OperatorConnection
from leukoscope_collector.web.steps import Steps

_TURN_S = 0.05
_LOOK_S = 0.5
"""Between two looks at what is due; a step that is taken on this page is seen at once."""
_log = logging.getLogger(__name__)


class Sender:
    """A thread that sends what is due until it is answered."""

    def __init__(self, settings: BrokerSettings, name: str, root: str, steps: Steps, now: Clock) -> None:
        self._settings, self._name, self._root, self._steps, self._now = settings, name, root, steps, now
        self._backoff = Backoff(0.25, 5.0, random.Random())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steps to devices", daemon=True)
        self._sent: dict[int, str] = {}
        """Ids of the steps that the broker has not acknowledged, by the number it will do so by."""
        self._next_look_s = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not answered is sent again by the next start."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        known = ""
        while not self._stopping.is_set():
            operator = OperatorConnection(self._settings, self._name, f"{self._root}/+/+/result")
            self._sent.clear()
            try:
                operator.listen(self._stopping.is_set)
                known = ""
                while not self._stopping.is_set():
                    self._turn(operator)
            except LeukoscopeError as error:
                # One line for an outage, however long it lasts.
                if str(error) != known:
                    _log.warning("steps wait: %s", error)
                known = str(error)
            except Exception:
                # A fault of ours, about one step perhaps: the others must not wait for it until the next start.
                _log.exception("steps wait")
            finally:
                operator.close()
            self._stopping.wait(self._backoff.next_s())
        self._steps.close()

    def _turn(self, operator: OperatorConnection) -> None:
        operator.poll(_TURN_S)
        for answered in operator.results():
            self._steps.answer(answered)
        for number, identifier in list(self._sent.items()):
            try:
                answer = operator.answer_to(number)
            except BrokerError as error:
                answer = str(error)
            if answer is not None:
                del self._sent[number]
                self._steps.mark_sent(identifier, self._now(), answer)
                self._backoff.reset()
        if not self._steps.take_added() and time.monotonic() < self._next_look_s:
            return
        self._next_look_s = time.monotonic() + _LOOK_S
        under_way = set(self._sent.values())
        for step in self._steps.due(self._now()):
            if step.id not in under_way:
                topic = f"{self._root}/{step.site}/{step.device}/command"
                self._sent[operator.publish(topic, step.payload)] = step.id
