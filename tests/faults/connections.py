"""Connections that do not last, a name used twice, and commands that come again when the clock has stepped back."""

import json
import time
from datetime import UTC, datetime, timedelta
from random import Random

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from leukoscope.messages.command import COMMAND_SCHEMA
from leukoscope.messages.json_format import utc_text
from tests.brokers import HOST, Mosquitto, Subscriber, wait_until
from tests.delivery.flapping_line import FlappingLine
from tests.delivery.scripted_broker import ScriptedBroker
from tests.faults.parts import wrong_clock
from tests.faults.running import Device, NotSurvived, Plant
from tests.faults.servers import ARRIVE_S, SlowRelay, kind_of, mqtt, reports_arrive

OFTEN = ", first_retry_s = 0.1, longest_retry_s = 10"
LIVES_S = 1.5
"""Of a connection on a line that flaps."""
BUSY, SHUTTING_DOWN = 0x89, 0x8B
WATCHED_S = 3.0
MOST_CONNECTIONS = 8
"""In `WATCHED_S` with `OFTEN`: pauses of 0.1, 0.2, 0.4, 0.8, 1.6 s, half of these at least. Without growth: thirty."""
SHARED = ("two devices share a name?", "another device calls itself")
DAY_S = 86400
TOPIC = "leukoscope/v1/campaign/test/command"
ODD_IDS = (
    "",
    " ",
    "S-1 ",
    "\u00a0S-1",
    "S-1\n",
    "S-\x001",
    "S-\x1b[2J",
    "S-\u202e12",
    "S-\u200b1",
    "S-\ufe0f1",
    "S-\ud800",
    "S-E\u0301",
    "S-\ufffd",
    "S-" + 63 * "1",
    "X-1",
)
"""Blank, blanks at an end, control characters, what turns the direction of reading or shows nothing, half a surrogate
pair, a letter in two parts, unreadable, too long, and against the site's pattern."""
NEVER = '{ driver = "scripted", presses = [{ action = "toggle", after_s = 86400.0 }] }'


def _flapping(plant: Plant, chance: Random) -> None:
    """The line never gets better, and every report arrives."""
    broker = Mosquitto(plant.folder / "broker").start()
    try:
        with FlappingLine(broker.port, lives_s=LIVES_S, late_s=0.05) as line:
            reports_arrive(plant, line.port, broker, more=", first_retry_s = 0.1, longest_retry_s = 1")
            if line.connections < 2:
                raise NotSurvived(f"the line did not flap: {line.connections} connections")
    finally:
        broker.kill()


def _busy(plant: Plant, chance: Random) -> None:
    """It ends each connection after the birth; it is asked more and more rarely, and then serves."""
    broker = Mosquitto(plant.folder / "broker").start()
    with ScriptedBroker(goodbye=chance.choice((BUSY, SHUTTING_DOWN))) as busy:
        relay = SlowRelay(busy.port)
        relay.hurry.set()

        def heal() -> None:
            time.sleep(WATCHED_S)
            first_s = busy.connects[0]
            early = sum(at < first_s + WATCHED_S for at in busy.connects)
            if early > MOST_CONNECTIONS:
                raise NotSurvived(f"a busy broker was asked {early} times in {WATCHED_S:g} s")
            relay.to = broker.port

        try:
            reports_arrive(plant, relay.port, broker, heal, OFTEN)
        finally:
            relay.close()
            broker.kill()


def _without_retained(plant: Plant, chance: Random) -> None:
    broker = Mosquitto(plant.folder / "broker", "retain_available false").start()
    try:
        reports_arrive(plant, broker.port, broker, more=OFTEN)
    finally:
        broker.kill()


def _name_used_twice(plant: Plant, chance: Random) -> None:
    """Two devices of one name throw each other out; both say why, and the reports of both arrive."""
    broker = Mosquitto(plant.folder / "broker").start()
    twin = Plant(plant.nursery, plant.folder / "twin")
    both = (plant, twin)
    try:
        with Subscriber(broker.port) as reader:
            for one in both:
                one.write(reporting=mqtt(broker.port, OFTEN))
            lives = [one.start("eager") for one in both]
            for life in lives:
                life.until_ready()
            for one, life in zip(both, lives, strict=True):
                _says_that_the_name_is_shared(one, life)
            for life in lives:
                life.end()

            def missing(*of: Plant) -> frozenset[str]:
                plant.delivered = {str(json.loads(payload)["id"]) for payload in reader.payloads("/report")}
                return frozenset().union(*(one.finished() for one in of)) - plant.delivered

            def all_arrived(*of: Plant) -> bool:
                return wait_until(lambda: not missing(*of), ARRIVE_S)

            # One after the other, as once one of them has been given another name.
            for one in both:
                alone = one.start()
                alone.until_ready()
                all_arrived(one)
                alone.end()
            if not all_arrived(*both):
                raise NotSurvived(f"{len(missing(*both))} reports did not arrive")
            if shared := plant.in_outbox() & twin.in_outbox():
                raise NotSurvived(f"{len(shared)} reports are in the outboxes of both")
    finally:
        twin.close()
        broker.kill()


