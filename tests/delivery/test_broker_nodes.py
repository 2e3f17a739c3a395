"""A cluster has several brokers: which one is tried, and under what settings."""

import random

import pytest
from pydantic import ValidationError

from leukoscope.delivery.mqtt.broker_nodes import BrokerNodes
from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from tests.brokers import HOST, wait_until

CLUSTER = BrokerSettings(host="a.example", port=8884, other_hosts=("b.example", "c.example:8885"), keepalive_s=7)


def test_each_node_has_its_host_and_port_and_all_the_rest_of_the_settings():
    nodes = CLUSTER.nodes()
    assert [node.where for node in nodes] == ["a.example:8884", "b.example:8884", "c.example:8885"]
    assert {(node.keepalive_s, node.other_hosts) for node in nodes} == {(7, ())}


def test_every_node_is_tried_before_one_is_tried_again():
    nodes = BrokerNodes(CLUSTER, random.Random(1))
    tried = []
    for _ in range(6):
        tried.append(nodes.current.host)
        nodes.try_next()
    assert set(tried[:3]) == {"a.example", "b.example", "c.example"}
    assert tried[:3] == tried[3:]


def test_many_devices_begin_at_nodes_of_their_own():
    first = [BrokerNodes(CLUSTER, random.Random(device)).current.host for device in range(300)]
    assert all(70 < first.count(host) < 130 for host in set(first))
    assert len(set(first)) == 3


@pytest.mark.parametrize("host", ["", "b.example:", "b.example:port", "a b", "http://b.example:1"])
def test_a_node_that_is_no_host_with_a_port_is_refused(host):
    with pytest.raises(ValidationError):
        BrokerSettings(host="a.example", other_hosts=(host,))


def test_a_device_whose_node_is_gone_goes_on_at_the_next(mosquitto, outbox, publisher):
    first, second = mosquitto().start(), mosquitto().start()
    device = publisher(first.port, other_hosts=(f"{HOST}:{second.port}",))
    assert wait_until(lambda: device.state.connected)
    for broker in (first, second, first):
        broker.kill()
        (second if broker is first else first).kill()
        (second if broker is first else first).start()
        assert wait_until(lambda: device.state.connected and outbox.counts().pending == 0)


def test_devices_that_lose_their_node_together_spread_their_first_attempt(mosquitto, publisher):
    broker = mosquitto().start()
    device = publisher(broker.port, reconnect_spread_s=30, first_retry_s=0.01)
    assert wait_until(lambda: device.state.connected)
    broker.kill()
    assert wait_until(lambda: not device.state.connected)
    broker.start()
    # Seed 4 draws more than 2 s of the 30; without the spread it is back in a hundredth of a second.
    assert not wait_until(lambda: device.state.connected, timeout_s=1.0)
