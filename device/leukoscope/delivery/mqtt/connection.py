"""One connection to an MQTT broker, from CONNECT to its end."""

import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from leukoscope.delivery.mqtt import diagnostics as words
from leukoscope.delivery.mqtt.bounded_packets import BoundedPackets, OversizedPacket
from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.delivery.mqtt.tls_probe import alert_of
from leukoscope.errors import BrokerError

if TYPE_CHECKING:
    from paho.mqtt.client import Client

Protocol = Literal["5", "3.1.1"]

_TURN_S = 0.1
_LARGEST_PAYLOAD = 64 * 1024
_NO_RETAINED = 0x9A
_PROTOCOL_ERROR = 2
"""paho's code for bytes it cannot read."""


class Connection:
    """A paho client used for one connection only, driven by `turn` in the caller's own thread.

    paho's own thread dies of an exception in a callback and its queue resends behind our back; here
    the callbacks only note what happened, and a broken connection is thrown away.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        *,
        protocol: Protocol = "5",
        session_expiry_s: int = 0,
        receive_maximum: int | None = None,
        largest_packet: int | None = None,
        manual_ack: bool = False,
        largest_payload: int = _LARGEST_PAYLOAD,
    ) -> None:
        """A connection that is not yet made.

        Args:
            settings: where, and who we are.
            client_id: unique at the broker; with a session, also lasting.
            protocol: MQTT version.
            session_expiry_s: how long the broker keeps what arrives while we are away (MQTT 5); 0 keeps nothing.
            receive_maximum: unacknowledged messages the broker may have with us (MQTT 5); None: 65535.
            largest_packet: bytes of a packet that the broker may send us (MQTT 5); None: any.
            manual_ack: messages are acknowledged only by the caller.
            largest_payload: bytes of a message that are received; of a larger one only its beginning is.
        """
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        self._settings = settings
        self._protocol = protocol
        self._session_expiry_s = session_expiry_s
        self._limits = {"ReceiveMaximum": receive_maximum, "MaximumPacketSize": largest_packet}
        self._connack_reason: Any = None
        self._disconnect_reason: Any = None
        self._unreadable = False
        self._largest_packet: int | None = None
        self._highest_qos = 2
        self._session_kept_s: int | None = None
        self._shares = True
        self._takes_wildcards = True
        self._reason_text = ""
        self.keeps_retained = True
        """The broker stores retained messages (MQTT 5 brokers say where they do not)."""
        self.receive_maximum = 65535
        """Unacknowledged messages the broker takes at a time (MQTT 5 brokers say)."""
        self.accepted = False
        """A CONNECT was sent, so the broker may hold our will."""
        v5 = protocol == "5"
        self._packets = BoundedPackets(largest_payload, has_properties=v5)
        self._client = _client_class(self._packets)(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            # Else paho tries other protocols than the one that was asked for.
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password())
        if settings.tls:
            context = settings.tls_context()
            context.sslsocket_class = _TidySocket
            self._client.tls_set_context(context)

    def connect(self, give_up: Callable[[], bool]) -> None:
        """Connect and wait for the broker's yes.

        Raises:
            BrokerError: no yes came; the text is one line that names the cause.
        """
        address = (self._settings.host, self._settings.address_port, self._settings.keepalive_s)
        try:
            if self._protocol == "5":
                expiry_s = self._session_expiry_s
                properties = self._properties("CONNECT", SessionExpiryInterval=expiry_s or None, **self._limits)
                self._client.connect(*address, clean_start=expiry_s == 0, properties=properties)
            else:
                self._client.connect(*address)
        except (OSError, ValueError) as error:
            raise words.why_no_socket(self._settings, error) from error
        self.accepted = True
        until = time.monotonic() + self._settings.connect_timeout_s
        while self._connack_reason is None:
            self.poll(_TURN_S)
            if give_up():
                raise BrokerError("stopped while connecting", "start it again")
            if time.monotonic() > until:
                raise words.why_silent(self._settings, self._protocol)
        self._refuse_refusal()
        self._refuse_limits()

    @property
    def ended_by_broker(self) -> bool:
        """The broker ended the connection and said why (MQTT 5 only)."""
        return self._disconnect_reason is not None

    @property
    def refused_retained(self) -> bool:
        """The broker refused a retained message (MQTT 5 only)."""
        return any(
            reason is not None and reason.value == _NO_RETAINED
            for reason in (self._connack_reason, self._disconnect_reason)
        )

    def poll(self, timeout_s: float) -> None:
        """Read and write what is due, waiting up to `timeout_s`.

        Raises:
            BrokerError: the connection has ended.
        """
        try:
            code = self._client.loop(timeout_s)
        except OversizedPacket as error:
            raise BrokerError(
                f"{self._settings.where} sent {error}, which was not asked for", "is it an MQTT broker?"
            ) from error
        except Exception as error:
            # paho's parser raises what it stumbles over in bytes that came from the network.
            raise BrokerError(
                f"{self._settings.where} sent what is not MQTT ({type(error).__name__}: {error})",
                "is it an MQTT broker?",
            ) from error
        self._refuse_refusal()
        if code != 0:
            self._unreadable = code == _PROTOCOL_ERROR
            raise self._why_ended()

    def leave(self) -> None:
        """Say DISCONNECT, so that the broker throws our will away."""
        self._client.disconnect()
        self._client.loop(0)

    def close(self) -> None:
        """Let go of the socket; without `leave` before it, the broker publishes our will."""
        connection = self._client.socket()
        if connection is not None:
            connection.close()
        # Without this circle the client, and the sockets it wakes itself by, go with the last reference.
        for name in ("on_connect", "on_disconnect", "on_publish", "on_message", "on_subscribe"):
            setattr(self._client, name, None)

    def _properties(self, packet: str, **values: Any) -> Any:
        """What MQTT 5 says beside a packet; None in 3.1.1, or where there is nothing to say."""
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        given = {name: value for name, value in values.items() if value is not None}
        if self._protocol != "5" or not given:
            return None
        properties = Properties(getattr(PacketTypes, packet))  # type: ignore[no-untyped-call]
        for name, value in given.items():
            setattr(properties, name, value)
        return properties

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._connack_reason = reason
        self._largest_packet = getattr(properties, "MaximumPacketSize", None)
        self.receive_maximum = getattr(properties, "ReceiveMaximum", self.receive_maximum)
        self.keeps_retained = bool(getattr(properties, "RetainAvailable", 1))
        self._highest_qos = int(getattr(properties, "MaximumQoS", 2))
        self._session_kept_s = getattr(properties, "SessionExpiryInterval", None)
        self._shares = bool(getattr(properties, "SharedSubscriptionAvailable", 1))
        self._takes_wildcards = bool(getattr(properties, "WildcardSubscriptionAvailable", 1))
        self._reason_text = str(getattr(properties, "ReasonString", ""))[:200]

    def _on_disconnect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._disconnect_reason = reason

    def _refuse_refusal(self) -> None:
        if self._connack_reason is not None and self._connack_reason.is_failure:
            raise words.why_refused(self._settings, self._protocol, str(self._connack_reason), self._reason_text)

    def _refuse_limits(self) -> None:
        """What the broker's CONNACK says it cannot do; subclasses that need more add to it."""
        if self._highest_qos < 1:
            raise BrokerError(
                f"the broker {self._settings.where} takes QoS 0 only, and acknowledges nothing: reports could be lost",
                "have it allow QoS 1, or use another",
            )

    def _why_ended(self) -> BrokerError:
        if self._unreadable:
            return BrokerError(f"{self._settings.where} sent what is not MQTT", "is it an MQTT broker?")
        if self._disconnect_reason is not None and str(self._disconnect_reason) == "Session taken over":
            return BrokerError(
                "another client with our client_id took the connection over", "do two devices share a name?"
            )
        if self._disconnect_reason is not None:
            return words.why_ended(self._settings, str(self._disconnect_reason))
        if self._connack_reason is None:
            alert = alert_of(self._settings) if self._settings.tls else None
            return words.why_alerted(self._settings, alert) or words.why_closed_at_once(self._settings)
        return BrokerError(f"the connection to {self._settings.where} was lost", words.CONNECTING_ANEW)


def _client_class(packets: BoundedPackets) -> "type[Client]":
    """paho's client, whose packets are cut: it would take in each as a whole, and asks the system for as much."""
    from paho.mqtt.client import Client

    class BoundedClient(Client):
        def _sock_recv(self, bufsize: int) -> bytes:
            return packets.read(bufsize, super()._sock_recv)

    return BoundedClient


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        """As in `ssl.SSLSocket`."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
