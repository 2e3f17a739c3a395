"""The broker: its name, the way to it, its certificate, our login, and our right to publish."""

import time
from datetime import UTC, datetime
from pathlib import Path

from leukoscope.delivery.mqtt.device_connection import DeviceConnection
from leukoscope.delivery.mqtt.mqtt_settings import MqttSettings
from leukoscope.delivery.mqtt.running_lock import running_lock
from leukoscope.delivery.mqtt.tls_probe import probe_tls
from leukoscope.errors import BrokerError
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.status import health
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.system.host import uptime_s

TURN_S = 0.1
STAYS_S = 2.0
"""Seconds for which a connection has to last after its message was acknowledged: a busy broker ends it soon."""


def check_broker(settings: MqttSettings, identity: Identity, outbox: Path | None = None) -> str:
    """Go the way of a report up to the broker's answer, with a message about this device's health.

    A broker that calls sessions what the certificate says would throw the running device out for it: while that runs,
    the way ends with TLS.

    Args:
        settings: of the broker.
        identity: of the device.
        outbox: of the device, which may be running; None where that is not known.

    Returns:
        One line naming what was passed on the way.

    Raises:
        BrokerError: the way ends somewhere, or the broker ends the connection soon after; the text says which.
    """
    if settings.client_cert is not None and outbox is not None and running_lock(outbox).holder() is not None:
        probe_tls(settings)
        return Sentence(
            "{broker} answers, its certificate is good and it takes ours; the device is running: its screen says "
            "whether reports go out; stop it to try login and right to publish here",
            broker=Verbatim(settings.where),
        )
    link = DeviceConnection(settings, f"{settings.client_id_of(identity)}-doctor", will=None)
    try:
        link.connect(give_up=lambda: False)
        right = _right_to_publish(link, settings, identity)
        until = time.monotonic() + STAYS_S
        while time.monotonic() < until:
            link.poll(TURN_S)
        if not link.keeps_retained:
            right = Sentence(
                "{right}; it keeps no retained messages: clients that connect later do not see how this device is",
                right=right,
            )
        link.leave()
    finally:
        link.close()
    encryption = "its certificate is good" if settings.tls else "no TLS"
    login: str = "no login"
    if settings.username is not None:
        login = Sentence("login as {username}", username=Verbatim(settings.username))
    if settings.client_cert is not None:
        login = "login by certificate"
    return Sentence(
        "{broker} answers, MQTT {protocol}, {encryption}, {login}, {right}",
        broker=Verbatim(f"{settings.host}:{settings.address_port}"),
        protocol=settings.protocol,
        encryption=encryption,
        login=login,
        right=right,
    )


def _right_to_publish(link: DeviceConnection, settings: MqttSettings, identity: Identity) -> str:
    """Only MQTT 5 brokers say no; to others everything seems to be allowed."""
    message = health(identity, at=datetime.now(UTC), uptime_s=uptime_s(), reports={}, measurements={}, faults=[])
    topic = identity.topic("health", settings.topic_root)
    mid = link.publish(topic, to_bytes(message), retain=False)
    until = time.monotonic() + settings.ack_timeout_s
    while time.monotonic() < until:
        link.poll(TURN_S)
        for answer in link.answers():
            if answer.mid != mid:
                continue
            if answer.refusal is not None:
                raise BrokerError(
                    Sentence(
                        "{broker} refuses what we publish under {topic} ({why})",
                        broker=Verbatim(settings.host),
                        topic=Verbatim(topic),
                        why=answer.refusal,
                    ),
                    "ask for the right",
                )
            return "may publish" if settings.protocol == "5" else "whether we may publish only MQTT 5 tells"
    raise BrokerError(
        Sentence("{broker} does not acknowledge what we publish", broker=Verbatim(settings.host)),
        "ask the broker's administrator",
    )
