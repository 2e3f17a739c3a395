"""A broker that is absent, hangs, is slow or refuses, and then is well again: every report arrives."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.brokers import HOST, Mosquitto, Subscriber, free_port, wait_until
from tests.faults.campaign import Case, Kind
from tests.faults.running import NotSurvived, Plant

MEANWHILE = 2
"""Reports that are finished while the broker is in trouble."""
ARRIVE_S = 60.0
BYTES_PER_S = 20_000
"""Of a slow connection: a report has about 20 KB."""


class SlowRelay:
    """Passes everything on to a broker, slowly unless it is to hurry; use `port`. `to` may change."""

    def __init__(self, to: int) -> None:
        self.port, self.to = free_port(), to
        self.hurry = threading.Event()
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection((HOST, self.to))
            except OSError:
                return
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while content := one.recv(2000):
                if not self.hurry.is_set():
                    time.sleep(len(content) / BYTES_PER_S)
                other.sendall(content)
        except OSError:
            pass
        finally:
            for end in (one, other):
                end.close()

    def close(self) -> None:
        self._listener.close()


def _trouble(begin: Callable[[Mosquitto, Path], Mosquitto | None], end: Callable[[Mosquitto], object]) -> Case:
    def case(plant: Plant, chance: Random) -> None:
        broker = Mosquitto(plant.folder / "broker")
        broker = begin(broker, plant.folder) or broker
        try:
            reports_arrive(plant, broker.port, broker, lambda: end(broker))
        finally:
            broker.kill()

    return case


def mqtt(port: int, more: str = "") -> str:
    """The settings of reporting to a broker on this machine; `more` begins with a comma."""
    return f'{{ driver = "mqtt", host = "{HOST}", port = {port}{more} }}'


def reports_arrive(
    plant: Plant, port: int, broker: Mosquitto, heal: Callable[[], object] = lambda: None, more: str = ""
) -> None:
    """Count while the broker is in trouble, and on once it is well; every finished report has to arrive.

    Args:
        plant: whose device reports.
        port: at which the device looks for a broker.
        broker: at which reports have to arrive.
        heal: ends the trouble.
        more: settings of reporting, as in `mqtt`.

    Raises:
        NotSurvived: a report did not arrive.
    """
    plant.write(reporting=mqtt(port, more))
    device = plant.start("eager")
    plant.restarts_s.append(device.until_ready())
    device.until(lambda: len(plant.finished()) >= MEANWHILE, "counted on without the broker")
    heal()
    with Subscriber(broker.port) as reader:

        def missing() -> set[str]:
            plant.delivered = {str(json.loads(one)["id"]) for one in reader.payloads("/report")}
            return set(plant.finished()) - plant.delivered

        # What it counts on the way has to arrive too, but not for ever.
        device.end()
        again = plant.start()
        again.until_ready()
        wait_until(lambda: not missing(), ARRIVE_S)
        again.end()
        wait_until(lambda: not missing(), 5.0)
        if late := missing():
            # One that the last word of a device left in its outbox is not lost, but it has to arrive.
            raise NotSurvived(f"{len(late)} reports did not arrive: {plant.log_text()[-300:]}")


def _absent(broker: Mosquitto, folder: Path) -> None:
    return None


def _hung(broker: Mosquitto, folder: Path) -> None:
    broker.start()
    _signal(broker, signal.SIGSTOP)


def _refusing(broker: Mosquitto, folder: Path) -> Mosquitto:
    return Mosquitto(folder / "broker", "allow_anonymous false\n", broker.port).start()


def _signal(broker: Mosquitto, which: signal.Signals) -> None:
    assert broker._process is not None
    os.kill(broker._process.pid, which)


def _allow(broker: Mosquitto) -> None:
    broker.kill()
    Mosquitto.__init__(broker, broker._folder, "", broker.port)
    broker.start()


def _slow(plant: Plant, chance: Random) -> None:
    broker = Mosquitto(plant.folder / "broker").start()
    relay = SlowRelay(broker.port)
    try:
        reports_arrive(plant, relay.port, broker)
    finally:
        relay.close()
        broker.kill()


def kind_of(name: str, case: Case) -> Kind:
    """One case, as often as it is wanted."""

    def some(wanted: int) -> Iterator[Case]:
        for _ in range(max(wanted, 1)):
            yield case

    return Kind(name, some)


KINDS = (
    kind_of("broker absent", _trouble(_absent, lambda broker: broker.start())),
    kind_of("broker hangs", _trouble(_hung, lambda broker: _signal(broker, signal.SIGCONT))),
    kind_of("broker slow", _slow),
    kind_of("broker refuses", _trouble(_refusing, _allow)),
)
