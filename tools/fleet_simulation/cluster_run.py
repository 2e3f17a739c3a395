"""Three broker nodes, two databases and three collectors on this machine, and a fleet that reports to them."""

import argparse
import contextlib
import os
import secrets
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import tomli_w

from fleet_simulation.cluster_faults import ClusterFaults
from fleet_simulation.faults import Background
from fleet_simulation.forgery import Forged, forge
from fleet_simulation.patroni import ScratchPatroni
from fleet_simulation.rabbitmq import ScratchCluster, loopback_nodes, network_of_last_node, networked_nodes
from fleet_simulation.result import Sent, Stored, read_sent, read_stored
from fleet_simulation.running import orders_for, run_workers, wait_until_collecting, wait_until_stored
from fleet_simulation.servers import Program, collector_program, free_port
from leukoscope_collector.provisioning.cluster_site import ClusterSite

COLLECTORS = 3
RECONNECT_SPREAD_S = 20.0

Report = Callable[[str], None]


def run_cluster(arguments: argparse.Namespace, folder: Path, report: Report) -> tuple[Sent, Stored, Forged | None]:
    """Start everything in a folder, send, disturb it where that is asked for, wait and read.

    Args:
        arguments: of the command.
        folder: that every user may pass through.
        report: gets a line for each step.

    Returns:
        What the devices say, what the database says, and what came of forged reports.

    Raises:
        LeukoscopeError: a server is missing or did not start.
    """
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(ScratchPatroni(folder / "databases"))
        os.environ["PGPASSWORD"] = database.password_file.read_text()
        report("two databases are up, the standby confirms")
        network = None
        if arguments.faults and arguments.cut == "netns":
            network = stack.enter_context(network_of_last_node())
        nodes = networked_nodes(folder / "site") if network else loopback_nodes(folder / "site")
        site = ClusterSite(folder / "site", nodes=nodes, days=2, now=datetime.now(UTC))
        names = [f"collector-{number + 1}" for number in range(COLLECTORS)]
        files = [site.add_collector(name) / "collector.toml" for name in names]
        site.write_cluster(disk_free="50MB")
        addresses = tuple(_open_to_the_fleet(site.node_folder(node) / "rabbitmq.conf", node.listen) for node in nodes)
        cluster = stack.enter_context(ScratchCluster(site, nodes, network))
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
            addresses,
            protocol="3.1.1",
            reconnect_spread_s=RECONNECT_SPREAD_S,
            first_address_first=arguments.lost_node,
            until=folder / "faults-are-over" if arguments.faults else None,
            patience_s=300,
        )
        happen = None
        if arguments.faults:
            faults = ClusterFaults(cluster, database, collectors, Random(arguments.seed), arguments.pause_s)
            happen = Background(faults.all_of(arguments, orders), report)
        run_workers(orders, folder, stack, happen, collectors)
        sent = read_sent([Path(one.result) for one in orders])
        if wait_until_stored(database.conninfo, sent.made, collectors, settle_s=300) < sent.made:
            report(cluster.control("list_queues", "name", "messages", "messages_unacknowledged", "consumers"))
        stored = read_stored(database.conninfo)
        forged = None
        if arguments.forged:
            forged = forge(addresses[0], database.conninfo, arguments.forged, protocol="3.1.1")
        return sent, stored, forged


_PASSWORD = secrets.token_hex(16)


def _open_to_the_fleet(file: Path, host: str) -> tuple[str, int]:
    """Let simulated devices in without TLS, as the single broker does; where."""
    port = free_port()
    lines = [f"mqtt.listeners.tcp.1 = {host}:{port}", "mqtt.allow_anonymous = true"]
    lines += ["mqtt.default_user = fleet", f"mqtt.default_pass = {_PASSWORD}"]
    text = file.read_text().replace("mqtt.listeners.tcp = none\n", "").replace("mqtt.allow_anonymous = false\n", "")
    file.write_text(text + "\n".join(lines) + "\n")
    return host, port


def _collector(file: Path, database: ScratchPatroni, folder: Path) -> Program:
    store = {key: str(value) for key, value in database.store.items()}
    settings = {**tomllib.loads(file.read_text("utf-8")), "longest_retry_s": 2, "store": store, "metrics": {"port": 0}}
    file.write_text(tomli_w.dumps(settings), "utf-8")
    return collector_program(file, folder / f"{file.parent.name}.log")
