"""Three broker nodes, two databases and three collectors on this machine, and a fleet that reports to them."""

import argparse
import contextlib
import os
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import tomli_w

from fleet_simulation.faults import Background
from fleet_simulation.forgery import Forged, forge
from fleet_simulation.patroni import ScratchPatroni
from fleet_simulation.rabbitmq import ScratchCluster, loopback_nodes
from fleet_simulation.result import Sent, Stored, read_sent, read_stored
from fleet_simulation.running import orders_for, run_workers, wait_until_collecting, wait_until_stored
from fleet_simulation.servers import HOST, Program, collector_program, free_port
from leukoscope_collector.provisioning.cluster_site import ClusterSite

COLLECTORS = 3
RECONNECT_SPREAD_S = 20.0

Report = Callable[[str], None]


def run_cluster(arguments: argparse.Namespace, folder: Path, report: Report) -> tuple[Sent, Stored, int, Forged | None]:
    """Start everything in a folder, send, disturb it where that is asked for, wait and read.

    Args:
        arguments: of the command.
        folder: that every user may pass through.
        report: gets a line for each step.

    Returns:
        What the devices say, what the database says, how many reports were made, and what came of forged ones.

    Raises:
        LeukoscopeError: a server is missing or did not start.
    """
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(ScratchPatroni(folder / "databases"))
        os.environ["PGPASSWORD"] = database.password_file.read_text()
        report("two databases are up, the standby confirms")
        nodes = loopback_nodes(folder / "site")
        site = ClusterSite(folder / "site", nodes=nodes, days=2, now=datetime.now(UTC))
        names = [f"collector-{number + 1}" for number in range(COLLECTORS)]
        files = [site.add_collector(name) / "collector.toml" for name in names]
        site.write_cluster(disk_free="50MB")
        ports = [_open_to_the_fleet(site.node_folder(node) / "rabbitmq.conf") for node in nodes]
        cluster = stack.enter_context(ScratchCluster(site, nodes))
        cluster.control("add_user", "fleet", _PASSWORD)
        cluster.control("set_permissions", "fleet", ".*", ".*", ".*")
        report("three broker nodes are up")
        collectors = [_collector(file, database, folder) for file in files]
        for one in collectors:
            one.start()
            stack.callback(one.stop)
        wait_until_collecting(collectors)
        orders = orders_for(
            arguments,
            folder,
            tuple((HOST, port) for port in ports),
            protocol="3.1.1",
            reconnect_spread_s=RECONNECT_SPREAD_S,
            drain_s=600,
        )
        happen = None
        if arguments.faults:
            rng = Random(arguments.seed)
            happen = _happenings(arguments, cluster, database, collectors, rng)
        run_workers(orders, folder, stack, Background(happen, report) if happen else None)
        made = sum(one.reports for one in orders)
        wait_until_stored(database.conninfo, made, settle_s=300)
        sent, stored = read_sent([Path(one.result) for one in orders]), read_stored(database.conninfo)
        forged = None
        if arguments.forged:
            forged = forge((HOST, ports[0]), database.conninfo, arguments.forged, protocol="3.1.1")
        return sent, stored, made, forged


_PASSWORD = secrets.token_hex(16)


def _open_to_the_fleet(file: Path) -> int:
    """Let simulated devices in without TLS, as the single broker does; the port at which."""
    port = free_port()
    lines = [f"mqtt.listeners.tcp.1 = {HOST}:{port}", "mqtt.allow_anonymous = true"]
    lines += ["mqtt.default_user = fleet", f"mqtt.default_pass = {_PASSWORD}"]
    text = file.read_text().replace("mqtt.listeners.tcp = none\n", "").replace("mqtt.allow_anonymous = false\n", "")
    file.write_text(text + "\n".join(lines) + "\n")
    return port


def _collector(file: Path, database: ScratchPatroni, folder: Path) -> Program:
    store = {key: str(value) for key, value in database.store.items()}
    settings = {**tomllib.loads(file.read_text("utf-8")), "longest_retry_s": 2, "store": store, "metrics": {"port": 0}}
    file.write_text(tomli_w.dumps(settings), "utf-8")
    return collector_program(file, folder / f"{file.parent.name}.log")


def _happenings(
    arguments: argparse.Namespace,
    cluster: ScratchCluster,
    database: ScratchPatroni,
    collectors: list[Program],
    rng: Random,
) -> Iterator[str]:
    """Kill each node and a collector, then the primary; stop a node's process as a cut network would silence it."""
    pause_s = arguments.pause_s
    rounds = [(number, node) for number in range(arguments.kills) for node in cluster.nodes]
    for turn, (number, node) in enumerate(rounds, start=1):
        node.kill()
        time.sleep(pause_s * rng.uniform(1.0, 4.0))
        node.start()
        cluster.wait_until_up()
        yield f"{node.node.name} killed ({number + 1} of {arguments.kills})"
        time.sleep(pause_s * rng.uniform(1.0, 4.0))
        victim = rng.choice(collectors)
        victim.kill()
        time.sleep(rng.uniform(0.1, 1.0))
        victim.start()
        yield f"{victim.log.stem} killed ({turn} of {len(rounds)})"
    for number in range(arguments.promotions):
        database.wait_for_primary()
        database.wait_for_standby()
        killed = database.kill_primary()
        began = time.monotonic()
        database.wait_for_primary()
        yield f"primary database killed ({number + 1} of {arguments.promotions}), the other took over after " + (
            f"{time.monotonic() - began:.0f} s"
        )
        database.nodes[killed].start()
    silent = rng.choice(cluster.nodes)
    silent.freeze()
    time.sleep(arguments.cut_s)
    silent.thaw()
    cluster.wait_until_up()
    yield f"{silent.node.name} silent for {arguments.cut_s:.0f} s"
