#!/usr/bin/env python3
"""A small MQTT broker for a desk: pure Python, MQTT 3.1.1 only, on this machine alone.

It is there so that a first run needs no broker installed. It keeps nothing when it ends and checks
no password: for real reports install a broker such as mosquitto.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from leukoscope.errors import BrokerError

HOST = "127.0.0.1"
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens."""

    host: str
    port: int


def free_port() -> int:
    """A TCP port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def embedded_broker(port: int | None = None) -> Iterator[Address]:
    """Run a broker in a process of its own for as long as the block lasts.

    The process ends with this one, however this one ends.

    Args:
        port: where to listen on 127.0.0.1; None takes a free one.

    Raises:
        BrokerError: amqtt is not installed, or the port is taken.
    """
    address = Address(HOST, port or free_port())
    command = [sys.executable, __file__, "--port", str(address.port), "--end-with-stdin"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not process.stdout.readline():
                process.wait(_END_S)
                complaints.seek(0)
                raise BrokerError(
                    complaints.read().strip() or "the embedded broker ended at once", "is its port taken?"
                )
            yield address
        finally:
            process.stdin.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


async def _serve(address: Address, *, end_with_stdin: bool) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    if end_with_stdin:
        loop.add_reader(sys.stdin, ending.set)
    broker = _broker(address)
    try:
        await broker.start()
    except Exception as error:
        raise BrokerError(
            f"no broker can listen at {address.host}:{address.port}: {error}", "choose another port"
        ) from error
    print(f"MQTT 3.1.1 broker at {address.host}:{address.port}; Ctrl-C ends it", flush=True)
    await ending.wait()
    await broker.shutdown()


def _broker(address: Address) -> Any:
    # amqtt logs every packet, and every refused one with a traceback.
    for name in ("amqtt", "transitions", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        from amqtt.broker import Broker
    except ImportError as error:
        raise BrokerError("the embedded broker needs amqtt", "pip install 'leukoscope[desk]'") from error
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{address.host}:{address.port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    return Broker(config)


def main() -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=1883, help="where to listen on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when the starting process ends")
    arguments = parser.parse_args()
    address = Address(HOST, arguments.port or free_port())
    try:
        asyncio.run(_serve(address, end_with_stdin=arguments.end_with_stdin))
    except BrokerError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
