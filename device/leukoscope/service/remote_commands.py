"""Does what was commanded from afar, as far as the device's life allows it just now."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from leukoscope.errors import LeukoscopeError
from leukoscope.instrument import Sample
from leukoscope.messages.command import Command, CommandName, Outcome
from leukoscope.service.bench import Bench
from leukoscope.settings import RulesSettings
from leukoscope.specimen.sample_id import why_not_an_id
from leukoscope.statistics.rules import Rules


@dataclass(frozen=True, slots=True)
class StartSample:
    """Begin to count a specimen of this name, as a press of the button would."""

    sample_id: str


@dataclass(frozen=True, slots=True)
class UseRules:
    """Use these from the next sample on."""

    rules: Rules


@dataclass(frozen=True, slots=True)
class Restart:
    """Leave and start again."""


Wish = StartSample | UseRules | Restart


class RemoteCommands:
    """Reads commands, has the service grant what they ask for, and answers them."""

    def __init__(
        self,
        near: Path,
        bench: Callable[[], Bench],
        sample: Callable[[], Sample | None],
        full: Callable[[], str | None],
        objection: Callable[[str], str | None] = why_not_an_id,
        used_before: Callable[[str], bool] = lambda sample_id: False,
    ) -> None:
        """Stand between commands and service.

        Args:
            near: the folder of the settings file, where rules are looked up first.
            bench: what is in force now.
            sample: what is being counted now.
            full: why no new sample can be taken in; None when one can.
            objection: why no specimen may be called so; None when it may.
            used_before: whether a sample of this name was begun before.
        """
        self._near = near
        self._bench = bench
        self._sample = sample
        self._full = full
        self._objection, self._used_before = objection, used_before

    def wishes(self) -> Iterator[Wish]:
        """What is to be done now; each is granted before the next is asked for, and answered then.

        Raises:
            OutboxError: an answer cannot be written.
        """
        commands = self._bench().commands
        while (order := commands.take()) is not None:
            try:
                wish = self._wish_of(order)
            except LeukoscopeError as error:
                commands.answer(order, Outcome("refused", str(error), "rules"))
                continue
            if isinstance(wish, Outcome):
                commands.answer(order, wish)
                continue
            yield wish
            commands.answer(order, self._outcome_of(wish))

    def _wish_of(self, order: Command) -> Wish | Outcome:
        """What is to be granted, or the answer where there is nothing to grant.

        Raises:
            SettingsError: there are no such rules, they are malformed, or for another mode.
        """
        busy = self._sample() is not None
        match order.name:
            case CommandName.START_SAMPLE:
                full = self._full()
                if busy or full:
                    return _busy("a sample is being counted") if busy else Outcome("refused", str(full), "full")
                return self._start(order.arguments["sample_id"], again=order.arguments.get("again", False))
            case CommandName.SET_RULES:
                mode = self._bench().rules.mode
                return UseRules(RulesSettings(file=order.arguments["file"]).open(self._near, mode))
            case CommandName.RESTART:
                return _busy("a sample is being counted: it would be cut short") if busy else Restart()
            case CommandName.SEND_BUNDLE:
                return Outcome(
                    "done", "this is what the next report would be made with", in_force=_in_force(self._bench())
                )

    def _start(self, sample_id: str, *, again: bool) -> Wish | Outcome:
        """The same judgement as of a scanned id; who sends a used one has to say that this is meant."""
        if (wrong := self._objection(sample_id)) is not None:
            return Outcome("refused", f"sample_id: {wrong}, found {sample_id!r}", "malformed")
        if self._used_before(sample_id) and not again:
            text = f"a sample of the name {sample_id!r} was counted before: say again = true if this is meant"
            return Outcome("refused", text, "used_before")
        return StartSample(sample_id)

    def _outcome_of(self, wish: Wish) -> Outcome:
        match wish:
            case StartSample(sample_id):
                sample = self._sample()
                if sample is None:
                    return Outcome("failed", "counting did not begin; the display says why", "fault")
                return Outcome("done", f"{sample_id} is being counted", report=sample.report_id)
            case UseRules(rules):
                text = f"rules {rules.id} {rules.version} hold from the next sample on, until the device starts again"
                return Outcome("done", text)
            case Restart():
                return Outcome("done", "the device leaves and starts again")


def _busy(text: str) -> Outcome:
    return Outcome("refused", text, "busy")


def _in_force(bench: Bench) -> dict[str, object]:
    made = asdict(bench.provenance())
    names = ("software_version", "segmenter", "classifier", "calibration_id", "calibration_measured")
    return {**{name: made[name] for name in names}, "rules": asdict(bench.rules.identity)}
