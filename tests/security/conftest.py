"""A provisioned site with its real broker, and the people and things that hold its certificates."""

import getpass
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leukoscope.delivery import MqttSettings
from leukoscope.doctor.broker import check_broker
from leukoscope_collector.provisioning.site import Site
from tests.brokers import HOST, free_port, program, wait_until
from tests.collector.conftest import collector
from tests.collector.running import Device
from tests.delivery.conftest import outbox, publisher

__all__ = ["collector", "outbox", "publisher"]

SPEAKER = "ward-3/scope-1"
OTHER = "ward-3/scope-2"


class SiteBroker:
    """A mosquitto that runs on what was provisioned, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.site = Site(folder, hosts=[HOST, "localhost"], port=self.port, days=30, now=datetime.now(UTC))
        self.holders = {name: self.site.add_device(name, None) for name in (SPEAKER, OTHER)}
        self.holders["collector-1"] = self.site.add_collector("collector-1")
        self.holders["ward"] = self.site.add_operator("ward")
        self.configuration = self.configure()
        self.log = folder / "broker.log"
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self) -> Path:
        return self.site.write_broker(user=getpass.getuser(), autosave_s=1)

    def start(self) -> "SiteBroker":
        with self.log.open("ab") as log:
            # -v: mosquitto tells of what its rules deny only to those who ask for every word.
            self.process = subprocess.Popen([program("mosquitto"), "-v", "-c", self.configuration], stderr=log)
        assert wait_until(lambda: b"running" in self.log.read_bytes()), self.log.read_text()
        return self

    def reload(self) -> None:
        before = self.log.read_bytes().count(b"Reloading config")
        self.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: self.log.read_bytes().count(b"Reloading config") > before)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def authority_file(self) -> Path:
        return self.folder / "authority" / "ca.pem"

    def settings(self, holder: str = SPEAKER, **changes: Any) -> MqttSettings:
        """How a holder of a certificate connects."""
        at = self.holders[holder]
        login: dict[str, Any] = {"ca_file": at / "ca.pem", "client_cert": at / "cert.pem", "client_key": at / "key.pem"}
        quick = {"connect_timeout_s": 5, "first_retry_s": 0.05, "longest_retry_s": 0.3}
        return MqttSettings(**{"host": HOST, "port": self.port, "tls": True, **quick, **login, **changes})

    def speaker(self, holder: str, client_id: str = "x") -> Device:
        return Device(self.port, client_id, tls=self.settings(holder).tls_context())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteBroker]:
    running = SiteBroker(tmp_path / "site").start()
    yield running
    running.stop()


@pytest.fixture
def error_of(site: SiteBroker) -> Callable[..., str]:
    """Why the doctor cannot connect with these settings."""
    from leukoscope.errors import BrokerError
    from tests.messages.examples import IDENTITY

    def probe(**changes: Any) -> str:
        with pytest.raises(BrokerError) as caught:
            check_broker(site.settings(**changes), IDENTITY)
        return str(caught.value)

    return probe
