"""A RabbitMQ cluster of one's own on loopback, from what `tools/provision --cluster` writes, node by node killable."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from fleet_simulation.network import CuttableNetwork
from fleet_simulation.postgres import ServerError
from fleet_simulation.servers import HOST, Program, free_port
from leukoscope_collector.provisioning.cluster_files import ClusterNode
from leukoscope_collector.provisioning.cluster_site import ClusterSite

_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
"""Debian's wrappers in /usr/sbin change to another user and folder; these are what they call."""
_START_S = 480.0
_FEW_S = 0.25
_PROBE_S = 5.0


def find_rabbitmq() -> Path:
    """The folder of RabbitMQ's programs.

    Raises:
        ServerError: there is none.
    """
    if not (_PROGRAMS / "rabbitmq-server").exists():
        raise ServerError("no RabbitMQ found: apt-get install rabbitmq-server")
    return _PROGRAMS


def loopback_nodes(folder: Path, count: int = 3) -> list[ClusterNode]:
    """Nodes of one machine, each with free ports of its own.

    Args:
        folder: of the site that will be provisioned.
        count: how many.
    """
    return [
        ClusterNode(
            host=HOST,
            name=f"leuk{number}-{os.getpid()}@localhost",
            at=folder.resolve() / "cluster" / f"leuk{number}-{os.getpid()}",
            mqtt_port=free_port(),
            amqp_port=free_port(),
            dist_port=free_port(),
            listen=HOST,
        )
        for number in range(1, count + 1)
    ]


NODE_ADDRESSES = ("10.213.78.1", "10.213.78.2", "10.213.78.3")
"""Of nodes of which the last has a network of its own."""


def network_of_last_node() -> CuttableNetwork:
    """The cable between the last node and all the rest."""
    *here, there = (f"{address}/24" for address in NODE_ADDRESSES)
    return CuttableNetwork(here, there)


def networked_nodes(folder: Path) -> list[ClusterNode]:
    """Nodes with an address each, as on machines of their own; for `network_of_last_node`.

    Args:
        folder: of the site that will be provisioned.
    """
    mqtt_port, amqp_port = free_port(), free_port()
    return [
        ClusterNode(
            host=address,
            name=f"leuk{number}@{address}",
            at=folder.resolve() / "cluster" / address,
            mqtt_port=mqtt_port,
            amqp_port=amqp_port,
            # Two nodes that one epmd knows may not have the same, whatever their addresses.
            dist_port=free_port(),
            listen=address,
        )
        for number, address in enumerate(NODE_ADDRESSES, 1)
    ]


class BrokerNode(Program):
    """One node; a process group, since the server is a child of a shell."""

    own_group = True

    def __init__(
        self, node: ClusterNode, folder: Path, environment: dict[str, str], network: CuttableNetwork | None = None
    ) -> None:
        self.node = node
        self.prefix = network.prefix if network else []
        """What a command is put behind to run where the node runs."""
        interface = node.listen.replace(".", ",")
        self.environment = environment | {
            "ERL_EPMD_ADDRESS": node.listen,
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            # Whatever the site's own file says, here only this machine is to reach a node.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{{interface}}}",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_NODENAME": node.name,
        }
        server = str(find_rabbitmq() / "rabbitmq-server")
        super().__init__([*self.prefix, server], folder / "out", **self.environment)

    def send(self, number: signal.Signals) -> None:
        """To the shell and the server."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(_START_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def freeze(self) -> None:
        """The server stops in its tracks, as when its network is cut: no peer hears of it."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.send(signal.SIGCONT)

    def listens(self) -> bool:
        """Devices can connect."""
        with socket.socket() as probe:
            probe.settimeout(_PROBE_S)
            return probe.connect_ex((self.node.host, self.node.mqtt_port)) == 0


