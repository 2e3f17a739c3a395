"""A line to a broker that is slow to answer and is lost again and again."""

import contextlib
import heapq
import itertools
import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self

from tests.brokers import HOST


class FlappingLine:
    """Passes bytes between a device and a broker; what the broker says comes late, and no connection lives long."""

    def __init__(self, broker_port: int, *, lives_s: float, late_s: float) -> None:
        self._broker_port, self._lives_s, self._late_s = broker_port, lives_s, late_s
        self._ended = threading.Event()
        self.connections = 0
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(0.05)
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
            with contextlib.suppress(TimeoutError, ConnectionError):
                device, _ = self._listener.accept()
                self.connections += 1
                with device, socket.create_connection((HOST, self._broker_port)) as broker:
                    self._pass(device, broker)

    def _pass(self, device: socket.socket, broker: socket.socket) -> None:
        until = time.monotonic() + self._lives_s
        order = itertools.count()
        late: list[tuple[float, int, bytes]] = []
        with selectors.DefaultSelector() as selector:
            selector.register(device, selectors.EVENT_READ)
            selector.register(broker, selectors.EVENT_READ)
            while not self._ended.is_set() and time.monotonic() < until:
                due_s = late[0][0] - time.monotonic() if late else 0.05
                for key, _ in selector.select(max(0.0, min(due_s, 0.05))):
                    chunk = key.fileobj.recv(65536)
                    if not chunk:
                        return
                    if key.fileobj is device:
                        broker.sendall(chunk)
                    else:
                        heapq.heappush(late, (time.monotonic() + self._late_s, next(order), chunk))
                while late and late[0][0] <= time.monotonic():
                    device.sendall(heapq.heappop(late)[2])
