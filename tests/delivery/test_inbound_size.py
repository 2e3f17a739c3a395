"""A message of any size that the broker passes on takes no more memory than a message may have, and little beside."""

import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.brokers import HOST, Subscriber, wait_until
from tests.messages.examples import IDENTITY

ROOT = Path(__file__).parents[2]
HUGE_BYTES = 64 * 2**20
MOST_KIB = 20 * 1024
DEVICE = """
import sys, time
from pathlib import Path
from random import Random
from leukoscope.delivery import MqttSettings
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.record_report import record
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, report
outbox = Outbox.open(Path(sys.argv[1]))
settings = MqttSettings(host="127.0.0.1", port=int(sys.argv[2]), protocol=sys.argv[3])
commands = CommandInbox(outbox, IDENTITY, (), now=clock)
publisher = settings.open(outbox, IDENTITY, now=clock, rng=Random(1), commands=commands)
publisher.start()
while sys.stdin.readline():
    record(report(len(outbox.list()) + 1), outbox, IDENTITY, now=clock)
    publisher.wake()
    assert publisher.flush(30), publisher.state
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), flush=True)
publisher.stop()
"""


def publish_huge(port, topic, *, protocol=MQTTProtocolVersion.MQTTv311, retain=False):
    client = paho.Client(CallbackAPIVersion.VERSION2, "flooder", protocol=protocol)
    client.connect(HOST, port)
    client.loop_start()
    client.publish(topic, b"x" * HUGE_BYTES, qos=1, retain=retain).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_huge_command_takes_a_device_little_memory_is_answered_and_holds_no_report_up(mosquitto, tmp_path, protocol):
    broker = mosquitto().start()
    command = [sys.executable, "-c", DEVICE, tmp_path / "outbox.sqlite3", str(broker.port), protocol]
    device = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert device.stdin is not None
    assert device.stdout is not None

    def peak_kib_after_a_report():
        device.stdin.write("report\n")
        device.stdin.flush()
        return int(device.stdout.readline())

    with Subscriber(broker.port, "leukoscope/v1/+/+/result") as answers:
        before_kib = peak_kib_after_a_report()
        publish_huge(broker.port, IDENTITY.topic("command"), retain=True)
        if protocol == "3.1.1":
            # A broker of MQTT 5 knows from the CONNECT what a device takes, and keeps the rest to itself.
            assert wait_until(lambda: answers.payloads("/result"), 30)
            assert b"refused" in answers.payloads("/result")[0]
        assert peak_kib_after_a_report() - before_kib <= MOST_KIB
    device.communicate(timeout=30)
    assert device.returncode == 0
