"""A cluster has several brokers: which one is tried, and under what settings."""

import random

import pytest
from pydantic import ValidationError

from leukoscope.delivery.mqtt.broker_nodes import BrokerNodes
from leukoscope.delivery.mqtt.broker_settings import BrokerSettings

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
