"""One connection to an MQTT broker, from CONNECT to its end, and in plain words why it ended."""

import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukoscope.errors import BrokerError, InvalidMessage
from leukoscope.reporting.mqtt import MqttSettings

_TURN_S = 0.1
_PACKET_OVERHEAD_BYTES = 64
_PASSING = {0x80, 0x83, 0x91, 0x97}
"""PUBACK reasons of MQTT 5 that may be gone tomorrow: unspecified, implementation, id in use, quota."""
_LARGEST_HEARD = 64 * 1024
"""Bytes of a packet that the broker may send us."""
_NOBODY_LISTENS = 0x10
_PACKET_TOO_LARGE = 0x95
_PROTOCOL_ERROR = 2
"""paho's code for bytes it cannot read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said to one publication."""

    mid: int
    refusal: str | None
    """The reason in the words of MQTT; None when it was accepted."""
    for_good: bool
    """The refusal will be the same tomorrow."""
    heard: bool
    """False when the broker says that nobody subscribes to it (MQTT 5 only)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said under a topic we listen to."""

    topic: str
    payload: bytes
    stored: bool
    """It was there before we listened."""
    reply_to: str | None = None
    """Where an answer is to go (MQTT 5 only)."""
    correlation: bytes | None = None
    """What the sender wants to know the answer by (MQTT 5 only)."""


