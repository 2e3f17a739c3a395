"""A centre whose broker is away for long."""

import logging
import time
from pathlib import Path

import pytest

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.system.clock import utc_now
from leukoscope.web import Databases
from leukoscope_collector.sqlite_store import SqliteSettings
from leukoscope_collector.web.step_sender import Sender
from leukoscope_collector.web.steps import Steps
from tests.brokers import HOST, free_port


def test_an_outage_of_the_broker_is_one_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    steps = Steps(Databases(SqliteSettings(file=tmp_path / "store.sqlite3").open))
    sender = Sender(BrokerSettings(host=HOST, port=free_port()), "page", "leukoscope/v1", steps, utc_now)
    with caplog.at_level(logging.WARNING):
        sender.start()
        # Tried at once, and twice or more within the next second.
        time.sleep(1.5)
        sender.stop()
    assert [one.getMessage()[:11] for one in caplog.records] == ["steps wait:"]
