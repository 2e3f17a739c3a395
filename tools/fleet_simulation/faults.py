"""What happens to broker, collectors, database and network while a fleet reports."""

import signal
import threading
from collections.abc import Callable, Iterator
from random import Random

from fleet_simulation.network import CuttableNetwork
from fleet_simulation.postgres import ScratchPostgres
from fleet_simulation.servers import Program, ScratchBroker

Wait = Callable[[float], None]


def happenings(
    broker: ScratchBroker,
    collectors: list[Program],
    database: ScratchPostgres,
    network: CuttableNetwork | None,
    *,
    kills: int,
    pause_s: float,
    outage_s: float,
    cut_s: float,
    rng: Random,
    wait: Wait,
) -> Iterator[str]:
    """Make each thing happen, one after the other, and say what it was.

    Args:
        broker: killed `kills` times.
        collectors: one of them killed each time.
        database: stopped once for `outage_s`.
        network: cut once for `cut_s`; None stops the broker's process for as long instead.
        kills: of broker and collectors each.
        pause_s: between two of them, about; up to four times as long.
        outage_s: seconds.
        cut_s: seconds.
        rng: when, and who.
        wait: sleeps.
    """
    for number in range(kills):
        wait(pause_s * rng.uniform(1.0, 4.0))
        broker.kill()
        wait(rng.uniform(0.1, 1.0))
        broker.start()
        yield f"broker killed ({number + 1} of {kills})"
        wait(pause_s * rng.uniform(1.0, 4.0))
        victim = rng.choice(collectors)
        victim.kill()
        wait(rng.uniform(0.1, 1.0))
        victim.start()
        yield f"{victim.log.stem} killed ({number + 1} of {kills})"
    database.stop()
    wait(outage_s)
    database.start()
    yield f"database stopped for {outage_s:.0f} s"
    wait(5 * pause_s)
    if network is not None:
        network.cut()
        wait(cut_s)
        network.mend()
        yield f"network of the devices cut for {cut_s:.0f} s"
    else:
        broker.send(signal.SIGSTOP)
        wait(cut_s)
        broker.send(signal.SIGCONT)
        yield f"broker's process stopped for {cut_s:.0f} s"
    wait(5 * pause_s)


class Background:
    """Runs happenings in a thread and keeps what went wrong with them."""

    def __init__(self, things: Iterator[str], say: Callable[[str], None]) -> None:
        self._things = things
        self._say = say
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the last of them.

        Raises:
            Exception: what one of them raised.
        """
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            for what in self._things:
                self._say(what)
        except Exception as error:
            self.error = error
