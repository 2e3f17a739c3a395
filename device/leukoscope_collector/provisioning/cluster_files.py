"""The configuration of a RabbitMQ cluster: nodes, users by certificate, what each may do, and replicated queues."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukoscope_collector.intake.amqp import DEAD_LETTER_QUEUE, INTAKE_QUEUE

_DEVICE_SAYS = "status|health|report|cell|result"
_MOST_DELIVERIES = 200
"""A message handed out so often and never acknowledged makes room for the others."""
_LARGEST_MESSAGE_BYTES = 1_100_000
_LARGEST_QUEUE_BYTES = 200_000_000_000
"""What is more is not acknowledged, and stays in the devices' outboxes."""

_NODE = """\
# Made by leukoscope-provision --cluster; RabbitMQ 3.10 or newer.
listeners.tcp = none
listeners.ssl.1 = {listen}:{amqp_port}
mqtt.listeners.tcp = none
mqtt.listeners.ssl.1 = {listen}:{mqtt_port}
# TLS 1.2 or newer; who has no certificate of this site is nobody.
ssl_options.cacertfile = {at}/ca.pem
ssl_options.certfile = {at}/cert.pem
ssl_options.keyfile = {at}/key.pem
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
# Users are called what their certificate says; there are no passwords.
auth_mechanisms.1 = EXTERNAL
ssl_cert_login_from = common_name
mqtt.ssl_cert_login = true
mqtt.allow_anonymous = false
mqtt.exchange = amq.topic
mqtt.durable_queue_type = quorum
# A minority that is cut off stops, so that what is acknowledged is on a majority.
cluster_partition_handling = pause_minority
# Seconds of silence, 22 to 38, after which a node whose network is cut counts as gone; until then the others may wait
# for it at each login.
net_ticktime = 30
cluster_formation.peer_discovery_backend = classic_config
{peers}
max_message_size = {largest}
disk_free_limit.absolute = {disk_free}
log.console = true
log.console.level = warning
log.file = false
"""

_ENVIRONMENT = """\
NODENAME={name}
USE_LONGNAME={long}
DIST_PORT={dist_port}
"""

_APPLY = """\
#!/bin/sh
# Made by leukoscope-provision --cluster: users, rights and queues as they are now. Run it on one node, at will.
# It cuts off at once, on every node, who was revoked.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rabbitmqctl await_online_nodes {nodes}
# RabbitMQ before 3.12 keeps a list of MQTT clients by a vote of its own. Nodes that first started together may have
# split over it, and then one that is lost takes MQTT away from all.
members=$(rabbitmqctl -q eval '
    lists:usort([
        case rpc:call(Node, erlang, whereis, [mqtt_node]) of
            undefined -> {nodes};
            _ -> case ra:members({{mqtt_node, Node}}, 20000) of {{ok, All, _}} -> length(All); _ -> 0 end
        end || Node <- [node() | nodes()]]).')
if [ "$members" != "[{nodes}]" ]; then
    echo "expected the list of MQTT clients on {nodes} nodes as all of them see it, found $members" >&2
    echo "stop all nodes, remove the folder coordination from the data of each, and start one after the other" >&2
    exit 1
fi
rabbitmqctl import_definitions "$here/definitions.json"
rabbitmqctl -q list_users --no-table-headers | cut -f1 | grep -Fx -f "$here/users-to-delete" | while read -r user; do
    rabbitmqctl delete_user "$user" < /dev/null
done
"""


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One RabbitMQ of the cluster."""

    host: str
    """Under which devices, collectors and the other nodes reach it."""
    name: str
    """Of the Erlang node, as `rabbit@broker-1.example`."""
    at: Path
    """Where the node's files will lie."""
    mqtt_port: int = 8883
    amqp_port: int = 5671
    dist_port: int = 25672
    """For the other nodes: open it to them alone."""
    listen: str = "0.0.0.0"  # noqa: S104

    @classmethod
    def on(cls, host: str, at: Path, mqtt_port: int) -> "ClusterNode":
        """A machine of its own under its name."""
        return cls(host=host, name=f"rabbit@{host}", at=at, mqtt_port=mqtt_port)

    @property
    def folder(self) -> str:
        """The name of the folder of its files."""
        return self.name.partition("@")[0] if self.name.endswith("@localhost") else self.host


def write_node(folder: Path, node: ClusterNode, nodes: Sequence[ClusterNode], *, disk_free: str) -> None:
    """Write `rabbitmq.conf`, `rabbitmq-env.conf` and `enabled_plugins` of a node into its folder."""
    peers = "\n".join(
        f"cluster_formation.classic_config.nodes.{number} = {peer.name}" for number, peer in enumerate(nodes, 1)
    )
    text = _NODE.format(
        at=node.at,
        listen=node.listen,
        amqp_port=node.amqp_port,
        mqtt_port=node.mqtt_port,
        peers=peers,
        largest=_LARGEST_MESSAGE_BYTES,
        disk_free=disk_free,
    )
    (folder / "rabbitmq.conf").write_text(text)
    long = str("." in node.name.partition("@")[2]).lower()
    (folder / "rabbitmq-env.conf").write_text(_ENVIRONMENT.format(name=node.name, long=long, dist_port=node.dist_port))
    (folder / "enabled_plugins").write_text("[rabbitmq_mqtt,rabbitmq_auth_mechanism_ssl].\n")


