"""What is too large for a report is quarantined by its beginning, and takes a collector little memory."""

from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from leukoscope_collector.sqlite_store import SqliteSettings
from tests.brokers import wait_until
from tests.collector.running import TOPIC, Device, id_of, message, rows, stored
from tests.collector.test_command import settings_file, start
from tests.delivery.test_inbound_size import HUGE_BYTES, MOST_KIB, publish_huge


def peak_kib(process):
    got = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in got if line.startswith("VmHWM")))


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
def test_a_huge_message_takes_a_collector_little_memory_and_the_next_report_is_stored(mosquitto, tmp_path, protocol):
    broker = mosquitto().start()
    settings = SqliteSettings(file=tmp_path / "reports.sqlite3")
    running = start("--settings", settings_file(tmp_path, broker.port))
    try:
        assert "collecting from" in running.stderr.readline()
        with Device(broker.port) as device:
            device.publish(message(1))
            assert wait_until(lambda: stored(settings) == {(id_of(1), 1)})
            before_kib = peak_kib(running)
            publish_huge(broker.port, TOPIC, protocol=protocol)
            device.publish(message(2))
            assert wait_until(lambda: len(stored(settings)) == 2, 30)
        # The largest report that is allowed has 1,000,000 bytes.
        assert peak_kib(running) - before_kib <= MOST_KIB + 977
        ((size, kept, reason),) = rows(settings, "SELECT bytes, length(payload), reason FROM quarantine")
        assert (size, kept) == (HUGE_BYTES, 65_536)
        assert "at most 1000000 are taken" in reason
    finally:
        running.terminate()
        running.communicate(timeout=20)
