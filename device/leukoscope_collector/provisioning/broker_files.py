"""mosquitto's settings: who may connect, who may say and hear what, and that it forgets nothing."""

from collections.abc import Sequence
from pathlib import Path

_CONFIGURATION = """\
# Made by leukoscope-provision; mosquitto -c {folder}/mosquitto.conf
user {user}
listener {port}
cafile {folder}/ca.pem
certfile {folder}/cert.pem
keyfile {folder}/key.pem
crlfile {folder}/revoked.pem
# TLS 1.2 or newer; who has no certificate of this site is nobody.
tls_version tlsv1.2
require_certificate true
allow_anonymous false
# Users are called what their certificate says, and their sessions too: no client can take over another's.
use_identity_as_username true
use_username_as_clientid true
acl_file {folder}/acl

# What collectors have not acknowledged is kept through restarts, and none of it is dropped. A broker
# that is killed loses at most the seconds since it saved last; devices send those again.
persistence true
persistence_location {folder}/data/
autosave_interval {autosave_s}
# As good as unlimited; 0 would say so, but makes mosquitto 2.0 hang up on a client that it refuses something.
max_queued_messages 100000000
max_inflight_messages 0
# A report is below 100 kB.
max_packet_size 1100000
set_tcp_nodelay true

log_dest stderr
log_type error
log_type warning
log_type notice
"""

_RULES = """\
# Made by leukoscope-provision anew at each run.
# A device's certificate says SITE/DEVICE: it speaks under its own name and hears its own commands.
pattern write leukoscope/v1/%u/status
pattern write leukoscope/v1/%u/health
pattern write leukoscope/v1/%u/report
pattern write leukoscope/v1/%u/cell
pattern write leukoscope/v1/%u/result
pattern read leukoscope/v1/%u/status
pattern read leukoscope/v1/%u/command
"""

_COLLECTOR = """
user {name}
topic read leukoscope/v1/+/+/status
topic read leukoscope/v1/+/+/health
topic read leukoscope/v1/+/+/report
topic read leukoscope/v1/+/+/cell
topic read leukoscope/v1/+/+/result
"""

_OPERATOR = """
user {name}
topic read leukoscope/v1/#
topic write leukoscope/v1/+/+/command
"""

_REVOKED = """
user {name}
topic deny leukoscope/v1/{name}/#
"""
"""mosquitto asks for a certificate when a client connects, and after that only for its rights."""


def write_configuration(folder: Path, *, port: int, user: str, autosave_s: int) -> None:
    """Write `mosquitto.conf` for the broker whose files are in `folder`."""
    (folder / "data").mkdir(exist_ok=True)
    text = _CONFIGURATION.format(folder=folder.resolve(), port=port, user=user, autosave_s=autosave_s)
    (folder / "mosquitto.conf").write_text(text)


def write_rules(folder: Path, *, collectors: Sequence[str], operators: Sequence[str], revoked: Sequence[str]) -> None:
    """Write `acl`: devices need no line of their own, except those that were revoked and may still be connected."""
    rules = [_RULES, *(_COLLECTOR.format(name=name) for name in collectors)]
    rules += [_REVOKED.format(name=name) for name in revoked]
    file = folder / "acl"
    file.write_text("".join([*rules, *(_OPERATOR.format(name=name) for name in operators)]))
    # mosquitto warns of rules that others can read.
    file.chmod(0o600)
