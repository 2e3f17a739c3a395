"""Some devices of the fleet, in a process of their own; reads its orders as JSON, writes what it sent as JSON."""

import json
import random
import selectors
import sys
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from fleet_simulation.device import SimulatedDevice
from leukoscope.system.clock import Clock, utc_now

_CARE_S = 0.2
_SELECT_S = 0.005
_STEP_S = 5.0
_GATHER_S = 20.0
"""For which the next of the devices may take to connect before those that are there begin."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What one process of devices is to do."""

    first: int
    """Number of its first device."""
    devices: int
    addresses: tuple[tuple[str, int], ...]
    """Of the brokers, each with its port."""
    protocol: str
    """MQTT version: 5 or 3.1.1."""
    reconnect_spread_s: float
    """Seconds over which devices that lose a broker together spread their first attempt."""
    first_address_first: bool
    """Every device begins at the first of the addresses, so that all of them lose it together."""
    rate_per_s: float
    """Reports made per second by all of its devices together; 0: they were made long ago (`backlog`)."""
    reports: int
    """Reports to make in all; with `until` it is no bound."""
    until: str
    """A file that ends the making of reports by being there; "": as many as `reports` are made."""
    patience_s: float
    """Seconds without an acknowledgement after which it gives up, once all are made."""
    in_flight: int
    ack_timeout_s: float
    redelivery_window_s: float
    clock_off_s: float
    """Seconds by which clocks step ahead and behind; 0: they are right."""
    start_at: float
    """Seconds since 1970; until then, and until all are there, only connections are made."""
    result: str
    """File to write."""


def stepping_clock(off_s: float, number: int) -> Clock:
    """A clock that is right, ahead and behind in turn, each for some seconds; where in turn is the device's number."""
    steps = (timedelta(0), timedelta(seconds=off_s), timedelta(seconds=-off_s))
    return lambda: utc_now() + steps[(int(time.monotonic() / _STEP_S) + number) % 3]


def run(orders: Orders) -> None:
    """Connect, send at the rate, wait for the last acknowledgement, write the result."""
    selector = selectors.DefaultSelector()
    devices = [
        SimulatedDevice(
            ("fleet", f"scope-{orders.first + number}"),
            [(host, port) for host, port in orders.addresses],
            selector,
            in_flight=orders.in_flight,
            ack_timeout_s=orders.ack_timeout_s,
            redelivery_window_s=orders.redelivery_window_s,
            protocol=orders.protocol,
            reconnect_spread_s=orders.reconnect_spread_s,
            first_address_first=orders.first_address_first,
            rng=random.Random(orders.first + number),
            now=stepping_clock(orders.clock_off_s, number),
        )
        for number in range(orders.devices)
    ]
    for device in devices:
        device.connect()
        _serve(selector, 0)
    connected = _wait_for_start(devices, selector, orders)
    made = _send(devices, selector, orders)
    for device in devices:
        device.leave()
    selector.close()
    result = {
        "made": made,
        "connected": connected,
        "away_s": [one_s for device in devices for one_s in device.away_s],
        "connected_at": [at for device in devices for at in device.connected_at],
        "again": sum(device.again for device in devices),
        "unfinished": [sending.id for device in devices for sending in device.pending],
        "done": [
            (sending.id, sending.published_at, sending.acknowledged_at) for device in devices for sending in device.done
        ],
    }
    Path(orders.result).write_text(json.dumps(result))


def _wait_for_start(devices: list[SimulatedDevice], selector: selectors.BaseSelector, orders: Orders) -> int:
    """Connect until it is time and all are there, or no more come; how many are."""
    connected, until = -1, 0.0
    while time.time() < orders.start_at or (connected < len(devices) and time.monotonic() < until):
        _serve(selector, _SELECT_S)
        for device in devices:
            if not device.connected:
                device.look_after()
        so_far = sum(device.connected for device in devices)
        if so_far > connected:
            connected, until = so_far, time.monotonic() + _GATHER_S
    ready_file(orders).touch()
    return sum(device.connected for device in devices)


def ready_file(orders: Orders) -> Path:
    """What is there once the devices have begun to report."""
    return Path(orders.result).with_suffix(".ready")


def _send(devices: list[SimulatedDevice], selector: selectors.BaseSelector, orders: Orders) -> int:
    """Make reports and send them; how many were made."""
    began, made, cared = time.monotonic(), 0, time.monotonic()
    acknowledged, progress_at = 0, began
    ended = False
    while True:
        now = time.monotonic()
        due = made if ended else int((now - began) * orders.rate_per_s)
        if not orders.until:
            due = min(due, orders.reports)
        busy = set()
        while made < due:
            device = devices[made % len(devices)]
            device.make_report()
            busy.add(device)
            made += 1
        for device in busy:
            device.send()
        _serve(selector, _SELECT_S)
        if now - cared <= _CARE_S:
            continue
        cared = now
        for device in devices:
            device.look_after()
            device.send()
        ended = ended or (Path(orders.until).exists() if orders.until else made == orders.reports)
        so_far = sum(device.acknowledged for device in devices)
        if so_far > acknowledged or not ended:
            acknowledged, progress_at = so_far, now
        if ended and all(device.idle for device in devices):
            return made
        if now - progress_at > orders.patience_s:
            return made


def _serve(selector: selectors.BaseSelector, timeout_s: float) -> None:
    for key, events in selector.select(timeout_s):
        key.data.handle(events)
        key.data.send()


def as_json(orders: Orders) -> str:
    """The orders as the worker reads them."""
    return json.dumps(asdict(orders))


if __name__ == "__main__":
    run(Orders(**json.loads(sys.argv[1])))
