"""What a broker has against our certificate, asked without saying a word of MQTT."""

import contextlib
import socket
import ssl

from leukoscope.delivery.mqtt import diagnostics as words
from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import BrokerError

_LONGEST_S = 3.0
_PATIENCE_S = 1.0


def probe_tls(settings: BrokerSettings) -> None:
    """Go as far as TLS goes; a client that is connected under the same certificate is not disturbed.

    Raises:
        BrokerError: the broker is not there, its certificate is not good, or ours is not good enough for it.
    """
    context = settings.tls_context()
    try:
        with (
            socket.create_connection((settings.host, settings.address_port), settings.connect_timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=settings.host) as wrapped,
        ):
            wrapped.settimeout(min(_PATIENCE_S, settings.connect_timeout_s))
            # A broker that has nothing against us waits for us to speak.
            with contextlib.suppress(TimeoutError):
                if not wrapped.recv(1):
                    raise words.why_closed_at_once(settings)
    except BrokerError:
        raise
    except OSError as error:
        raise words.why_no_socket(settings, error) from error


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
