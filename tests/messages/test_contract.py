"""What asyncapi.v1.json promises is what the code does, and the other way round."""

import gzip
import json
import re
from importlib import resources
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from leukoscope.messages import status
from leukoscope.messages.command import CommandName, Outcome, read_command
from leukoscope.messages.identity import CHANNELS
from leukoscope.messages.json_format import SCHEMA_FILES, validate
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.record_report import record
from leukoscope.reviewing.from_afar import arguments_of, decisions_of
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.lifecycle import Action
from tests.brokers import Subscriber, wait_until
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, NOW, report
from tests.messages.test_commands import command

DOCUMENT = json.loads(resources.files("leukoscope.messages").joinpath("asyncapi.v1.json").read_text("utf-8"))
ASYNCAPI = Path(__file__).parent / "asyncapi-3.0.0.schema.json.gz"
"""As published by the AsyncAPI Initiative (Apache-2.0), npm package @asyncapi/specs 6.11.1."""
CELLS = [
    (CellRecord(number, 3, "blast", 0.75, (1, 2, 30, 40)), CellPicture(b"webp" * 20, 60, 70, 0.1))
    for number in range(1, 4)
]


def validator():
    return jsonschema.Draft7Validator(json.loads(gzip.decompress(ASYNCAPI.read_bytes())))


