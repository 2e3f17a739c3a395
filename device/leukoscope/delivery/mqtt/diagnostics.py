"""In plain words why a broker cannot be reached, or refuses us, and what to do about it."""

import socket
import ssl

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import BrokerError

CONNECTING_ANEW = "connecting anew; if that recurs, look into broker and network"
"""What to do about a connection that ended without a reason."""

_TRUST = "set ca_file to that authority's certificate"
_OTHER_NAME = "set host to the name in the certificate"
_CERTIFICATE_FAULTS = {
    9: ("is not valid yet", "is this machine's clock right?"),
    10: ("has expired", "renew it; if it has not, is this machine's clock right?"),
    18: (
        "is signed by itself and by no authority that ca_file names",
        "set ca_file to it, or to the authority that signs",
    ),
    19: ("is signed by an authority we do not trust", _TRUST),
    20: ("is signed by an authority we do not trust", _TRUST),
    21: ("is signed by an authority we do not trust", _TRUST),
    62: ("was made out to another name", _OTHER_NAME),
    64: ("was made out to another address", _OTHER_NAME),
}
"""What is wrong and what to do, by OpenSSL's verification codes (X509_V_ERR_*)."""

_ALERTS = {
    "CERTIFICATE_REQUIRED": ("wants a certificate from us", "set client_cert and client_key"),
    "HANDSHAKE_FAILURE": (
        "refused the TLS handshake",
        "does it want a certificate from us (client_cert, client_key)?",
    ),
    "UNKNOWN_CA": (
        "does not trust the authority that signed our client_cert",
        "it needs one from its site's authority",
    ),
    "BAD_CERTIFICATE": ("does not accept our client_cert", "is it one from its own site's authority?"),
    "CERTIFICATE_EXPIRED": ("says that our client_cert has expired", "renew it"),
    "CERTIFICATE_REVOKED": ("says that our client_cert was revoked", "ask the broker's administrator for another"),
    "PROTOCOL_VERSION": ("does not speak TLS 1.2 or newer", "have it updated, or use another broker"),
}
"""What the broker says and what to do, by the end of OpenSSL's names for the alerts a broker can send."""

_ADVICE = {
    "Bad user name or password": "check username and password_file",
    "Not authorized": "check username and password_file, and what the broker allows this user",
    "Client identifier not valid": "set another client_id",
    "Server busy": "it has too much to do now; we ask more and more rarely",
    "Server unavailable": "it cannot take us now; we ask more and more rarely",
    "Quota exceeded": "a limit of the broker is reached; ask the broker's administrator",
    "Connection rate exceeded": "we ask more and more rarely",
    "Packet too large": "it takes no packet as large as ours; ask the broker's administrator for a higher limit",
    "Retain not supported": "it keeps no retained messages; we go on without them",
    "QoS not supported": "it takes no QoS 1, so reports could be lost: use another broker",
    "Use another server": "set host to that other one",
    "Server moved": "set host to the new one",
    "Banned": "ask the broker's administrator to let this client in again",
    "Administrative action": "ask the broker's administrator",
}


def why_no_socket(settings: BrokerSettings, error: OSError | ValueError) -> BrokerError:
    """Why no connection came about."""
    where = settings.where
    match error:
        case ssl.SSLCertVerificationError():
            fault, todo = _CERTIFICATE_FAULTS.get(error.verify_code, ("was not accepted", "check ca_file and host"))
            found = BrokerError(f"the certificate of {where} {fault} ({error.verify_message})", todo)
        case ssl.SSLError():
            no_tls = BrokerError(f"no TLS with {where} ({error.reason})", "is that its TLS port?")
            found = why_alerted(settings, error) or no_tls
        case socket.gaierror():
            found = BrokerError(f"no host is called {settings.host}", "is it spelt right, and is the network up?")
        case ConnectionRefusedError():
            found = BrokerError(f"nothing listens at {where}", "does the broker run, and is the port right?")
        case TimeoutError():
            happened = f"{where} did not answer within {settings.connect_timeout_s:g} s"
            found = BrokerError(happened, "does the broker run, and does a firewall let us through?")
        case ConnectionError() if settings.tls:
            found = BrokerError(f"{where} closed the connection during the TLS handshake", "is this its TLS port?")
        case OSError():
            found = BrokerError(f"{where} cannot be reached: {error.strerror or error}", "check host, port and network")
        case _:
            found = BrokerError(f"{where} cannot be used as a broker's address: {error}", "check host and port")
    return found


def why_alerted(settings: BrokerSettings, error: ssl.SSLError | None) -> BrokerError | None:
    """What the broker said of us in a TLS alert; None when it sent none that we know."""
    reason = (error.reason or "") if error is not None else ""
    for ending, (reason_given, todo) in _ALERTS.items():
        if reason.endswith(ending):
            return BrokerError(f"the broker {settings.where} {reason_given}", todo)
    return None


def why_silent(settings: BrokerSettings, protocol: str) -> BrokerError:
    """Why a connection brought no answer."""
    # Some that only know 3.1.1 wait for ever for the rest of a CONNECT they misread.
    versions = ", and does it speak MQTT 5? If not, set protocol to 3.1.1" if protocol == "5" else "?"
    return BrokerError(f"{settings.where} took the connection but never answered", f"is it an MQTT broker{versions}")


def why_refused(settings: BrokerSettings, protocol: str, reason: str, text: str = "") -> BrokerError:
    """Why the broker says no to a connection."""
    if reason == "Unsupported protocol version":
        other = "3.1.1" if protocol == "5" else "5"
        todo = f"it does not speak MQTT {protocol}; set protocol to {other}"
    else:
        todo = _ADVICE.get(reason, "ask the broker's administrator")
    reason_given = f"{reason}; it says {text!r}" if text else reason
    return BrokerError(f"{reason_given}: the broker {settings.where} refused us", todo)


def why_ended(settings: BrokerSettings, reason: str) -> BrokerError:
    """Why the broker ended a connection with a reason."""
    return BrokerError(
        f"{reason}: the broker {settings.where} ended the connection", _ADVICE.get(reason, CONNECTING_ANEW)
    )


def why_closed_at_once(settings: BrokerSettings) -> BrokerError:
    """Why a connection ended before the broker's yes."""
    question = "does it take our client_cert, or want one" if settings.tls else "does it want tls"
    return BrokerError(f"{settings.where} closed the connection at once", f"is it an MQTT broker, and {question}?")
