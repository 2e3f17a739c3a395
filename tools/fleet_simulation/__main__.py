"""The command `tools/fleet`."""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from rich.console import Console

from fleet_simulation.faults import Background, happenings
from fleet_simulation.network import BROKER_SIDE, CuttableNetwork
from fleet_simulation.postgres import ScratchPostgres
from fleet_simulation.result import count_stored, exactly_once, read_sent, read_stored, speed
from fleet_simulation.servers import HOST, TOOLS, Program, ScratchBroker, collector
from fleet_simulation.worker import Orders, as_json
from leukoscope.errors import LeukoscopeError

_AUTOSAVE_S = 2
_START_S = 60.0
_SETTLE_S = 60.0

console = Console(stderr=True)


def main() -> None:
    """Run a fleet; exit 0 only if every report is stored once."""
    arguments = _arguments()
    try:
        whole = run(arguments)
    except LeukoscopeError as error:
        print(f"fleet: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if whole else 1)


def run(arguments: argparse.Namespace) -> bool:
    """Start everything in a temporary folder, send, wait and count.

    Returns:
        Whether every report is stored exactly once.

    Raises:
        LeukoscopeError: a server is missing or did not start.
    """
    console.print(f"load before the start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leukoscope-fleet-")))
        database = stack.enter_context(ScratchPostgres())
        network = stack.enter_context(CuttableNetwork()) if arguments.faults and arguments.cut == "netns" else None
        addresses = [HOST] + ([BROKER_SIDE] if network else [])
        broker = ScratchBroker(folder / "broker", addresses, autosave_s=_AUTOSAVE_S)
        broker.start()
        stack.callback(broker.stop)
        store = {"driver": "postgresql", "conninfo": database.conninfo}
        collectors = [
            collector(folder, f"collector-{number + 1}", broker, store) for number in range(arguments.collectors)
        ]
        for one in collectors:
            one.start()
            stack.callback(one.stop)
        _wait_until_collecting(collectors)
        orders = _orders(arguments, folder, addresses[-1], broker.port)
        workers = [_worker(one, folder, network) for one in orders]
        for worker in workers:
            worker.start()
            stack.callback(worker.kill)
        if arguments.faults:
            things = happenings(
                broker,
                collectors,
                database,
                network,
                kills=arguments.kills,
                pause_s=arguments.pause_s,
                outage_s=arguments.outage_s,
                cut_s=arguments.cut_s,
                rng=Random(arguments.seed),
                wait=time.sleep,
            )
            time.sleep(max(0.0, orders[0].start_at - time.time()))
            Background(things, console.print).join()
        for worker, order in zip(workers, orders, strict=True):
            if worker.wait(_START_S + order.drain_s + arguments.seconds):
                raise LeukoscopeError(f"a process of devices failed: {worker.log.read_text()[-500:]}")
        made = sum(one.reports for one in orders)
        _wait_until_stored(database.conninfo, made)
        sent, stored = read_sent([Path(one.result) for one in orders]), read_stored(database.conninfo)
        console.print(f"load at the end: {os.getloadavg()[0]:.2f}")
        if not arguments.faults and sent.published_at:
            Console().print(speed(sent, stored))
        table, whole = exactly_once(sent, stored, made)
        Console().print(table)
    return whole


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/fleet",
        description="Simulates a fleet over real MQTT: mosquitto, collectors and PostgreSQL of its own in a temporary "
        "folder; prints what was sent and stored, and how fast. Exit 0 only if every report is stored once.",
    )
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=1000, help="reports per second of all devices together")
    parser.add_argument("--seconds", type=float, default=60, help="how long; with --faults as long as they take")
    parser.add_argument("--collectors", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that the devices are spread over")
    parser.add_argument(
        "--backlog",
        type=int,
        metavar="N",
        help="instead: the outbox and the publisher of one real device, with N reports that waited",
    )
    parser.add_argument("--faults", action="store_true", help="kill, stop and cut things meanwhile")
    parser.add_argument("--kills", type=int, default=10, help="of the broker and of collectors, each")
    parser.add_argument("--pause-s", type=float, default=1, help="between kills, at least; up to four times as long")
    parser.add_argument("--outage-s", type=float, default=30, help="how long the database is stopped")
    parser.add_argument("--cut-s", type=float, default=60, help="how long the network is cut")
    parser.add_argument(
        "--cut", choices=("netns", "sigstop"), default="netns", help="a network namespace (root), or a stopped broker"
    )
    parser.add_argument(
        "--doubt-s",
        type=float,
        default=10,
        help="what was acknowledged so shortly before a lost "
        "connection is sent again; 0 to see what a killed broker loses",
    )
    parser.add_argument("--seed", type=int, default=1, help="when what happens")
    arguments = parser.parse_args()
    if arguments.backlog:
        arguments.devices = arguments.processes = 1
    if arguments.faults:
        # A kill of each takes about five pauses and a second.
        pauses_s = (5 * arguments.kills + 10) * arguments.pause_s
        arguments.seconds = pauses_s + arguments.kills * 2 + arguments.outage_s + arguments.cut_s
    return arguments


def _orders(arguments: argparse.Namespace, folder: Path, host: str, port: int) -> list[Orders]:
    count = min(arguments.processes, arguments.devices)
    start_at = time.time() + 2 + arguments.devices / 100
    reports = arguments.backlog or int(arguments.rate * arguments.seconds)
    return [
        Orders(
            first=number * arguments.devices // count,
            devices=(number + 1) * arguments.devices // count - number * arguments.devices // count,
            host=host,
            port=port,
            rate_per_s=0.0 if arguments.backlog else arguments.rate / count,
            reports=(number + 1) * reports // count - number * reports // count,
            drain_s=120,
            in_flight=10,
            ack_timeout_s=5,
            doubt_s=arguments.doubt_s,
            start_at=start_at,
            result=str(folder / f"worker-{number}.json"),
        )
        for number in range(count)
    ]


def _worker(orders: Orders, folder: Path, network: CuttableNetwork | None) -> Program:
    # A backlog has no rate: it is a device's own outbox and publisher, not a simulated one's.
    module = "worker" if orders.rate_per_s else "backlog"
    command = [sys.executable, "-m", f"fleet_simulation.{module}", as_json(orders)]
    paths = os.pathsep.join([str(TOOLS), os.environ.get("PYTHONPATH", "")])
    log = folder / f"{Path(orders.result).stem}.log"
    return Program([*(network.prefix if network else []), *command], log, PYTHONPATH=paths)


def _wait_until_collecting(collectors: list[Program]) -> None:
    until = time.monotonic() + _START_S
    while not all("collecting from" in one.log.read_text() for one in collectors):
        if time.monotonic() > until:
            raise LeukoscopeError(f"a collector does not start: {collectors[0].log.read_text()[-500:]}")
        time.sleep(0.1)


def _wait_until_stored(conninfo: str, made: int) -> None:
    until = time.monotonic() + _SETTLE_S
    while count_stored(conninfo) < made and time.monotonic() < until:
        time.sleep(0.5)


if __name__ == "__main__":
    main()
