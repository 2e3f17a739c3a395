"""One real device that was away: an outbox on the disk full of reports, and the publisher that empties it."""

import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from fleet_simulation.sample import ReportMaker
from fleet_simulation.worker import Orders
from leukoscope.delivery.mqtt.mqtt_settings import MqttSettings
from leukoscope.messages.identity import Identity
from leukoscope.messages.json_format import utc_time
from leukoscope.outbox.entry import REPORT, Entry, Key, State
from leukoscope.outbox.store import Outbox, put
from leukoscope.system.clock import utc_now


def run(orders: Orders) -> None:
    """Fill the outbox, send all of it, write the result."""
    site, device = "fleet", f"scope-{orders.first}"
    with (
        tempfile.TemporaryDirectory(prefix="leukoscope-backlog-") as folder,
        Outbox.open(Path(folder) / "outbox.sqlite") as outbox,
    ):
        maker, made_at = ReportMaker(site, device), datetime.now(UTC)
        with outbox.writing() as sql:
            for _ in range(orders.reports):
                identifier, payload = maker.make(made_at)
                put(sql, Key(identifier, 1, REPORT), REPORT, payload, made_at)
        time.sleep(max(0.0, orders.start_at - time.time()))
        began = time.time()
        connected = _send(outbox, Identity(site, device, "0.0.0", "boot-1"), orders)
        entries = outbox.list()
    Path(orders.result).write_text(json.dumps(_result(entries, began, connected)))


def _send(outbox: Outbox, identity: Identity, orders: Orders) -> bool:
    settings = MqttSettings(
        host=orders.addresses[0][0],
        port=orders.addresses[0][1],
        needs_reader=True,
        in_flight=orders.in_flight,
        ack_timeout_s=orders.ack_timeout_s,
        redelivery_window_s=orders.redelivery_window_s,
    )
    publisher = settings.open(outbox, identity, now=utc_now, rng=random.Random(orders.first))
    publisher.start()
    try:
        known, until = -1, 0.0
        # Asked rarely: counting a backlog takes the disk that sending needs.
        while (pending := outbox.counts().pending) or outbox.awaiting_redelivery():
            if pending != known:
                known, until = pending, time.monotonic() + orders.patience_s
            elif time.monotonic() > until:
                break
            time.sleep(0.5)
        return publisher.state.connected
    finally:
        publisher.stop()


def _result(entries: tuple[Entry, ...], began: float, connected: bool) -> dict[str, object]:
    done = [(one.key.id, began, utc_time(one.settled_at).timestamp()) for one in entries if one.settled_at]
    return {
        "made": len(entries),
        "connected": int(connected),
        "away_s": [],
        "connected_at": [],
        "again": sum(one.attempts for one in entries),
        "unfinished": [one.key.id for one in entries if one.state is not State.SENT],
        "done": done,
    }


if __name__ == "__main__":
    run(Orders(**json.loads(sys.argv[1])))
