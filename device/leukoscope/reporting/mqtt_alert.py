"""What a broker has against our certificate."""

import socket
import ssl

from leukoscope.errors import BrokerError
from leukoscope.reporting.mqtt_broker import BrokerSettings

_LONGEST_S = 3.0


def alert_of(settings: BrokerSettings) -> ssl.SSLError | None:
    """The TLS alert that the broker answers our certificate with; None when it sends none.

    With TLS 1.3 a broker judges a certificate after our handshake is done. Its alert is lost when we
    have begun to speak by then, so this shakes hands once more and only listens.
    """
    timeout_s = min(_LONGEST_S, settings.connect_timeout_s)
    try:
        context = settings.tls_context()
        with (
            socket.create_connection((settings.host, settings.address_port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=settings.host) as wrapped,
        ):
            wrapped.recv(1)
    except ssl.SSLError as error:
        return error
    except (OSError, BrokerError):
        return None
    return None
