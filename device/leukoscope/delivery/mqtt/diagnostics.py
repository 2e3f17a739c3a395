"""In plain words why a broker cannot be reached, or will not have us."""

import socket
import ssl

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings

_CERTIFICATE_FAULTS = {
    9: "is not valid yet: is this machine's clock right?",
    10: "has expired: renew it; if it has not, is this machine's clock right?",
    18: "is signed by itself and by nobody we trust: set ca_file to it, or to the authority that signs",
    19: "is signed by an authority we do not trust: set ca_file to that authority's certificate",
    20: "is signed by an authority we do not trust: set ca_file to that authority's certificate",
    21: "is signed by an authority we do not trust: set ca_file to that authority's certificate",
    62: "was made out to another name: set host to the name in the certificate",
    64: "was made out to another address: set host to the name in the certificate",
}
"""By OpenSSL's verification codes (X509_V_ERR_*)."""

_ALERTS = {
    "CERTIFICATE_REQUIRED": "wants a certificate from us: set client_cert and client_key",
    "HANDSHAKE_FAILURE": "refused the TLS handshake: does it want a certificate from us (client_cert, client_key)?",
    "UNKNOWN_CA": "does not trust the authority that signed our client_cert: it needs one from its site's authority",
    "BAD_CERTIFICATE": "does not accept our client_cert: is it one from its own site's authority?",
    "CERTIFICATE_EXPIRED": "says that our client_cert has expired: renew it",
    "CERTIFICATE_REVOKED": "says that our client_cert was revoked: ask the broker's administrator for another",
    "PROTOCOL_VERSION": "does not speak TLS 1.2 or newer",
}
"""By the end of OpenSSL's names for the alerts a broker can send."""

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


def why_no_socket(settings: BrokerSettings, error: OSError | ValueError) -> str:
    """Why no connection came about."""
    where = settings.where
    match error:
        case ssl.SSLCertVerificationError():
            fault = _CERTIFICATE_FAULTS.get(error.verify_code, "was not accepted: check ca_file and host")
            why = f"the certificate of {where} {fault} ({error.verify_message})"
        case ssl.SSLError():
            why = why_alerted(settings, error) or f"no TLS with {where} ({error.reason}): is that its TLS port?"
        case socket.gaierror():
            why = f"no host is called {settings.host}: is it spelt right, and is the network up?"
        case ConnectionRefusedError():
            why = f"nothing listens at {where}: does the broker run, and is the port right?"
        case TimeoutError():
            why = f"{where} did not answer within {settings.connect_timeout_s:g} s"
        case ConnectionError() if settings.tls:
            why = f"{where} closed the connection during the TLS handshake: is this its TLS port?"
        case OSError():
            why = f"{where} cannot be reached: {error.strerror or error}"
        case _:
            why = f"{where} cannot be used as a broker's address: {error}"
    return why


def why_alerted(settings: BrokerSettings, error: ssl.SSLError | None) -> str | None:
    """What the broker said of us in a TLS alert; None when it sent none that we know."""
    reason = (error.reason or "") if error is not None else ""
    for ending, words in _ALERTS.items():
        if reason.endswith(ending):
            return f"the broker {settings.where} {words}"
    return None


def why_silent(settings: BrokerSettings, protocol: str) -> str:
    """Why a connection brought no answer."""
    why = f"{settings.where} took the connection but never answered: is it an MQTT broker"
    if protocol == "5":
        # Some that only know 3.1.1 wait for ever for the rest of a CONNECT they misread.
        return f"{why}, and does it speak MQTT 5? If not, set protocol to 3.1.1"
    return f"{why}?"


def why_refused(settings: BrokerSettings, protocol: str, reason: str, text: str = "") -> str:
    """What to do about the broker's no."""
    if reason == "Unsupported protocol version":
        other = "3.1.1" if protocol == "5" else "5"
        advice = f"it does not speak MQTT {protocol}; set protocol to {other}"
    else:
        advice = _ADVICE.get(reason, "ask the broker's administrator")
    said = f"{reason}; it says {text!r}" if text else reason
    return f"the broker {settings.where} refused us ({said}): {advice}"


def why_ended(settings: BrokerSettings, reason: str) -> str:
    """What to do about a connection that the broker ended with a reason."""
    advice = f": {_ADVICE[reason]}" if reason in _ADVICE else ""
    return f"the broker {settings.where} ended the connection ({reason}){advice}"


def why_closed_at_once(settings: BrokerSettings) -> str:
    """Why a connection ended before the broker's yes."""
    question = "does it take our client_cert, or want one" if settings.tls else "does it want tls"
    return f"{settings.where} closed the connection at once: is it an MQTT broker, and {question}?"
