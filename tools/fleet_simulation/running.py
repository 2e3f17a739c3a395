"""A fleet of devices in processes of their own, whatever they report to."""

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path

from fleet_simulation.faults import Background
from fleet_simulation.network import CuttableNetwork
from fleet_simulation.result import count_stored
from fleet_simulation.servers import TOOLS, Program
from fleet_simulation.worker import Orders, as_json
from leukoscope.errors import LeukoscopeError

_START_S = 60.0


def orders_for(
    arguments: argparse.Namespace,
    folder: Path,
    addresses: tuple[tuple[str, int], ...],
    *,
    protocol: str = "5",
    reconnect_spread_s: float = 0.0,
    drain_s: float = 120,
) -> list[Orders]:
    """What each process of devices is to do.

    Args:
        arguments: of the command.
        folder: for the results.
        addresses: of the brokers.
        protocol: MQTT version.
        reconnect_spread_s: as a device's setting.
        drain_s: seconds to wait for the last acknowledgements.
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
            drain_s=drain_s,
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
    network: CuttableNetwork | None = None,
) -> None:
    """Start the devices, wait for what happens meanwhile, and for the last of them.

    Raises:
        LeukoscopeError: a process of devices failed.
    """
    workers = [_worker(one, folder, network) for one in orders]
    for worker in workers:
        worker.start()
        stack.callback(worker.kill)
    if happenings is not None:
        happenings.join()
    for worker, order in zip(workers, orders, strict=True):
        duration_s = order.reports / order.rate_per_s if order.rate_per_s else 0.0
        if worker.wait(_START_S + order.drain_s + duration_s + max(0.0, order.start_at - time.time())):
            raise LeukoscopeError(
                f"a process of devices failed: {worker.log.read_text()[-500:]}", "its last lines say why"
            )


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


def wait_until_stored(conninfo: str, made: int, settle_s: float = 60.0) -> None:
    """Until as many reports are stored as were made, or nothing more came for `settle_s`."""
    known, until = -1, 0.0
    while (stored := count_stored(conninfo)) < made:
        if stored > known:
            known, until = stored, time.monotonic() + settle_s
        elif time.monotonic() > until:
            return
        time.sleep(0.5)


def _worker(orders: Orders, folder: Path, network: CuttableNetwork | None) -> Program:
    # A backlog has no rate: it is a device's own outbox and publisher, not a simulated one's.
    module = "worker" if orders.rate_per_s else "backlog"
    command = [sys.executable, "-m", f"fleet_simulation.{module}", as_json(orders)]
    paths = os.pathsep.join([str(TOOLS), os.environ.get("PYTHONPATH", "")])
    log = folder / f"{Path(orders.result).stem}.log"
    return Program([*(network.prefix if network else []), *command], log, PYTHONPATH=paths)
