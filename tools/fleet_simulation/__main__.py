"""The command `tools/fleet`."""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from rich.console import Console

from fleet_simulation.cluster_run import run_cluster
from fleet_simulation.faults import Background, happenings
from fleet_simulation.forgery import Forged, forge
from fleet_simulation.network import BROKER_SIDE, CuttableNetwork
from fleet_simulation.postgres import ScratchPostgres
from fleet_simulation.result import Sent, Stored, connections, exactly_once, read_sent, read_stored, speed
from fleet_simulation.run_folder import RunFolder
from fleet_simulation.running import orders_for, run_workers, wait_until_collecting, wait_until_stored
from fleet_simulation.servers import HOST, Program, ScratchBroker, collector
from leukoscope.errors import LeukoscopeError

_AUTOSAVE_S = 2
_TEN_YEARS_S = 10 * 365 * 86400.0

console = Console(stderr=True)


def main() -> None:
    """Run a fleet; exit 0 only if every report is stored once."""
    arguments = _arguments()
    # As Ctrl-C does: what was started is ended, and the folder stays.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        whole = run(arguments)
    except LeukoscopeError as error:
        print(f"fleet: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if whole else 1)


def run(arguments: argparse.Namespace) -> bool:
    """Start everything in a temporary folder, send, wait and count; the folder stays when a report is not stored once.

    Returns:
        Whether every report is stored exactly once.

    Raises:
        LeukoscopeError: a server is missing or did not start.
    """
    with RunFolder(_line, keep=arguments.keep) as folder:
        whole = _run(arguments, folder.path)
        folder.keep |= not whole
    return whole


def _line(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def _run(arguments: argparse.Namespace, folder: Path) -> bool:
    console.print(f"load before the start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    runs: dict[str, tuple[Sent, Stored, Forged | None]] = {}
    # Faults of a cluster are no measure of speed, which is what one machine is compared by.
    if not (arguments.cluster and arguments.faults):
        runs["one machine"] = _run_on_one_machine(arguments, _made(folder / "one-machine"))
    if arguments.cluster:
        runs["cluster"] = run_cluster(arguments, _made(folder / "cluster"), console.print)
    console.print(f"load at the end: {os.getloadavg()[0]:.2f}")
    if not arguments.faults and all(sent.published_at for sent, *_ in runs.values()):
        (sent, stored, *_), *rest = runs.values()
        Console().print(speed(sent, stored, *((run[0], run[1]) for run in rest)))
    whole = True
    for name, (sent, stored, forged) in runs.items():
        where = name if arguments.cluster else ""
        if sent.away_s:
            Console().print(connections(sent, where))
        table, once = exactly_once(sent, stored, sent.made, where)
        Console().print(table)
        whole = whole and once
        if forged is not None:
            Console().print(forged.table())
            whole = whole and forged.held
    return whole


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o711)
    return folder


def _run_on_one_machine(arguments: argparse.Namespace, folder: Path) -> tuple[Sent, Stored, Forged | None]:
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(ScratchPostgres(folder / "database"))
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
        wait_until_collecting(collectors)
        orders = orders_for(arguments, folder, ((addresses[-1], broker.port),))
        things = _happenings(arguments, broker, collectors, database, network, orders[0].start_at)
        run_workers(orders, folder, stack, Background(things, console.print), collectors, network)
        sent = read_sent([Path(one.result) for one in orders])
        wait_until_stored(database.conninfo, sent.made, collectors)
        stored = read_stored(database.conninfo)
        forged = forge((HOST, broker.port), database.conninfo, arguments.forged) if arguments.forged else None
        return sent, stored, forged


def _happenings(
    arguments: argparse.Namespace,
    broker: ScratchBroker,
    collectors: list[Program],
    database: ScratchPostgres,
    network: CuttableNetwork | None,
    start_at: float,
) -> Iterator[str]:
    """What is to happen once the devices have begun."""
    if arguments.faults:
        time.sleep(max(0.0, start_at - time.time()))
        yield from happenings(
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/fleet",
        description="Simulates a fleet over real MQTT: mosquitto, collectors and PostgreSQL of its own in a temporary "
        "folder; prints what was sent and stored, and how fast. Exit 0 only if every report is stored once.",
    )
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=1000, help="reports per second of all devices together")
    parser.add_argument("--seconds", type=float, default=60, help="how long; with --faults until they are over")
    parser.add_argument("--collectors", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that the devices are spread over")
    parser.add_argument(
        "--backlog",
        type=int,
        metavar="N",
        help="instead: the outbox and the publisher of one real device, with N reports that waited",
    )
    parser.add_argument("--faults", action="store_true", help="kill, stop and cut things meanwhile")
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="also three RabbitMQ nodes, two databases under Patroni and three collectors, beside the same on one "
        "machine; with --faults the cluster alone",
    )
    parser.add_argument("--promotions", type=int, default=3, help="with --cluster --faults: kills of the primary")
    parser.add_argument(
        "--upgrades", type=int, default=0, help="with --cluster --faults: of each node, drained, stopped and started"
    )
    parser.add_argument(
        "--lost-node",
        action="store_true",
        help="with --cluster --faults: every device begins at one node, and that is killed",
    )
    parser.add_argument(
        "--kills", type=int, default=10, help="of the broker and of collectors, each; of a cluster, of each node"
    )
    parser.add_argument("--pause-s", type=float, default=1, help="between kills, at least; up to four times as long")
    parser.add_argument("--outage-s", type=float, default=30, help="how long the database is stopped")
    parser.add_argument(
        "--cut-s", type=float, default=60, help="how long the network is cut; of a cluster, that of a node"
    )
    parser.add_argument(
        "--cut", choices=("netns", "sigstop"), default="netns", help="a network namespace (root), or a stopped broker"
    )
    parser.add_argument(
        "--forged", type=int, help="stored reports under whose ids another device sends; 20 with --faults, else none"
    )
    parser.add_argument(
        "--clock-off-s",
        type=float,
        help="devices' clocks step ahead and behind by so much; ten years with --faults, else 0",
    )
    parser.add_argument(
        "--redelivery-window-s",
        type=float,
        default=10,
        help="what was acknowledged so shortly before a lost "
        "connection is sent again; 0 to see what a killed broker loses",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the run's folder with all logs; where a run fails it is kept anyway"
    )
    parser.add_argument("--seed", type=int, default=1, help="when what happens")
    arguments = parser.parse_args()
    if arguments.backlog:
        arguments.devices = arguments.processes = 1
    if arguments.forged is None:
        arguments.forged = 20 if arguments.faults else 0
    if arguments.clock_off_s is None:
        arguments.clock_off_s = _TEN_YEARS_S if arguments.faults else 0.0
    if arguments.faults:
        # A kill of each takes about five pauses and a second.
        pauses_s = (5 * arguments.kills + 10) * arguments.pause_s
        if not arguments.cluster:
            arguments.seconds = pauses_s + arguments.kills * 2 + arguments.outage_s + arguments.cut_s
    return arguments


if __name__ == "__main__":
    main()
