"""A fleet of devices in processes of their own, whatever they report to."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from fleet_simulation.faults import Background
from fleet_simulation.network import CuttableNetwork
from fleet_simulation.result import count_stored
from fleet_simulation.servers import TOOLS, Program
from fleet_simulation.worker import Orders, as_json
from leukoscope.errors import LeukoscopeError

_START_S = 60.0
_LOOK_S = 0.5


def orders_for(
    arguments: argparse.Namespace,
    folder: Path,
    addresses: tuple[tuple[str, int], ...],
    *,
    protocol: str = "5",
    reconnect_spread_s: float = 0.0,
    first_address_first: bool = False,
    until: Path | None = None,
    patience_s: float = 120,
) -> list[Orders]:
    """What each process of devices is to do.

    Args:
        arguments: of the command.
        folder: for the results.
        addresses: of the brokers.
        protocol: MQTT version.
        reconnect_spread_s: as a device's setting.
        first_address_first: all devices begin at the first of the addresses.
        until: a file that ends the making of reports by being there; None: as many are made as the command says.
        patience_s: seconds without an acknowledgement after which devices give up, once all reports are made.
    """
    count = min(arguments.processes, arguments.devices)
    start_at = time.time() + 2 + arguments.devices / 100
    reports = arguments.backlog or int(arguments.rate * arguments.seconds)
    return [
        Orders(
            first=number * arguments.devices // count,
            devices=(number + 1) * arguments.devices // count - number * arguments.devices // count,
            addresses=addresses,
            protocol=protocol,
            reconnect_spread_s=reconnect_spread_s,
            rate_per_s=0.0 if arguments.backlog else arguments.rate / count,
            reports=(number + 1) * reports // count - number * reports // count,
            first_address_first=first_address_first,
            until=str(until or ""),
            patience_s=patience_s,
            in_flight=10,
            ack_timeout_s=5 if protocol == "5" else 20,
            redelivery_window_s=arguments.redelivery_window_s,
            clock_off_s=arguments.clock_off_s,
            start_at=start_at,
            result=str(folder / f"worker-{number}.json"),
        )
        for number in range(count)
    ]


def run_workers(
    orders: list[Orders],
    folder: Path,
    stack: contextlib.ExitStack,
    happenings: Background | None,
    collectors: Sequence[Program],
    network: CuttableNetwork | None = None,
) -> None:
    """Start the devices, wait for what happens meanwhile, and for the last of them; a file `until` is made then.

    Raises:
        LeukoscopeError: a process of devices failed, or a collector ended by itself.
    """
    workers = [_worker(one, folder, network) for one in orders]
    for worker in workers:
        worker.start()
        stack.callback(worker.kill)
    if happenings is not None:
        happenings.join()
    for until in {order.until for order in orders if order.until}:
        Path(until).touch()
    while not all(worker.ended for worker in workers):
        refuse_ended(collectors)
        time.sleep(_LOOK_S)
    for worker in workers:
        if worker.wait(0):
            raise LeukoscopeError(f"a process of devices failed: {worker.last_words}", "its last lines say why")


def refuse_ended(collectors: Sequence[Program]) -> None:
    """Each is still there: nothing that a broker or a database does may end one.

    Raises:
        LeukoscopeError: one ended by itself.
    """
    for one in collectors:
        if one.ended:
            raise LeukoscopeError(f"{one.log.stem} ended by itself: {one.last_words}", f"see {one.log}")


def wait_until_collecting(collectors: list[Program]) -> None:
    """Until each collector is connected to both sides.

    Raises:
        LeukoscopeError: one is not in time.
    """
    until = time.monotonic() + _START_S
    while not all("collecting from" in one.log.read_text() for one in collectors):
        if time.monotonic() > until:
            raise LeukoscopeError(
                f"a collector does not start: {collectors[0].log.read_text()[-500:]}", "its last lines say why"
            )
        time.sleep(0.1)


def wait_until_stored(conninfo: str, made: int, collectors: Sequence[Program], settle_s: float = 60.0) -> int:
    """Until as many reports are stored as were made, or nothing more came for `settle_s`.

    Returns:
        How many are stored.

    Raises:
        LeukoscopeError: a collector ended by itself.
    """
    known, until = -1, 0.0
    stored = 0
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            stored = count_stored(conninfo)
        if stored >= made:
            break
        refuse_ended(collectors)
        if stored > known:
            known, until = stored, time.monotonic() + settle_s
        elif time.monotonic() > until:
            break
        time.sleep(_LOOK_S)
    return stored


def _worker(orders: Orders, folder: Path, network: CuttableNetwork | None) -> Program:
    # A backlog has no rate: it is a device's own outbox and publisher, not a simulated one's.
    module = "worker" if orders.rate_per_s else "backlog"
    command = [sys.executable, "-m", f"fleet_simulation.{module}", as_json(orders)]
    paths = os.pathsep.join([str(TOOLS), os.environ.get("PYTHONPATH", "")])
    log = folder / f"{Path(orders.result).stem}.log"
    return Program([*(network.prefix if network else []), *command], log, PYTHONPATH=paths)
