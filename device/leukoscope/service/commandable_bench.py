"""What commands may ask of a running bench, whether they came over MQTT or from the page in the browser."""

from collections.abc import Callable

from leukoscope.errors import OutboxError
from leukoscope.outbox.quota import Quota
from leukoscope.service.bench import Bench
from leukoscope.service.next_sample import NextSample
from leukoscope.service.presenter import Presenter
from leukoscope.service.sample_log import SampleLog
from leukoscope.service.sample_sequence import SampleSequence
from leukoscope.specimen.sample import Provenance
from leukoscope.statistics.rules import Rules
from leukoscope.system.clock import Clock


class CommandableBench:
    """`Commandable` and `SampleUnderWay` of `remote_commands`; a press of the start button asks it, too."""

    def __init__(
        self,
        bench: Bench,
        samples: SampleSequence,
        sample_log: SampleLog,
        next_sample: NextSample,
        quota: Quota,
        presenter: Presenter,
        *,
        now: Clock,
        restart: Callable[[], None],
    ) -> None:
        """`restart` makes the device leave and start again."""
        self._bench, self._samples, self._sample_log, self._next = bench, samples, sample_log, next_sample
        self._quota, self._presenter, self._now, self._restart = quota, presenter, now, restart

    @property
    def rules(self) -> Rules:
        """In force from the next sample on; a sample keeps those it began with."""
        return self._samples.rules

    @property
    def in_sample(self) -> bool:
        """Whether a sample is being counted or paused."""
        return self._samples.under_way is not None

    @property
    def report_under_way(self) -> str | None:
        """The id of the report that the sample being counted or paused will have; None without one."""
        sample = self._samples.sample
        return None if sample is None else sample.report_id

    @property
    def counting(self) -> bool:
        """A sample is being counted, not paused."""
        return self._samples.counting

    def provenance(self) -> Provenance:
        """The origin of a report made now."""
        return self._bench.provenance()

    def why_full(self) -> OutboxError | None:
        """Why the outbox has no room for another report; None when it has."""
        return self._quota.why_full(self._now())

    def objection(self, sample_id: str) -> str | None:
        """Why no specimen may be called so at this site; None when it may."""
        return self._sample_log.objection(sample_id)

    def used_before(self, sample_id: str) -> bool:
        """Whether a sample of this name was begun and not discarded."""
        return self._sample_log.used_before(sample_id)

    def start_sample(self, sample_id: str) -> str:
        """Begin to count; returns the id that the report will have."""
        self._presenter.answered()
        self._next.forget()
        return self._samples.start(sample_id)

    def pause_sample(self) -> None:
        """Look at nothing more until it is resumed."""
        self._samples.pause()

    def resume_sample(self) -> None:
        """Go on with a sample that is paused."""
        self._samples.go_on()

    def finish_sample(self) -> None:
        """Report what is counted so far."""
        self._samples.finish("technician")

    def discard_sample(self) -> None:
        """Throw the sample away; nothing of it is reported."""
        self._samples.discard()

    def use_rules(self, rules: Rules) -> None:
        """Judge by these from the next sample on."""
        self._samples.rules = rules

    def restart(self) -> None:
        """Leave at the next turn and start again."""
        self._restart()
