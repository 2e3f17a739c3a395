"""Another device that sends under the ids of reports that were stored; nothing of it may come into force."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from rich.table import Table

from fleet_simulation.sample import ReportMaker
from leukoscope.errors import LeukoscopeError
from leukoscope.messages.identity import TOPIC_ROOT
from leukoscope.messages.json_format import to_bytes
from leukoscope.system.clock import utc_now

FORGER = ("fleet", "forger")
VERSIONS = (1, 2, 900)
_ANSWER_S = 60.0
_IN_FORCE = "SELECT id::text, version, device FROM report_in_force"


@dataclass(frozen=True, slots=True)
class Forged:
    """What came of it."""

    sent: int
    quarantined: int
    in_force: int
    """Reports of which another version, or another device's, is in force since."""

    @property
    def held(self) -> bool:
        """Everything forged is in quarantine, and nothing else has changed."""
        return self.sent > 0 and self.quarantined == self.sent and not self.in_force

    def table(self) -> Table:
        """For the terminal."""
        table = Table("forged", "", title="Another device under the ids of stored reports")
        for what, count in (
            ("sent", self.sent),
            ("in quarantine", self.quarantined),
            ("came into force", self.in_force),
        ):
            table.add_row(what, str(count))
        return table


def forge(address: tuple[str, int], conninfo: str, reports: int, *, protocol: str = "5") -> Forged:
    """Send versions of stored reports as another device, and look at what the store made of them.

    Args:
        address: of the broker.
        conninfo: of the database.
        reports: how many ids to forge.
        protocol: MQTT version, 5 or 3.1.1.

    Raises:
        LeukoscopeError: the broker does not answer.
    """
    with psycopg.connect(conninfo, autocommit=True) as sql:
        before = sorted(sql.execute(_IN_FORCE).fetchall())
        quarantined = _quarantined(sql)
        ids = [row[0] for row in before[:reports]]
        _send(address, [_forged(identifier, version) for identifier in ids for version in VERSIONS], protocol)
        sent = len(ids) * len(VERSIONS)
        _wait(lambda: _quarantined(sql) >= quarantined + sent)
        after = sorted(sql.execute(_IN_FORCE).fetchall())
        changed = len(set(after) ^ set(before))
        return Forged(sent, _quarantined(sql) - quarantined, changed)


def _forged(identifier: str, version: int) -> bytes:
    message = json.loads(ReportMaker(*FORGER).make(utc_now())[1])
    return to_bytes(message | {"id": identifier, "version": version})


def _quarantined(sql: psycopg.Connection[tuple[object, ...]]) -> int:
    row = sql.execute("SELECT count(*) FROM quarantine").fetchone()
    return int(str(row[0])) if row else 0


def _send(address: tuple[str, int], payloads: list[bytes], protocol: str) -> None:
    version = MQTTProtocolVersion.MQTTv5 if protocol == "5" else MQTTProtocolVersion.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, "leukoscope-forger", protocol=version)
    client.connect(*address)
    client.loop_start()
    try:
        sent = [client.publish("/".join((TOPIC_ROOT, *FORGER, "report")), payload, qos=1) for payload in payloads]
        if not _wait(lambda: all(one.is_published() for one in sent)):
            raise LeukoscopeError("the broker did not acknowledge what was forged", "look into its log")
        client.disconnect()
    finally:
        client.loop_stop()


def _wait(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + _ANSWER_S
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
