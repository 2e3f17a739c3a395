"""A provisioned RabbitMQ cluster on this machine, and those who hold its certificates."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paho.mqtt.enums import MQTTProtocolVersion

from fleet_simulation.rabbitmq import ScratchCluster, loopback_nodes
from leukoscope.delivery import MqttSettings
from leukoscope.errors import BrokerError
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.intake import Share
from leukoscope_collector.intake.amqp import AmqpIntake, AmqpIntakeSettings
from leukoscope_collector.provisioning.cluster_site import ClusterSite
from tests.brokers import HOST
from tests.collector.running import Device

SPEAKER, OTHER, LEAVER = "ward-3/scope-1", "ward-3/scope-2", "ward-3/scope-3"
SHARE = Share("collector-1", "collectors", "leukoscope/v1", receive_maximum=100, session_expiry_s=600)


class ClusterBench:
    """The cluster, and its holders by name."""

    def __init__(self, folder: Path) -> None:
        self.nodes = loopback_nodes(folder)
        self.site = ClusterSite(folder, nodes=self.nodes, days=30, now=datetime.now(UTC))
        self.holders = {name: self.site.add_device(name, None) for name in (SPEAKER, OTHER, LEAVER)}
        self.holders |= {name: self.site.add_collector(name) for name in ("collector-1", "collector-2")}
        self.holders["ward"] = self.site.add_operator("ward")
        self.site.write_cluster(disk_free="50MB")
        self.cluster = ScratchCluster(self.site, self.nodes)

    def mqtt_settings(self, holder: str = SPEAKER, node: int = 0, **changes: Any) -> MqttSettings:
        """How a device connects to one node."""
        at = self.holders[holder]
        login = {"ca_file": at / "ca.pem", "client_cert": at / "cert.pem", "client_key": at / "key.pem"}
        known: dict[str, Any] = {"host": HOST, "port": self.nodes[node].mqtt_port, "tls": True, "protocol": "3.1.1"}
        return MqttSettings(**known | login | {"connect_timeout_s": 5} | changes)

    def device(self, holder: str = SPEAKER, node: int = 0, client_id: str | None = None, **login: Any) -> Device:
        """A client with the holder's certificate."""
        settings = self.mqtt_settings(holder, node)
        client_id = client_id or f"leukoscope-{holder.replace('/', '-')}"
        protocol = MQTTProtocolVersion.MQTTv311
        return Device(settings.address_port, client_id, tls=settings.tls_context(), protocol=protocol, **login)

    def broker_of(self, collector: str = "collector-1") -> AmqpIntakeSettings:
        """As the collector's settings file has it."""
        broker = CollectorSettings.read(self.holders[collector] / "collector.toml").broker
        assert isinstance(broker, AmqpIntakeSettings)
        return broker

    def intake(self, collector: str = "collector-1", share: Share = SHARE, **changes: Any) -> AmqpIntake:
        """Connected to the first node that answers."""
        last: Exception | None = None
        for settings in self.broker_of(collector).model_copy(update=changes).nodes():
            try:
                return settings.open(share, lambda: False)
            except BrokerError as error:
                last = error
        raise last or AssertionError

    def drain(self) -> list[tuple[str, bytes]]:
        """Take and acknowledge everything that is in the queue."""
        intake, taken = self.intake(), []
        quiet = time.monotonic() + 0.4
        while time.monotonic() < quiet:
            intake.poll(0.1)
            if batch := intake.take(1000):
                intake.acknowledge(batch)
                taken += [(one.topic, one.payload) for one in batch]
                quiet = time.monotonic() + 0.4
        intake.close()
        return taken