def write_definitions(
    folder: Path,
    *,
    devices: Sequence[str],
    collectors: Sequence[str],
    operators: Sequence[str],
    revoked: Sequence[str],
    nodes: int,
) -> None:
    """Write `definitions.json`, `users-to-delete` and the script `apply` that brings both to the cluster.

    Args:
        folder: of the cluster.
        devices: as `clinic/scope-1`; each has an entry of its own, for its topics.
        collectors: may take from the queues and do nothing else.
        operators: may hear everything and send commands.
        revoked: who had a certificate once.
        nodes: how many the cluster has.
    """
    rights = [_device(name) for name in devices]
    rights += [_collector(name) for name in collectors]
    rights += [_operator(name) for name in operators]
    definitions: dict[str, Any] = {
        "vhosts": [{"name": "/"}],
        # Without a password: only the certificate opens.
        "users": [
            {"name": right.user, "password_hash": "", "tags": [], "limits": {"max-connections": 10}} for right in rights
        ],
        "permissions": [
            {
                "user": right.user,
                "vhost": "/",
                "configure": right.configure,
                "write": right.write,
                "read": right.read,
            }
            for right in rights
        ],
        "topic_permissions": [
            {"user": right.user, "vhost": "/", "exchange": "amq.topic", "write": right.says, "read": right.hears}
            for right in rights
        ],
        "queues": [_queue(INTAKE_QUEUE, nodes, **_DEAD_LETTERS), _queue(DEAD_LETTER_QUEUE, nodes)],
        "exchanges": [
            {
                "name": DEAD_LETTER_QUEUE,
                "vhost": "/",
                "type": "fanout",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
        ],
        "bindings": [
            *(_binding("amq.topic", INTAKE_QUEUE, f"leukoscope.v1.*.*.{kind}") for kind in _DEVICE_SAYS.split("|")),
            _binding(DEAD_LETTER_QUEUE, DEAD_LETTER_QUEUE, ""),
        ],
    }
    (folder / "definitions.json").write_text(json.dumps(definitions, indent=1) + "\n")
    here = {right.user for right in rights}
    # A new RabbitMQ has an administrator whose password everybody knows.
    gone = ["guest", *(name for name in revoked if name not in here)]
    (folder / "users-to-delete").write_text("".join(f"{name}\n" for name in gone))
    (folder / "apply").write_text(_APPLY.format(nodes=nodes))
    (folder / "apply").chmod(0o755)


_DEAD_LETTERS = {
    "x-delivery-limit": _MOST_DELIVERIES,
    "x-dead-letter-exchange": DEAD_LETTER_QUEUE,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
    "x-max-length-bytes": _LARGEST_QUEUE_BYTES,
}


@dataclass(frozen=True, slots=True)
class _Rights:
    """What a user may do, as regular expressions over names of queues and exchanges, and over routing keys."""

    user: str
    configure: str = "^$"
    write: str = "^$"
    read: str = "^$"
    says: str = "^$"
    hears: str = "^$"


def _device(name: str) -> _Rights:
    site, _, device = name.partition("/")
    # The MQTT plugin makes a queue for what a client listens to, and calls it after the client.
    own = f"mqtt-subscription-leukoscope-{re.escape(site)}-{re.escape(device)}(-doctor)?qos[01]"
    topics = rf"^leukoscope\.v1\.{re.escape(site)}\.{re.escape(device)}\."
    return _Rights(
        user=name,
        configure=f"^{own}$",
        write=rf"^(amq\.topic|{own})$",
        read=rf"^(amq\.topic|{own})$",
        says=f"{topics}({_DEVICE_SAYS})$",
        hears=f"{topics}(status|command)$",
    )


def _collector(name: str) -> _Rights:
    return _Rights(user=name, read=f"^({INTAKE_QUEUE}|{DEAD_LETTER_QUEUE})$")


def _operator(name: str) -> _Rights:
    own = "mqtt-subscription-.*qos[01]"
    return _Rights(
        user=name,
        configure=f"^{own}$",
        write=rf"^(amq\.topic|{own})$",
        read=rf"^(amq\.topic|{own})$",
        says=r"^leukoscope\.v1\.[^.]+\.[^.]+\.command$",
        hears=r"^leukoscope\.v1\..*$",
    )


def _queue(name: str, nodes: int, **arguments: Any) -> dict[str, Any]:
    arguments |= {"x-queue-type": "quorum", "x-quorum-initial-group-size": nodes}
    return {"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": arguments}


def _binding(exchange: str, queue: str, key: str) -> dict[str, Any]:
    return {
        "source": exchange,
        "vhost": "/",
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }
