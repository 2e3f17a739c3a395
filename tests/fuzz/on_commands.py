"""What is said to a bench in words: remote commands, and codes from a scanner."""

import functools
import hashlib
import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import get_args

from evdev import ecodes

from leukoscope.controls import Identify
from leukoscope.controls.scancodes import Layout
from leukoscope.controls.scanner import Scanner, ScannerSettings
from leukoscope.displays.screens import draw
from leukoscope.displays.state import BrokerState, Guiding, Ready, Screen
from leukoscope.errors import ControlError, InvalidMessage, OutboxError
from leukoscope.messages.command import CommandName
from leukoscope.messages.json_format import from_bytes, to_bytes, validate
from leukoscope.messages.report import encode
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.service.sample_ids import SampleIds, Verdict
from leukoscope.service.sample_register import SampleRegister
from leukoscope.settings import SampleSettings
from leukoscope.specimen.sample import Provenance, Source
from leukoscope.specimen.sample_id import why_not_an_id
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.rules.rules_settings import RulesSettings
from tests.controls.scanner_wire import ScannerWire
from tests.fuzz.mutations import as_json, spoil_tree
from tests.fuzz.target import Target, of_bytes, of_json
from tests.messages.examples import IDENTITY, NOW, PROVENANCE, report
from tests.messages.test_commands import UNDER_WAY, command

_WORDS = ("\ud800", "\u202e\u2066abc", "S-1\u2028", "/etc/passwd", "..", "../bench.toml", ".", "-", "x" * 64, "\x85")
_REPLY_TOPICS = (None, "lab/answers", "", "#", "+/a", "$SYS/x", "a\0b", IDENTITY.topic("report"), "t" * 300)


@functools.cache
def _commands() -> Sequence[bytes]:
    of_mode = {CommandName.SET_RULES: {"arguments": {"file": "blood.toml"}}}
    # Steps of reports want a report: tests/web and tests/messages try them.
    names = [name for name in CommandName if name is not CommandName.REVIEW]
    return [command(f"c-{name}", name.value, **of_mode.get(name, {})) for name in names]


def _spoilt_command(rng: Random) -> bytes:
    """One in five has a nasty word where a schema allows words."""
    if rng.random() > 0.2:
        return of_json(_commands)(rng)
    message = json.loads(rng.choice(_commands()))
    place = rng.choice(("id", "by", "arguments", "arguments"))
    message[place] = {key: rng.choice(_WORDS) for key in message[place]} if place == "arguments" else rng.choice(_WORDS)
    return as_json(spoil_tree(message, rng) if rng.random() < 0.2 else message)


def _read_command(content: bytes, folder: Path) -> None:
    """As the publisher hears it and the service does it; a refusal must be a valid result that says why."""
    near = folder / "settings"
    near.mkdir()
    chance = hashlib.sha256(content).digest()
    with Outbox.open(folder / "outbox.sqlite") as outbox:
        heard = CommandInbox(outbox, IDENTITY, tuple(CommandName), now=lambda: NOW, clock_quality=lambda: True)
        for _ in range(2):
            # The second time it is a repetition, which is answered and never done again.
            heard.receive(
                content, stored=chance[0] < 10, reply_to=_REPLY_TOPICS[chance[1] % 9], correlation=chance[2:9]
            )
        begun = _done(heard, near)
        replies = heard.replies()
        assert heard.take() is None
        results = [from_bytes(reply.payload) for reply in replies]
        for reply, result in zip(replies, results, strict=True):
            validate(result, "leukoscope/result/1")
            assert reply.reply_to in (None, "lab/answers")
            assert result["text"].strip()
    assert results, "every command is answered"
    assert len(begun) == sum(one["outcome"] == "done" and one["name"] == "start_sample" for one in results) <= 1
    for sample_id in begun:
        _lives_on(sample_id, folder)
    if results[0]["outcome"] != "done":
        raise InvalidMessage(results[0]["text"], "send another")


class _Device:
    """Between samples; begins one when it is asked to."""

    def __init__(self) -> None:
        self.rules = _blood()
        self.begun: list[str] = []

    @property
    def in_sample(self) -> bool:
        return bool(self.begun)

    def provenance(self) -> Provenance:
        return PROVENANCE

    def why_full(self) -> OutboxError | None:
        return None

    def objection(self, sample_id: str) -> str | None:
        return why_not_an_id(sample_id)

    def used_before(self, sample_id: str) -> bool:
        return False

    def start_sample(self, sample_id: str) -> str:
        self.begun.append(sample_id)
        return report(1).id

    def use_rules(self, rules: Rules) -> None:
        self.rules = rules

    def restart(self) -> None:
        pass


