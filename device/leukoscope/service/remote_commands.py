"""Carries out what is commanded over MQTT or on the page in the browser, or refuses it."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from leukoscope.errors import LeukoscopeError, OutboxError, ReviewError, SettingsError
from leukoscope.messages.command import Command, CommandName, Outcome, Refusal
from leukoscope.messages.error_sentence import sentence_of
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.reviewing.desk import Desk
from leukoscope.reviewing.from_afar import decisions_of
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.specimen.sample import Provenance
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.rules.rules_settings import RulesSettings


class Commandable(Protocol):
    """What a command can ask of the device, and what decides whether it may."""

    @property
    def rules(self) -> Rules:
        """In force from the next sample on."""

    @property
    def in_sample(self) -> bool:
        """Whether a sample is being counted or paused."""

    def provenance(self) -> Provenance:
        """The origin of a report made now."""

    def why_full(self) -> OutboxError | None:
        """Why the outbox has no room for another report; None when it has."""

    def objection(self, sample_id: str) -> str | None:
        """Why no specimen may be called so at this site; None when it may."""

    def used_before(self, sample_id: str) -> bool:
        """Whether a sample of this name was begun and not discarded."""

    def start_sample(self, sample_id: str) -> str:
        """Begin to count; returns the id that the report will have.

        Raises:
            LeukoscopeError: a part failed.
        """

    def use_rules(self, rules: Rules) -> None:
        """Judge by these from the next sample on, until the device starts again."""

    def restart(self) -> None:
        """Leave and start again."""


class SampleUnderWay(Protocol):
    """What a command can ask of the sample that is being counted or paused."""

    @property
    def report_under_way(self) -> str | None:
        """The id of the report that the sample being counted or paused will have; None without one."""

    def pause_sample(self) -> None:
        """Look at nothing more until it is resumed."""

    def resume_sample(self) -> None:
        """Go on with a sample that is paused."""

    def finish_sample(self) -> None:
        """Report what is counted so far.

        Raises:
            LeukoscopeError: the report cannot be kept.
        """

    @property
    def counting(self) -> bool:
        """It is being counted, not paused."""

    def discard_sample(self) -> None:
        """Throw it away; nothing of it is reported."""


class RemoteCommands:
    """Takes commands from the inbox, one after the other, and answers each once it is done or refused."""

    def __init__(
        self,
        near: Path,
        inbox: CommandInbox,
        device: Commandable,
        desk: Desk | None = None,
        wake: Callable[[], None] = lambda: None,
        under_way: SampleUnderWay | None = None,
    ) -> None:
        """Carry out what an inbox hears.

        Args:
            near: the folder of the settings file, where rules are looked up first.
            inbox: where commands come in.
            device: what does them.
            desk: where steps of reports are taken; None: here they are not.
            wake: says that a new version waits to be sent.
            under_way: what pauses, resumes and finishes a sample; None: here none can be under way.
        """
        self._near, self._inbox, self._device = near, inbox, device
        self._desk, self._wake, self._under_way = desk, wake, under_way

    def carry_out(self) -> None:
        """Do every command that waits.

        Raises:
            OutboxError: an answer cannot be written.
            LeukoscopeError: a part failed while a sample began; the command is answered as failed.
        """
        while (command := self._inbox.take()) is not None:
            try:
                outcome = self._done(command)
            except Refusal as refusal:
                outcome = Outcome("refused", refusal.text, refusal.reason)
            except LeukoscopeError as error:
                self._inbox.answer(command, Outcome("failed", sentence_of(error), "fault"))
                raise
            self._inbox.answer(command, outcome)

    def _done(self, command: Command) -> Outcome:
        match command.name:
            case CommandName.START_SAMPLE:
                return self._start(command.arguments["sample_id"], again=command.arguments.get("again", False))
            case (
                CommandName.PAUSE_SAMPLE
                | CommandName.RESUME_SAMPLE
                | CommandName.FINISH_SAMPLE
                | CommandName.DISCARD_SAMPLE
            ):
                return self._go_on(command.name, command.arguments["report"])
            case CommandName.SET_RULES:
                return self._set_rules(command.arguments["file"])
            case CommandName.RESTART:
                if self._device.in_sample:
                    raise Refusal("busy", "a sample is being counted: it would be cut short")
                self._device.restart()
                return Outcome("done", "the device leaves and starts again")
            case CommandName.REVIEW:
                return self._review(command)
            case CommandName.SEND_BUNDLE:
                return Outcome("done", "this is what the next report would be made with", in_force=self._in_force())

    def _review(self, command: Command) -> Outcome:
        """Take a person's steps; the device is the only one that makes versions of its reports."""
        if self._desk is None:
            raise Refusal("not_allowed", "steps of reports are not taken here")
        report = command.arguments["report"]
        if self._desk.version_by(command.id) is None:
            self._inbox.check_valid(command)
        try:
            done = self._desk.take_all(report, decisions_of(command.arguments, command.by, command.id))
        except ReviewError as error:
            return Outcome("refused", sentence_of(error), "review", report=report)
        except LeukoscopeError as error:
            # What is wrong with a report must not end the sample that is counted meanwhile.
            return Outcome("failed", sentence_of(error), "fault", report=report)
        self._wake()
        version = self._desk.version_by(command.id)
        text = done.unfiled or Sentence("version {version} of the report is made", version=version)
        return Outcome("done", text, report=report, version=version)

    def _start(self, sample_id: str, *, again: bool) -> Outcome:
        """Ids are judged as scanned ones are; instead of a second scan, `again` allows one that was used before."""
        if self._device.in_sample:
            raise Refusal("busy", "a sample is being counted")
        if (full := self._device.why_full()) is not None:
            raise Refusal("full", sentence_of(full))
        if (wrong := self._device.objection(sample_id)) is not None:
            raise Refusal(
                "malformed",
                Sentence("sample_id: {wrong}, found {found}", wrong=wrong, found=Verbatim(repr(sample_id))),
            )
        if self._device.used_before(sample_id) and not again:
            text = Sentence(
                "a sample of the name {name} was counted before: say again = true if this is meant",
                name=Verbatim(repr(sample_id)),
            )
            raise Refusal("used_before", text)
        report_id = self._device.start_sample(sample_id)
        return Outcome("done", Sentence("{sample} is being counted", sample=Verbatim(sample_id)), report=report_id)

    def _go_on(self, name: CommandName, report: str) -> Outcome:
        if self._under_way is None or self._under_way.report_under_way != report:
            raise Refusal("no_sample", "this sample is not under way any more: look at what the device does now")
        match name:
            case CommandName.PAUSE_SAMPLE:
                self._under_way.pause_sample()
                return Outcome("done", "it is paused", report=report)
            case CommandName.RESUME_SAMPLE:
                self._under_way.resume_sample()
                return Outcome("done", "it is being counted", report=report)
            case CommandName.DISCARD_SAMPLE:
                if self._under_way.counting:
                    raise Refusal("busy", "it is being counted: pause it before it is thrown away")
                self._under_way.discard_sample()
                return Outcome("done", "it is thrown away; nothing of it is reported", report=report)
            case _:
                self._under_way.finish_sample()
                return Outcome("done", "it is finished, and its report is kept", report=report)

    def _set_rules(self, file: str) -> Outcome:
        try:
            rules = RulesSettings(file=file).open(self._near, self._device.rules.mode)
        except SettingsError as error:
            raise Refusal("rules", sentence_of(error)) from error
        self._device.use_rules(rules)
        text = Sentence(
            "rules {rules} hold from the next sample on, until the device starts again",
            rules=Verbatim(f"{rules.id} {rules.version}"),
        )
        return Outcome("done", text)

    def _in_force(self) -> dict[str, object]:
        made = asdict(self._device.provenance())
        names = ("software_version", "segmenter", "classifier", "calibration_id", "calibration_measured")
        return {**{name: made[name] for name in names}, "rules": asdict(self._device.rules.identity)}
