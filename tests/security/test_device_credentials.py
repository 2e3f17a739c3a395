"""A device and its broker prove to each other who they are, and say plainly what is wrong when they cannot."""

import socket
import ssl
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from pydantic import ValidationError

from leukoscope.delivery import MqttSettings
from leukoscope.doctor.broker import check_broker
from leukoscope.errors import BrokerError
from leukoscope_collector.provisioning.authority import Authority
from tests.brokers import HOST, program, wait_until
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY
from tests.security.conftest import OTHER

GRANTED = {"Success", "No matching subscribers"}
NOW = datetime.now(UTC)


def issued(authority, folder, name="ward-3/scope-1", **changes):
    authority.issue(folder, name, **({"days": 30} | changes))
    return {"client_cert": folder / "cert.pem", "client_key": folder / "key.pem"}


def test_a_provisioned_device_connects_with_its_certificate(site):
    passed = "MQTT 5, its certificate is good, login by certificate, may publish"
    assert check_broker(site.settings(), IDENTITY) == f"{HOST}:{site.port} answers, {passed}"


def test_the_doctor_does_not_throw_a_running_device_out(site, outbox, tmp_path):
    running = site.settings().open(outbox, IDENTITY, now=clock, rng=Random(1))
    running.start()
    try:
        assert wait_until(lambda: running.state.connected)
        assert "it takes ours; the device is running" in check_broker(site.settings(), IDENTITY, outbox.path)
        stranger = issued(Authority(tmp_path / "stranger", now=NOW), tmp_path / "other")
        with pytest.raises(BrokerError, match="does not trust the authority that signed our client_cert"):
            check_broker(site.settings(**stranger), IDENTITY, outbox.path)
    finally:
        running.stop()
    assert "already connected" not in site.log.read_text()
    assert "may publish" in check_broker(site.settings(), IDENTITY, outbox.path)


def test_private_keys_are_for_their_owner_alone(site):
    keys = [*site.folder.rglob("key.pem"), *site.folder.rglob("*.key")]
    assert len(keys) == 6
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_without_a_ca_file_the_systems_authorities_count(site, error_of, monkeypatch):
    assert "is signed by an authority we do not trust" in error_of(ca_file=None)
    monkeypatch.setenv("SSL_CERT_FILE", str(site.authority_file()))
    assert "answers" in check_broker(site.settings(ca_file=None), IDENTITY)


def test_a_broker_of_another_authority_is_named(error_of, tmp_path):
    stranger = Authority(tmp_path / "stranger", now=NOW)
    words = error_of(ca_file=stranger.certificate_file)
    assert "is signed by an authority we do not trust (" in words
    assert words.endswith("): set ca_file to that authority's certificate")


def test_a_brokers_other_name_is_named(error_of):
    words = error_of(host="127.0.0.2")
    assert "was made out to another address (" in words
    assert words.endswith("): set host to the name in the certificate")


@pytest.mark.parametrize(
    ("age_days", "words"), [(60, "has expired (certificate has expired): renew it"), (-60, "is not valid yet")]
)
def test_a_certificate_out_of_its_time_is_named_and_so_is_the_clock(tmp_path, age_days, words):
    then = NOW - timedelta(days=age_days)
    authority = Authority(tmp_path / "authority", now=NOW)
    Authority(tmp_path / "authority", now=then).issue(tmp_path / "broker", "broker", days=30, hosts=[HOST])
    with tls_server(tmp_path / "broker") as port:
        settings = MqttSettings(host=HOST, port=port, tls=True, ca_file=authority.certificate_file)
        said = refusal(settings)
    assert words in said
    assert "clock right?" in said


def test_a_device_without_a_certificate_is_told_so(error_of):
    assert "wants a certificate from us: set client_cert and client_key" in error_of(client_cert=None, client_key=None)


def test_a_device_with_another_sites_certificate_is_told_so(error_of, tmp_path):
    login = issued(Authority(tmp_path / "stranger", now=NOW), tmp_path / "stranger-device")
    assert "does not trust the authority that signed our client_cert" in error_of(**login)


def test_a_device_whose_certificate_has_expired_is_told_so(site, error_of, tmp_path):
    then = NOW - timedelta(days=60)
    login = issued(Authority(site.folder / "authority", now=then), tmp_path / "old")
    assert "our client_cert has expired: renew it" in error_of(**login)


def test_a_revoked_device_is_told_so_and_the_others_go_on(site, error_of):
    site.site.revoke(OTHER)
    copy = site.holders["ward-3/scope-1"]
    site.configure()
    site.reload()
    assert "answers" in check_broker(site.settings(), IDENTITY)
    assert not (site.folder / "devices" / OTHER).exists()
    site.site.authority.revoke(copy / "cert.pem")
    site.configure()
    site.reload()
    assert "our client_cert was revoked" in error_of()


def test_a_servers_certificate_does_not_make_a_client(site, error_of):
    broker = site.folder / "broker"
    assert "client_cert" in error_of(client_cert=broker / "cert.pem", client_key=broker / "key.pem")


def test_a_key_with_a_passphrase_is_an_error_and_not_a_question(site, error_of, tmp_path):
    locked = tmp_path / "locked.pem"
    command = [program("openssl"), "ec", "-aes128", "-passout", "pass:secret"]
    key = site.holders[OTHER] / "key.pem"
    subprocess.run([*command, "-in", key, "-out", locked], check=True, capture_output=True)
    words = error_of(client_key=locked)
    assert "TLS cannot be set up from" in words
    assert "locked.pem" in words
    assert "secret" not in words


def test_a_missing_certificate_file_is_named(error_of, tmp_path):
    assert "nowhere.pem" in error_of(ca_file=tmp_path / "nowhere.pem")


def test_an_unset_password_variable_is_named(error_of, monkeypatch):
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    assert "environment variable NO_SUCH_PASSWORD" in error_of(username="scope", password_env="NO_SUCH_PASSWORD")


def test_nothing_older_than_tls_1_2_is_spoken(site):
    assert site.settings().tls_context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_password_is_given_once():
    with pytest.raises(ValidationError, match="not in both"):
        MqttSettings(host="b", username="u", password_file=Path("p"), password_env="P")


def refusal(settings):
    from leukoscope.errors import BrokerError

    with pytest.raises(BrokerError) as caught:
        check_broker(settings, IDENTITY)
    return str(caught.value)


class tls_server:  # noqa: N801
    """A TLS server with a certificate that mosquitto would not start with."""

    def __init__(self, folder):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def __enter__(self):
        self._listener = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self._listener.getsockname()[1]

    def __exit__(self, *error):
        self._thread.join()
        self._listener.close()

    def _serve(self):
        connection, _ = self._listener.accept()
        with connection:
            try:
                self._context.wrap_socket(connection, server_side=True).close()
            except OSError:
                return


def test_a_device_that_is_revoked_while_it_is_connected_can_say_nothing_more_once_the_broker_was_told(site):
    with site.speaker(OTHER) as device, site.speaker("ward-3/scope-1", "y") as neighbour:
        topic = f"leukoscope/v1/{OTHER}/report"
        assert device.publish(b"before", topic) in GRANTED
        site.site.revoke(OTHER)
        site.configure()
        site.reload()
        assert device.publish(b"after", topic) == "Not authorized"
        assert neighbour.publish(b"as ever", "leukoscope/v1/ward-3/scope-1/report") in GRANTED
    site.holders[OTHER] = site.site.add_device(OTHER, None)
    site.configure()
    site.reload()
    with site.speaker(OTHER) as device:
        assert device.publish(b"with a new certificate", topic) in GRANTED
