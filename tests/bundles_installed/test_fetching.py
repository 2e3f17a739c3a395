"""A server that never comes to an end holds nothing up."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from leukoscope.bundles import fetching
from leukoscope.bundles.archive import MAX_BYTES
from leukoscope.errors import BundleError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"


class Server:
    """Answers one connection with some bytes at once, and then with one more every 20 ms."""

    def __init__(self, at_once: bytes, drip: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/bundle.zip"
        self._at_once, self._drip = at_once, drip
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        with connection:
            try:
                connection.sendall(self._at_once)
                while not self._stopped.wait(0.02):
                    connection.sendall(self._drip)
            except OSError:
                return

    def is_left(self, timeout_s: float) -> bool:
        """Whether the client closes the connection in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        self._stopped.set()
        self._socket.close()
        self._thread.join()


@pytest.fixture(params=["headers", "content"])
def dripping(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(HEAD, b"x") if request.param == "content" else Server(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x")
    yield server
    server.stop()


def test_a_server_that_drips_is_given_up_in_time(dripping: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FETCH_S", 0.4)
    began_s = time.monotonic()
    with pytest.raises(BundleError, match=r"did not arrive within 0\.4 s"):
        fetching.fetch(dripping.address)
    assert time.monotonic() - began_s < 5


def test_more_than_any_bundle_is_not_waited_for() -> None:
    server = Server(HEAD + bytes(MAX_BYTES + 2**16), b"x")
    try:
        with pytest.raises(BundleError, match="is larger than 64 MiB"):
            fetching.fetch(server.address)
    finally:
        server.stop()


def test_an_answer_that_is_no_archive_leaves_no_connection_open() -> None:
    server = Server(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\n", b"x")
    try:
        with pytest.raises(BundleError, match="Not Found") as error:
            fetching.fetch(server.address)
        # The error is still held, so the connection is closed by hand and not because nothing refers to it.
        assert server.is_left(timeout_s=5), error.value
    finally:
        server.stop()
