"""A broker of few words in a thread: MQTT that says what real brokers say only on their worst days."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

from tests.brokers import HOST

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14


class ScriptedBroker:
    """Acknowledges every publication, and does beside that what it was made for."""

    def __init__(
        self, *, connack: bytes = b"\x20\x03\x00\x00\x00", goodbye: int | None = None, after_birth_s: float = 0.0
    ) -> None:
        """A broker that is not yet started.

        Args:
            connack: its answer to every CONNECT.
            goodbye: the reason with which it ends each connection after the first publication; None ends none.
            after_birth_s: seconds between that publication's acknowledgement and the end.
        """
        self._connack, self._after_birth_s = connack, after_birth_s
        self.goodbye = goodbye
        self._ended = threading.Event()
        self.connects: list[float] = []
        """When each connection was made."""
        self.wills_retained: list[bool] = []
        self.retained: list[bool] = []
        """Of each publication, in order."""
        self.published: list[bytes] = []
        """Payload of each, behind its properties."""
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError, EOFError):
                    connection.settimeout(0.1)
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        while not self._ended.is_set():
            kind, flags, body = self._packet(connection)
            if kind == CONNECT:
                self.connects.append(time.monotonic())
                self.wills_retained.append(bool(body[7] & 0x20))
                connection.sendall(self._connack)
                if self._connack[3] >= 0x80:
                    return
            elif kind == SUBSCRIBE:
                count = 2 if body.count(b"leukoscope") > 1 else 1
                connection.sendall(bytes([0x90, 3 + count, *body[:2], 0, *([1] * count)]))
            elif kind == PUBLISH:
                self.retained.append(bool(flags & 1))
                length = int.from_bytes(body[:2], "big")
                self.published.append(body[4 + length :])
                connection.sendall(b"\x40\x02" + body[2 + length : 4 + length])
                if (goodbye := self.goodbye) is not None:
                    time.sleep(self._after_birth_s)
                    connection.sendall(bytes([0xE0, 1, goodbye]))
                    return
            elif kind == PINGREQ:
                connection.sendall(b"\xd0\x00")
            elif kind == DISCONNECT:
                return

    def _packet(self, connection: socket.socket) -> tuple[int, int, bytes]:
        head = self._bytes(connection, 1)[0]
        shift = length = 0
        while True:
            (digit,) = self._bytes(connection, 1)
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return head >> 4, head & 0x0F, self._bytes(connection, length)

    def _bytes(self, connection: socket.socket, count: int) -> bytes:
        got = b""
        while len(got) < count:
            if self._ended.is_set():
                raise EOFError
            with contextlib.suppress(TimeoutError):
                more = connection.recv(count - len(got))
                if not more:
                    raise EOFError
                got += more
        return got