class Link:
    """A paho client used for one connection only, driven by `turn` in the caller's own thread.

    paho's own thread dies of an exception in a callback and its queue resends behind our back; here
    the callbacks only note what happened, and a broken link is thrown away.
    """

    def __init__(self, settings: MqttSettings, client_id: str, will: tuple[str, bytes] | None) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        self._settings = settings
        self._where = f"{settings.host}:{settings.address_port}"
        self._answers: deque[Answer] = deque()
        self._heard: deque[Heard] = deque(maxlen=32)
        self._listens_to: tuple[str, ...] = ()
        self._greeting: Any = None
        self._goodbye: Any = None
        self._unreadable = False
        self._largest_packet: int | None = None
        self.receive_maximum = 65535
        """Unacknowledged messages the broker takes at a time (MQTT 5 brokers say)."""
        self.greeted = False
        """A CONNECT was sent, so the broker may hold our will."""
        v5 = settings.protocol == "5"
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            # Else paho tries other protocols than the one that was asked for.
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        if settings.username is not None:
            self._client.username_pw_set(settings.username, _password(settings.password_file))
        if settings.tls:
            self._client.tls_set_context(_tls_context(settings))
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)

    def connect(self, give_up: Callable[[], bool]) -> None:
        """Connect and wait for the broker's yes.

        Raises:
            BrokerError: no yes came; the text is one line that names the cause.
        """
        try:
            self._client.connect(
                self._settings.host,
                self._settings.address_port,
                self._settings.keepalive_s,
                properties=self._limits(),
            )
        except (OSError, ValueError) as error:
            raise BrokerError(self._why_no_socket(error)) from error
        self.greeted = True
        until = time.monotonic() + self._settings.connect_timeout_s
        while self._greeting is None:
            self.turn(_TURN_S)
            if give_up():
                raise BrokerError("stopped while connecting")
            if time.monotonic() > until:
                raise BrokerError(self._why_silent())
        if self._greeting.is_failure:
            raise BrokerError(self._why_refused())

    def turn(self, timeout_s: float) -> None:
        """Read and write what is due, waiting up to `timeout_s`.

        Raises:
            BrokerError: the connection has ended.
        """
        try:
            code = self._client.loop(timeout_s)
        except Exception as error:
            # paho's parser raises what it stumbles over in bytes that came from the network.
            raise BrokerError(f"{self._where} sent what is not MQTT ({type(error).__name__}: {error})") from error
        if self._greeting is not None and self._greeting.is_failure:
            raise BrokerError(self._why_refused())
        if code != 0:
            self._unreadable = code == _PROTOCOL_ERROR
            raise BrokerError(self._why_ended())

    def publish(self, topic: str, payload: bytes, *, retain: bool, correlation: bytes | None = None) -> int:
        """Hand a message over at QoS 1; its answer comes under the number returned.

        Raises:
            InvalidMessage: the message can never be sent to this broker.
            BrokerError: the connection has ended.
        """
        if self._largest_packet and len(topic) + len(payload) + _PACKET_OVERHEAD_BYTES > self._largest_packet:
            raise InvalidMessage(f"{len(payload)} bytes, and the broker takes packets of {self._largest_packet}")
        try:
            properties = self._properties("PUBLISH", CorrelationData=correlation)
            info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        except ValueError as error:
            raise InvalidMessage(f"MQTT cannot carry it: {error}") from error
        if info.rc != 0:
            raise BrokerError(self._why_ended())
        return info.mid

    def listen(self, *topics: str) -> None:
        """Ask for what others say under topics; a broker that forbids one is not asked again."""
        from paho.mqtt.subscribeoptions import SubscribeOptions

        self._listens_to = topics
        if self._settings.protocol == "5":
            self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])
        else:
            self._client.subscribe([(topic, 1) for topic in topics])

    def answers(self) -> list[Answer]:
        """The answers since the last call."""
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def heard(self) -> list[Heard]:
        """What was heard since the last call."""
        return [self._heard.popleft() for _ in range(len(self._heard))]

    def blame(self, *, alone: bool) -> str | None:
        """Why the one message in flight ended the connection and would do so again; None if it need not.

        A readable reason is believed at once. An unreadable answer is held against the message only
        if it was in flight alone.
        """
        if self._goodbye is not None and self._goodbye.value == _PACKET_TOO_LARGE:
            return "too large for the broker"
        if self._unreadable and alone:
            # mosquitto 2.0 answers what exceeds its message_size_limit with a code MQTT does not have.
            return "the broker answers it with what is not MQTT: is it larger than the broker's size limit?"
        return None

    def leave(self) -> None:
        """Say DISCONNECT, so that the broker throws our will away."""
        self._client.disconnect()
        self._client.loop(0)

    def close(self) -> None:
        """Let go of the socket; without `leave` before it, the broker publishes our will."""
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._greeting = reason
        self._largest_packet = getattr(properties, "MaximumPacketSize", None)
        self.receive_maximum = getattr(properties, "ReceiveMaximum", self.receive_maximum)

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._goodbye = reason

    def _on_publish(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        refused = reason.is_failure
        self._answers.append(
            Answer(
                mid=mid,
                refusal=str(reason) if refused else None,
                for_good=refused and reason.value not in _PASSING,
                heard=reason.value != _NOBODY_LISTENS,
            )
        )

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        # amqtt hands new clients stored messages of topics they did not ask for.
        if message.topic in self._listens_to:
            properties = message.properties
            self._heard.append(
                Heard(
                    topic=message.topic,
                    payload=bytes(message.payload),
                    stored=bool(message.retain),
                    reply_to=getattr(properties, "ResponseTopic", None),
                    correlation=getattr(properties, "CorrelationData", None),
                )
            )

    def _limits(self) -> Any:
        """What the broker need not send us: nobody who writes to our topics shall fill our memory."""
        return self._properties("CONNECT", MaximumPacketSize=_LARGEST_HEARD)

    def _properties(self, packet: str, **values: Any) -> Any:
        """What MQTT 5 says beside a packet; None in 3.1.1, or where there is nothing to say."""
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        told = {name: value for name, value in values.items() if value is not None}
        if self._settings.protocol != "5" or not told:
            return None
        properties = Properties(getattr(PacketTypes, packet))  # type: ignore[no-untyped-call]
        for name, value in told.items():
            setattr(properties, name, value)
        return properties

    def _why_no_socket(self, error: OSError | ValueError) -> str:
        match error:
            case ssl.SSLCertVerificationError():
                why = (
                    f"the certificate of {self._where} was not accepted ({error.verify_message}): "
                    "set ca_file to the authority that signed it, and host to the name it was made out to"
                )
            case ssl.SSLError():
                why = f"no TLS with {self._where} ({error.reason}): is this the broker's TLS port?"
            case socket.gaierror():
                why = f"no host is called {self._settings.host}: is it spelt right, and is the network up?"
            case ConnectionRefusedError():
                why = f"nothing listens at {self._where}: does the broker run, and is the port right?"
            case TimeoutError():
                why = f"{self._where} did not answer within {self._settings.connect_timeout_s:g} s"
            case ConnectionError() if self._settings.tls:
                why = f"{self._where} closed the connection during the TLS handshake: is this its TLS port?"
            case OSError():
                why = f"{self._where} cannot be reached: {error.strerror or error}"
            case _:
                why = f"{self._where} cannot be used as a broker's address: {error}"
        return why

    def _why_silent(self) -> str:
        why = f"{self._where} took the connection but never answered: is it an MQTT broker"
        if self._settings.protocol == "5":
            # Some that only know 3.1.1 wait for ever for the rest of a CONNECT they misread.
            return f"{why}, and does it speak MQTT 5? If not, set protocol to 3.1.1"
        return f"{why}?"

    def _why_refused(self) -> str:
        reason = str(self._greeting)
        settings = self._settings
        advice = {
            "Bad user name or password": "check username and password_file",
            "Not authorized": "check username and password_file, and what the broker allows this user",
            "Unsupported protocol version": f"it does not speak MQTT {settings.protocol}; set protocol to "
            + ("3.1.1" if settings.protocol == "5" else "5"),
            "Client identifier not valid": "set another client_id",
        }.get(reason, "ask whoever runs the broker")
        return f"the broker {self._where} refused us ({reason}): {advice}"

    def _why_ended(self) -> str:
        if self._unreadable:
            return f"{self._where} sent what is not MQTT: is it an MQTT broker?"
        if self._goodbye is not None and str(self._goodbye) == "Session taken over":
            return "another client with our client_id took the connection over: do two devices share a name?"
        if self._goodbye is not None:
            return f"the broker {self._where} ended the connection ({self._goodbye})"
        if self._greeting is None:
            return f"{self._where} closed the connection at once: is it an MQTT broker" + (
                "?" if self._settings.tls else ", and does it want tls?"
            )
        return f"the connection to {self._where} was lost"


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(f"the password file {path} cannot be read: {error}") from error


def _tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """Certificates are always checked: against `ca_file`, or else the system's authorities."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.client_cert is not None:
            context.load_cert_chain(settings.client_cert, settings.client_key)
    except OSError as error:
        files = [str(path) for path in (settings.ca_file, settings.client_cert, settings.client_key) if path]
        raise BrokerError(f"TLS cannot be set up from {', '.join(files)}: {error}") from error
    context.sslsocket_class = _TidySocket
    return context


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        """As in `ssl.SSLSocket`."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
