#!/usr/bin/env python3
"""Show the reports that arrive at an MQTT broker, as a receiver sees them."""

import argparse
import contextlib
import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from rich.console import Console

from leukoscope.errors import BrokerError, InvalidMessage
from leukoscope.messages.json_format import from_bytes, validate
from leukoscope.messages.report import REPORT_SCHEMA, decode
from leukoscope.reviewing.pages import page
from leukoscope.specimen.sample import SampleReport

EVERY_REPORT = "leukoscope/v1/+/+/report"
PROTOCOLS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}


class Watch:
    """A subscription to reports; each (id, version) is handed out once, however often it arrives."""

    def __init__(
        self,
        host: str,
        port: int,
        topic: str = EVERY_REPORT,
        *,
        protocol: str = "3.1.1",
        username: str | None = None,
        password: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._address = (host, port)
        self._topic = topic
        self._timeout_s = timeout_s
        self._messages: queue.Queue[bytes] = queue.Queue()
        self._subscribed: queue.Queue[BrokerError | None] = queue.Queue()
        self._seen: set[tuple[str, int]] = set()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=PROTOCOLS[protocol])
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        """Connect and subscribe; what is published after this returns is not missed.

        Raises:
            BrokerError: the broker is not there, or refuses the connection or the subscription.
        """
        where = f"{self._address[0]}:{self._address[1]}"
        try:
            self._client.connect(*self._address)
            self._client.loop_start()
            refusal = self._subscribed.get(timeout=self._timeout_s)
        except (OSError, queue.Empty) as error:
            self.close()
            raise BrokerError(
                f"no broker answers at {where}: {error or 'time ran out'}",
                "start it, or give its address with --broker",
            ) from error
        if refusal is not None:
            self.close()
            raise refusal
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker; safe to call twice."""
        self._client.disconnect()
        self._client.loop_stop()

    def messages(self, timeout_s: float | None = None) -> Iterator[dict[str, Any]]:
        """Valid report messages as they arrive, until `timeout_s` has passed (None: for ever).

        Raises:
            InvalidMessage: something under the topic is not a leukoscope report; call again to go on.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = 0.5 if until is None else min(0.5, until - time.monotonic())
            if left_s <= 0:
                return
            with contextlib.suppress(queue.Empty):
                message = self._read(self._messages.get(timeout=left_s))
                if message is not None:
                    yield message

    def _read(self, payload: bytes) -> dict[str, Any] | None:
        message = from_bytes(payload)
        validate(message, REPORT_SCHEMA)
        key = (message["id"], message["version"])
        if key in self._seen:
            return None
        self._seen.add(key)
        return message

    def _on_message(self, client: Any, data: Any, message: paho.MQTTMessage) -> None:
        # The embedded broker hands new readers stored messages of topics they did not ask for.
        if paho.topic_matches_sub(self._topic, message.topic):
            self._messages.put(bytes(message.payload))

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._subscribed.put(
                BrokerError(
                    f"the broker refused the watcher: {reason}", "check the broker's address and what it allows"
                )
            )
        else:
            client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, client: Any, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self._subscribed.put(
            BrokerError(f"the broker refused {self._topic}: {refused[0]}", "check what the broker allows")
            if refused
            else None
        )


def wait_for_report(
    host: str,
    port: int,
    topic: str = EVERY_REPORT,
    report_id: str | None = None,
    timeout_s: float = 30.0,
) -> SampleReport:
    """The report with this id, or the first one, published while this waits.

    Reports are not retained: one that was published before the call is not seen. Use `Watch` around
    whatever publishes when the order matters.

    Raises:
        BrokerError: the broker is not there, or no such report came in time.
    """
    with Watch(host, port, topic) as watch:
        for message in watch.messages(timeout_s):
            if report_id is None or message["id"] == report_id:
                return decode(message)
    raise BrokerError(
        f"no report {report_id or ''} arrived at {host}:{port} under {topic} within {timeout_s:g} s",
        "does the device send there?",
    )


def main() -> None:
    """Print what arrives until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--topic", default=EVERY_REPORT)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="3.1.1")
    parser.add_argument("--username")
    parser.add_argument("--password-file", type=Path, help="a file that holds the password and nothing else")
    parser.add_argument("--count", type=int, help="end after so many reports")
    parser.add_argument("--json", action="store_true", help="one raw message per line")
    arguments = parser.parse_args()
    password = arguments.password_file and arguments.password_file.read_text("utf-8").rstrip("\r\n")
    watch = Watch(
        arguments.host,
        arguments.port,
        arguments.topic,
        protocol=arguments.protocol,
        username=arguments.username,
        password=password,
    )
    try:
        with watch, contextlib.suppress(KeyboardInterrupt):
            _print_reports(watch, arguments.count, as_json=arguments.json)
    except BrokerError as error:
        raise SystemExit(str(error)) from error


def _print_reports(watch: Watch, count: int | None, *, as_json: bool) -> None:
    console = Console()
    printed = 0
    while count is None or printed < count:
        try:
            message = next(watch.messages())
        except InvalidMessage as error:
            Console(stderr=True).print(f"skipped: {error}", markup=False)
            continue
        printed += 1
        if as_json:
            print(json.dumps(message, ensure_ascii=False), flush=True)
        else:
            console.print(page(decode(message)))


if __name__ == "__main__":
    main()
