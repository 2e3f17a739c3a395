"""Only an operator with a certificate of the site signs by a remote command: the broker refuses others."""

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from leukoscope.messages.json_format import from_bytes
from leukoscope.outbox.store import Outbox
from leukoscope.system.clock import utc_now
from tests.brokers import wait_until
from tests.collector.running import Device as Client
from tests.messages.examples import IDENTITY
from tests.reviewing.test_from_afar import Device, review_command
from tests.security.conftest import OTHER, SPEAKER, SiteBroker

COMMAND = f"leukoscope/v1/{SPEAKER}/command"
REFUSED = "Not authorized"


@pytest.fixture
def device(site: SiteBroker, tmp_path: Path) -> Iterator[Device]:
    """A device at the site's broker that takes every command, with a report that waits for a signature."""
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        made = Device(tmp_path, outbox)
        publisher = site.settings().open(outbox, IDENTITY, now=utc_now, rng=Random(4), commands=made.commands)
        publisher.start()
        assert wait_until(lambda: publisher.state.connected)
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(0.02):
                made.remote.carry_out()
                publisher.wake()

        thread = threading.Thread(target=work)
        thread.start()
        yield made
        ended.set()
        thread.join()
        publisher.stop()


def sign_as_operator(site: SiteBroker, device: Device) -> None:
    """What is refused to others is done for an operator: the forgery did not fail for another reason."""
    genuine = review_command(device, "genuine")
    with site.speaker("ward") as operator:
        # A client with the certificate of the device has ended the device's own connection: it comes back.
        assert wait_until(lambda: operator.publish(genuine, COMMAND) == "Success", 10)
        assert wait_until(lambda: device.versions == [1, 2, 3], 10)
    last = from_bytes(device.outbox.versions(device.report.id)[-1].payload)
    assert last["lifecycle"]["status"] == "final"


@pytest.mark.parametrize("holder", [SPEAKER, OTHER, "collector-1"])
@pytest.mark.parametrize("retain", [False, True])
def test_a_review_by_the_certificate_of_another_is_refused(
    site: SiteBroker, device: Device, holder: str, retain: bool
) -> None:
    with site.speaker(holder) as forger:
        assert forger.publish(review_command(device, "forged"), COMMAND, retain=retain) == REFUSED
    assert f"Denied PUBLISH from {holder}" in site.log.read_text()
    assert device.versions == [1]
    sign_as_operator(site, device)


@pytest.mark.parametrize("login", [{"username": "ward", "password": "ward"}, {"username": SPEAKER, "password": ""}, {}])
def test_a_password_in_place_of_a_certificate_opens_nothing(
    site: SiteBroker, device: Device, login: dict[str, Any]
) -> None:
    without = ssl.create_default_context(cafile=str(site.authority_file()))
    try:
        client = Client(site.port, "forger", tls=without, **login)
        client.client.loop_start()
        assert not wait_until(client.client.is_connected, 1)
        client.client.loop_stop()
    except (ssl.SSLError, ConnectionError) as error:
        assert str(error)
    assert "peer did not return a certificate" in site.log.read_text()
    assert device.versions == [1]
    sign_as_operator(site, device)


def test_an_operator_whose_certificate_was_revoked_signs_nothing(site: SiteBroker, device: Device) -> None:
    tls = site.settings("ward").tls_context()
    site.site.revoke("ward")
    site.holders["second"] = site.site.add_operator("second")
    site.configure()
    site.reload()
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)), Client(site.port, "forger", tls=tls) as forger:
        forger.publish(review_command(device, "forged"), COMMAND)
    assert device.versions == [1]
    site.holders["ward"] = site.holders["second"]
    sign_as_operator(site, device)


def test_a_captured_review_sent_again_by_another_operator_makes_nothing(site: SiteBroker, device: Device) -> None:
    sign_as_operator(site, device)
    site.holders["second"] = site.site.add_operator("second")
    site.configure()
    site.reload()
    captured = review_command(device, "genuine")
    changed = from_bytes(captured) | {"by": "Somebody else"}
    with site.speaker("second") as operator:
        for payload in (captured, json.dumps(changed).encode()):
            assert operator.publish(payload, COMMAND) == "Success"
        assert wait_until(lambda: device.outbox.counts("result").pending == 0)
    assert device.versions == [1, 2, 3]
    last = from_bytes(device.outbox.versions(device.report.id)[-1].payload)
    assert "Somebody else" not in json.dumps(last)