def _says_that_the_name_is_shared(plant: Plant, device: Device) -> None:
    device.until(lambda: any(words in plant.log_text() for words in SHARED), "saying that two devices share a name")


def _heard(device: Device, reader: Subscriber, ending: str, before: int) -> None:
    device.until(lambda: len(reader.payloads(ending)) > before, f"heard under {ending}")


def _finished(device: Device, plant: Plant, count: int) -> None:
    device.until(lambda: len(plant.finished()) >= count, f"finished {count} samples")


def _command_again(plant: Plant, chance: Random) -> None:
    """A captured command is not done twice: not while it is valid, not after days, not once the clock is back."""
    library = wrong_clock(plant.folder)
    wall = plant.folder / "clock"
    wall.write_text("0")
    broker = Mosquitto(plant.folder / "broker").start()
    plant.write(
        controls=NEVER,
        reporting=mqtt(broker.port, OFTEN),
        extra='commands = { allow = ["start_sample", "finish_sample"] }\n',
    )
    sender = paho.Client(CallbackAPIVersion.VERSION2, "sender")
    sender.connect(HOST, broker.port)
    sender.loop_start()
    clock = {"environ": (("LD_PRELOAD", str(library)), ("WALL_CLOCK", str(wall)))}
    first, second = (_start_command(f"c-{number}", f"S-{number}", off_s) for number, off_s in ((1, 0), (2, 3 * DAY_S)))
    try:
        with Subscriber(broker.port, "leukoscope/#") as reader:
            # The right clock, days ahead, back again: in each life the first command comes once more.
            for off_s, command, begun in ((0, first, 1), (3 * DAY_S, second, 2), (0, None, 2)):
                wall.write_text(str(off_s))
                births = len(reader.payloads("/status"))
                device = plant.start(**clock)
                device.until_ready()
                _heard(device, reader, "/status", births)
                if command is not None:
                    sender.publish(TOPIC, command, qos=1)
                _finished(device, plant, begun)
                answers = len(reader.payloads("/result"))
                sender.publish(TOPIC, first, qos=1)
                _heard(device, reader, "/result", answers)
                device.end()
                if (found := (plant.state / "samples.jsonl").read_text().count('"begun"')) != begun:
                    raise NotSurvived(f"{begun} commands began {found} samples, the clock {off_s / DAY_S:g} days ahead")
    finally:
        sender.loop_stop()
        broker.kill()
    plant.write()
    plant.works()


def _odd_ids(plant: Plant, chance: Random) -> None:
    """Names that no specimen may have begin no sample when they come as commands; each gets its answer."""
    broker = Mosquitto(plant.folder / "broker").start()
    plant.write(
        controls=NEVER,
        reporting=mqtt(broker.port, OFTEN),
        extra='commands = { allow = ["start_sample"] }\nsamples = { pattern = "S-.+" }\n',
    )
    sender = paho.Client(CallbackAPIVersion.VERSION2, "sender")
    sender.connect(HOST, broker.port)
    sender.loop_start()
    try:
        with Subscriber(broker.port, "leukoscope/#") as reader:
            device = plant.start()
            device.until_ready()
            _heard(device, reader, "/status", 0)
            for number, odd in enumerate(ODD_IDS):
                sender.publish(TOPIC, _start_command(f"odd-{number}", odd, 0), qos=1)
                _heard(device, reader, "/result", number)
            taken = [answer for answer in reader.payloads("/result") if json.loads(answer)["outcome"] == "done"]
            device.end()
    finally:
        sender.loop_stop()
        broker.kill()
    register = plant.state / "samples.jsonl"
    if taken or (register.exists() and '"begun"' in register.read_text()):
        raise NotSurvived(f"an odd id began a sample: {taken}")
    plant.write()
    plant.works()


def _start_command(identifier: str, sample_id: str, off_s: int) -> bytes:
    issued = datetime.now(UTC) + timedelta(seconds=off_s)
    message = {
        "schema": COMMAND_SCHEMA,
        "id": identifier,
        "name": "start_sample",
        "by": "the laboratory system",
        "issued_at": utc_text(issued),
        "expires_at": utc_text(issued + timedelta(minutes=10)),
        "arguments": {"sample_id": sample_id},
    }
    return json.dumps(message).encode()


KINDS = (
    kind_of("broker flaps", _flapping),
    kind_of("broker busy", _busy),
    kind_of("broker retains nothing", _without_retained),
    kind_of("name used twice", _name_used_twice),
    kind_of("command sent again", _command_again),
    kind_of("odd ids sent", _odd_ids),
)