class ScratchCluster:
    """The nodes of a provisioned site, their epmd, and the command line to them."""

    def __init__(self, site: ClusterSite, nodes: Sequence[ClusterNode], network: CuttableNetwork | None = None) -> None:
        """Prepare it; `site.write_cluster` was called.

        Args:
            site: of which the nodes are.
            nodes: all of it.
            network: where the last node is to run; None: with the others.

        Raises:
            ServerError: RabbitMQ is not installed.
        """
        self._site = site
        self.network = network
        home = site.cluster_folder / "home"
        home.mkdir(exist_ok=True)
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            shutil.copyfile(site.cluster_folder / "erlang.cookie", cookie)
            cookie.chmod(0o400)
        port = free_port()
        self._environment = {
            "HOME": str(home),
            "ERL_EPMD_PORT": str(port),
            "PATH": f"{find_rabbitmq()}:{os.environ.get('PATH', '')}",
        }
        places = [None] * (len(nodes) - 1) + [network]
        self.nodes = [
            BrokerNode(node, site.node_folder(node), self._environment, place)
            for node, place in zip(nodes, places, strict=True)
        ]
        self._epmds: list[Program] = []
        for prefix in {tuple(node.prefix): None for node in self.nodes}:
            hosts = ",".join(sorted({node.node.listen for node in self.nodes if tuple(node.prefix) == prefix}))
            command = [*prefix, "epmd", "-port", str(port), "-address", hosts]
            self._epmds.append(Program(command, home / f"epmd-{len(self._epmds)}.log"))

    def start(self) -> Self:
        """Start the nodes one after the other, as the page says, and bring users and queues to them.

        Raises:
            ServerError: a node does not come up.
        """
        for epmd in self._epmds:
            epmd.start()
        for node in self.nodes:
            node.start()
            self.wait_until_up([node])
        self.apply()
        return self

    def stop(self) -> None:
        """End all of it."""
        for node in self.nodes:
            node.kill()
        for epmd in self._epmds:
            epmd.stop()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_until_up(self, nodes: Sequence[BrokerNode] | None = None, timeout_s: float = _START_S) -> None:
        """Until every node takes connections; one that leaves is started again, as its unit does (Restart=on-failure).

        Two nodes of three that start at once may find no leader for RabbitMQ's list of MQTT clients; one of them then
        gives up after 100 s.

        Args:
            nodes: all, where none are named.
            timeout_s: of all together.

        Raises:
            ServerError: one does not in time.
        """
        until = time.monotonic() + timeout_s
        for node in nodes or self.nodes:
            while not node.listens():
                if node.ended:
                    node.start()
                if time.monotonic() > until:
                    raise ServerError(f"{node.node.name} does not listen: {node.log.read_text()[-500:]}")
                time.sleep(_FEW_S)

    def wait_until_spare(self, node: int, timeout_s: float = _START_S) -> None:
        """Until every queue still has a majority when a node leaves.

        Args:
            node: which is to leave.
            timeout_s: seconds.

        Raises:
            ServerError: the others lag behind for so long.
        """
        self.control_with("rabbitmq-upgrade", "await_online_quorum_plus_one", "-t", f"{timeout_s:.0f}", node=node)

    def apply(self) -> None:
        """Bring users, rights and queues to the cluster as an operator does, with the script that was written.

        Raises:
            ServerError: the script fails.
        """
        self.control_with(str(self._site.cluster_folder / "apply"))

    def control(self, *words: str, node: int = 0) -> str:
        """What `rabbitmqctl` prints, asked of one node.

        Raises:
            ServerError: it fails.
        """
        return self.control_with("rabbitmqctl", "-q", *words, node=node)

    def control_with(self, *command: str, node: int = 0) -> str:
        """What a program prints that speaks to one node.

        Raises:
            ServerError: it fails.
        """
        at = self.nodes[node]
        command = (*at.prefix, *command)
        environment = os.environ | at.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"{' '.join(command)}: {' '.join((done.stdout + done.stderr).split())[-500:]}")
        return done.stdout
