"""The folder of a site whose broker is a RabbitMQ cluster: a folder for each node, and what they have in common."""

import secrets
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import tomli_w

from leukoscope.errors import SettingsError
from leukoscope_collector.provisioning.authority import write_secret
from leukoscope_collector.provisioning.cluster_files import ClusterNode, write_definitions, write_node
from leukoscope_collector.provisioning.site import Site, tls_from

FEWEST_NODES = 3
"""Of fewer none may fail: what is acknowledged is on a majority."""
_RECONNECT_SPREAD_S = 20

_PROTOCOLS = '# RabbitMQ 4 takes protocol "5" as well; 3.10 does not.\n'


def hosts_file(folder: Path) -> Path:
    """Where the nodes' names are kept; it is there when the site's broker is a cluster."""
    return folder / "cluster" / "hosts"


class ClusterSite(Site):
    """As `Site`, with the nodes' folders in `cluster/`."""

    def __init__(self, folder: Path, *, nodes: Sequence[ClusterNode], days: int, now: datetime) -> None:
        """Open a site's folder, or begin one.

        Args:
            folder: where everything goes.
            nodes: all of the cluster.
            days: how long certificates are valid.
            now: timezone-aware.

        Raises:
            SettingsError: fewer than three nodes or an even number, or the folder cannot be used.
        """
        if len(nodes) < FEWEST_NODES or len(nodes) % 2 == 0:
            raise SettingsError(
                f"expected a --host for each of 3 or 5 nodes, found {len(nodes)}", "name an odd number of nodes"
            )
        self._nodes = tuple(nodes)
        super().__init__(folder, hosts=[node.host for node in nodes], port=nodes[0].mqtt_port, days=days, now=now)

    @classmethod
    def on_hosts(
        cls, folder: Path, hosts: Sequence[str], *, port: int, nodes_at: Path, days: int, now: datetime
    ) -> Self:
        """A cluster with a machine for each node.

        Args:
            folder: where everything goes.
            hosts: the machines' names; none: those of the last time.
            port: where devices reach each of them.
            nodes_at: where a node's folder will lie on its machine.
            days: how long certificates are valid.
            now: timezone-aware.

        Raises:
            SettingsError: as for the class.
        """
        known = hosts_file(folder)
        if not hosts and known.exists():
            hosts = known.read_text().split()
        site = cls(folder, nodes=[ClusterNode.on(host, nodes_at, port) for host in hosts], days=days, now=now)
        known.write_text("".join(f"{host}\n" for host in hosts))
        return site

    @property
    def cluster_folder(self) -> Path:
        """What the nodes have in common, and a folder for each of them."""
        return self._folder / "cluster"

    def node_folder(self, node: ClusterNode) -> Path:
        """What is carried to a node."""
        return self.cluster_folder / node.folder

    def revoke(self, name: str) -> None:
        """As in `Site`; the name is remembered, for the cluster to forget."""
        super().revoke(name)
        with self._revoked_names.open("a") as file:
            file.write(f"{name}\n")

    def write_cluster(self, *, disk_free: str = "5GB") -> Path:
        """The configuration of every node, users, rights and queues as things are now.

        Args:
            disk_free: below which a node takes no more, in RabbitMQ's words.

        Returns:
            The script that brings users, rights and queues to a running cluster.
        """
        for node in self._nodes:
            write_node(self.node_folder(node), node, self._nodes, disk_free=disk_free)
        cookie = self.cluster_folder / "erlang.cookie"
        if not cookie.exists():
            write_secret(cookie, secrets.token_hex(32).encode())
        revoked = self._revoked_names.read_text().split() if self._revoked_names.exists() else []
        write_definitions(
            self.cluster_folder,
            devices=self._names("devices"),
            collectors=self._names("collectors"),
            operators=self._names("operators"),
            revoked=revoked,
            nodes=len(self._nodes),
        )
        return self.cluster_folder / "apply"

    @property
    def _revoked_names(self) -> Path:
        return self._folder / "authority" / "revoked-names"

    def _certify_broker(self, hosts: list[str]) -> None:
        self._hosts = hosts
        for node in self._nodes:
            folder = self.node_folder(node)
            known = folder / "host"
            if known.exists() and known.read_text().strip() != node.host:
                shutil.rmtree(folder)
            if not (folder / "cert.pem").exists():
                self.authority.issue(folder, "broker", days=self._days, hosts=[node.host])
                known.write_text(f"{node.host}\n")

    def _reporting(self, at: Path) -> str:
        client = self._cluster_client(at, [node.mqtt_port for node in self._nodes])
        how = {"driver": "mqtt", "protocol": "3.1.1", "reconnect_spread_s": _RECONNECT_SPREAD_S, **client}
        return _PROTOCOLS + tomli_w.dumps({"reporting": how})

    def _collector(self, name: str, at: Path) -> str:
        settings = {
            "name": name,
            "broker": {"driver": "amqp", **self._cluster_client(at, [node.amqp_port for node in self._nodes])},
            "store": {"driver": "sqlite", "file": str(at / "reports.sqlite3")},
        }
        return tomli_w.dumps(settings)

    def _cluster_client(self, at: Path, ports: Sequence[int]) -> dict[str, Any]:
        addresses = [f"{node.host}:{port}" for node, port in zip(self._nodes, ports, strict=True)]
        return {"host": self._nodes[0].host, "port": ports[0], "other_hosts": addresses[1:], **tls_from(at)}