class _UnderWay:
    """The sample that examples of commands speak of, being counted."""

    report_under_way = UNDER_WAY
    counting = False

    def pause_sample(self) -> None:
        pass

    def resume_sample(self) -> None:
        pass

    def finish_sample(self) -> None:
        pass

    def discard_sample(self) -> None:
        pass


def _done(heard: CommandInbox, near: Path) -> list[str]:
    """Do what waits, through the code that the service does it with; returns the samples begun."""
    device = _Device()
    RemoteCommands(near, heard, device, under_way=_UnderWay()).carry_out()
    return device.begun


@functools.cache
def _blood() -> Rules:
    return RulesSettings().open(None, "blood")


def _lives_on(sample_id: str, folder: Path) -> None:
    """A specimen's name is shown, noted and reported."""
    screens: tuple[Screen, ...] = (
        Ready(sample_id, BrokerState.CONNECTED, Source.LIVE),
        Guiding("Used before", "Once more to count it again", sample_id, None, Source.LIVE),
    )
    for screen in screens:
        draw(screen, (128, 64), monochrome=True)
        draw(screen, (240, 240), monochrome=False)
    SampleRegister(folder / "samples.jsonl").note("begun", sample_id, {})
    assert SampleRegister(folder / "samples.jsonl").knows(sample_id)
    message = encode(report(1, sample_id=sample_id), boot_id="boot-1", sequence=7, sent_clock=NOW)
    assert from_bytes(to_bytes(message))["sample"]["sample_id"] == sample_id


_EVENT = struct.Struct("llHHi")
"""struct input_event of linux/input.h on a 64-bit kernel, which evdev reads."""


@functools.cache
def _scans() -> Sequence[bytes]:
    """What the kernel tells while codes are scanned, with the keyboard's layout before it."""
    scans = []
    for number, code in enumerate(("LAB-2026/0417.Ab", "123456789012", "a b-c")):
        wire = ScannerWire()
        wire.connect("scanner")
        wire.scan(code)
        scans.append(bytes([number]) + os.read(wire.devices[0].fd, 65536))
        wire.unplug()
        wire.devices[0].close()
    return scans


def _spoilt_scan(rng: Random) -> bytes:
    """Half of the cases are whole events of keys that a keyboard has, in any order."""
    if rng.random() < 0.5:
        return of_bytes(_scans)(rng)
    keys = [_EVENT.pack(0, 0, ecodes.EV_KEY, rng.randrange(0, 128), rng.choice((0, 1, 1, 1, 2))) for _ in range(90)]
    enter = _EVENT.pack(0, 0, ecodes.EV_KEY, ecodes.KEY_ENTER, 1)
    return bytes([rng.randrange(256)]) + b"".join(keys[: rng.randrange(90)]) + enter


def _read_scan(content: bytes, folder: Path) -> None:
    """Valid where a code was read that names a specimen; that is then shown, noted and reported."""
    layouts = get_args(Layout)
    wire = ScannerWire()
    settings = ScannerSettings(device=folder / "scanner", layout=layouts[(content or b"\0")[0] % len(layouts)])
    scanner = Scanner(settings, wire.connect, lambda: 0.0)
    names = SampleIds(SampleSettings(), SampleRegister(folder / "samples.jsonl"))
    verdicts = []
    try:
        # The kernel gives whole events or none, and no more than a pipe holds.
        whole = content[1:60_000]
        wire.write(whole[: len(whole) // _EVENT.size * _EVENT.size])
        while (said := scanner.poll()) is not None:
            assert isinstance(said, Identify) and said.complete
            verdicts.append(names.offer(said.sample_id, 0.0))
            screen = Guiding("Not an id", "Scan or type it again", said.sample_id, None, Source.LIVE)
            draw(screen, (128, 64), monochrome=True)
            if verdicts[-1] is not Verdict.NOT_AN_ID and len(verdicts) < 4:
                _lives_on(said.sample_id, folder)
    finally:
        scanner.close()
        wire.unplug()
    if Verdict.TAKEN not in verdicts:
        raise ControlError("no code that is an id was scanned", "scan another")


COMMAND_TARGETS = (
    Target("commands", _spoilt_command, _read_command, _commands, 0.5),
    Target("barcodes", _spoilt_scan, _read_scan, _scans, 0.5),
)