def schema_of(channel):
    """The schema that the document gives a channel's message."""
    (message,) = DOCUMENT["channels"][channel]["messages"].values()
    target = DOCUMENT
    for step in message["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    file = target["payload"]["schema"]["$ref"]
    (name,) = [name for name, path in SCHEMA_FILES.items() if path == file]
    return name


def channel_of(topic):
    """The one channel of the document whose address a topic fits."""
    fits = [
        name
        for name, channel in DOCUMENT["channels"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[A-Za-z0-9._-]{1,64}", channel["address"]), topic)
    ]
    assert len(fits) == 1, topic
    return fits[0]


def retained(channel):
    (operation,) = [one for one in DOCUMENT["operations"].values() if one["channel"]["$ref"].endswith(f"/{channel}")]
    return operation["bindings"]["mqtt"]["retain"]


def test_the_document_follows_asyncapi_3():
    assert [error.message for error in validator().iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("part", ["info", "channels"])
def test_a_document_that_does_not_is_told(part):
    assert list(validator().iter_errors(DOCUMENT | {part: {"x": 1}}))


def test_every_topic_and_schema_of_the_code_is_in_the_document_and_the_other_way_round():
    assert set(DOCUMENT["channels"]) == set(CHANNELS)
    assert {schema_of(channel) for channel in DOCUMENT["channels"]} == set(SCHEMA_FILES)
    for channel in CHANNELS:
        assert channel_of(IDENTITY.topic(channel)) == channel


def test_every_reference_leads_somewhere():
    def walk(part):
        if isinstance(part, dict):
            if str(part.get("$ref", "")).startswith("#/"):
                target = DOCUMENT
                for step in part["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(DOCUMENT)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_everything_a_device_says_is_in_the_document(mosquitto, publisher, outbox, protocol):
    broker = mosquitto().start()
    heard = CommandInbox(outbox, IDENTITY, (CommandName.SEND_BUNDLE,), now=clock, clock_quality=lambda: True)
    with Subscriber(broker.port) as subscriber:
        running = publisher(broker.port, protocol=protocol, commands=heard)
        record(report(1, sample_id="Specimen-of-Jane"), outbox, IDENTITY, now=clock)
        keep_pictures(report(1), CELLS, outbox, IDENTITY, now=clock)
        running.post_health(status.health(IDENTITY, at=NOW, uptime_s=1.0, reports={}, measurements={}, faults=[]))
        assert wait_until(lambda: running.state.connected)
        subscriber.client.publish(IDENTITY.topic("command"), command(issued=clock()), qos=1)
        assert wait_until(heard.take)
        taken = heard.take()
        assert taken is not None
        heard.answer(taken, Outcome("done", "so it is"))
        assert wait_until(lambda: {channel_of(topic) for topic, _, _ in subscriber.messages} == set(CHANNELS))
        assert wait_until(lambda: len(subscriber.payloads("/cell")) == 3)
        running.stop()
        assert wait_until(lambda: len(subscriber.payloads("/status")) == 2)
    for topic, payload, _ in subscriber.messages:
        message = json.loads(payload)
        validate(message, schema_of(channel_of(topic)))
        assert "Jane" not in topic
    numbered = [json.loads(p) for topic, p, _ in subscriber.messages if not topic.endswith("/command")]
    stamps = [message.get("envelope", message) for message in numbered]
    sequences = [stamp["sequence"] for stamp in stamps]
    assert len(set(sequences)) == len(sequences)
    assert min(sequences) > 0
    assert {stamp["boot_id"] for stamp in stamps} == {IDENTITY.boot_id}
    assert all("clock_synchronised" in stamp for stamp in stamps)
    with Subscriber(broker.port, client_id="late") as late:
        assert wait_until(lambda: len(late.messages) == 2)
    assert {channel_of(topic) for topic, _, _ in late.messages} == {name for name in CHANNELS if retained(name)}


def test_every_reason_in_the_schema_is_one_the_code_gives_and_the_other_way_round():
    schema = json.loads(resources.files("leukoscope.messages").joinpath("result.v1.schema.json").read_text("utf-8"))
    got = set(schema["properties"]["reason"]["anyOf"][0]["enum"])
    device = Path(str(resources.files("leukoscope")))
    code = "".join((device / name).read_text("utf-8") for name in (
        "messages/command.py", "outbox/command_inbox.py", "service/remote_commands.py",
    ))  # fmt: skip
    assert {reason for reason in got if f'"{reason}"' not in code} == set()
    given = set(re.findall(r'Refusal\(\s*"(\w+)"', code)) | set(re.findall(r'Outcome\([^)]*, "(\w+)"\)', code))
    assert given <= got


def test_each_command_is_described_with_an_example_that_a_device_takes():
    described = DOCUMENT["channels"]["command"]["description"]
    examples = {one["name"]: one["payload"] for one in DOCUMENT["components"]["messages"]["command"]["examples"]}
    assert set(examples) == {name.value for name in CommandName}
    for name, payload in examples.items():
        assert f"`{name}`" in described
        assert read_command(json.dumps(payload).encode(), stored=False).name == name


def test_a_review_says_of_each_part_what_it_is_and_is_read_as_it_was_decided():
    (told,) = [one for one in DOCUMENT["components"]["messages"]["command"]["examples"] if one["name"] == "review"]
    command = read_command(json.dumps(told["payload"]).encode(), stored=False)
    review, finalise = decisions_of(command.arguments, command.by, command.id)
    assert (review.relabel, review.confirm, review.looked_at) == (
        {17: "blast"},
        frozenset({18}),
        frozenset({1, 2, 17, 18}),
    )
    assert (review.remarks, review.based_on) == ({"remark/platelets": "clumps"}, 1)
    assert (finalise.action, finalise.note, finalise.based_on) == (Action.FINALISE, "seen with Dr. Bo", 2)
    assert {one.by for one in (review, finalise)} == {"Dr. Ada"}
    assert arguments_of(command.arguments["report"], 1, [review, finalise]) == command.arguments
    for part in (told["payload"]["arguments"], *told["payload"]["arguments"]["steps"]):
        assert all(description_of(key) for key in part if key != "action")


def description_of(argument):
    """What the schema says of an argument of `review` or a part of a step."""
    schema = json.loads(resources.files("leukoscope.messages").joinpath("command.v1.schema.json").read_text("utf-8"))
    (review,) = [one["then"] for one in schema["allOf"] if one["if"]["properties"]["name"]["const"] == "review"]
    arguments = review["properties"]["arguments"]["properties"]
    return (arguments | arguments["steps"]["items"]["properties"])[argument].get("description", "")
