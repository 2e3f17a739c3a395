"""TLS below 1.2 ends at the handshake, also where the system's own OpenSSL would allow it."""

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from leukoscope.delivery import MqttSettings
from tests.brokers import HOST
from tests.delivery.test_mqtt import make_certificate

PERMISSIVE = "ALL:@SECLEVEL=0"
"""What a machine's OpenSSL may be set to: without it, OpenSSL 3 itself keeps TLS 1.1 and older away."""


class OldServer:
    """Speaks one version of TLS, to one client after another."""

    def __init__(self, certificate: Path, private_key: Path, version: ssl.TLSVersion) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, private_key)
        self._context.set_ciphers(PERMISSIVE)
        self._context.minimum_version = self._context.maximum_version = version
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
                with connection, self._context.wrap_socket(connection, server_side=True) as spoken:
                    spoken.settimeout(1.0)
                    spoken.recv(1)
            except OSError:
                continue


@pytest.fixture(params=[ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2], ids=lambda one: one.name)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[OldServer, Path, ssl.TLSVersion]]:
    certificate, private_key = make_certificate(tmp_path)
    # Python deprecates what is asked of the server here on purpose.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        running = OldServer(certificate, private_key, request.param)
    yield running, certificate, request.param
    running.close()


def spoken_with(context: ssl.SSLContext, port: int) -> str | None:
    """The version that a handshake agrees on."""
    context.set_ciphers(PERMISSIVE)
    with socket.create_connection((HOST, port)) as plain, context.wrap_socket(plain, server_hostname=HOST) as spoken:
        return spoken.version()


def test_a_device_speaks_tls_1_2_and_ends_the_handshake_with_what_is_older(
    server: tuple[OldServer, Path, ssl.TLSVersion],
) -> None:
    running, certificate, version = server
    with warnings.catch_warnings():
        # The handshake is to fail, not a warning on the way to it.
        warnings.simplefilter("ignore", DeprecationWarning)
        lenient = ssl.create_default_context(cafile=certificate)
        lenient.minimum_version = ssl.TLSVersion.TLSv1
        said = version.name.replace("_", ".")
        assert spoken_with(lenient, running.port) == said, "this OpenSSL does not speak it at all"
        device = MqttSettings(host=HOST, port=running.port, tls=True, ca_file=certificate).tls_context()
        if version is ssl.TLSVersion.TLSv1_2:
            assert spoken_with(device, running.port) == said
        else:
            with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
                spoken_with(device, running.port)
