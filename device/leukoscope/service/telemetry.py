"""Sends health messages, and follows the last report until it is acknowledged."""

from collections.abc import Callable
from datetime import datetime

from leukoscope.errors import OutboxError
from leukoscope.messages.status import health
from leukoscope.outbox.entry import Key
from leukoscope.outbox.quota import Quota
from leukoscope.service.bench import Bench
from leukoscope.service.presenter import Presenter
from leukoscope.specimen.sample import SampleReport
from leukoscope.system.host import measurements, uptime_s

HEALTH_S = 60.0
"""Seconds between health messages."""
RESULT_S = 3.0
"""How long the result stands before the screen says what became of the report."""
FLUSH_S = 15.0
"""How long a program that is to leave waits for its reports to be acknowledged."""


class Telemetry:
    """Wakes the sink and shows whether the last report was sent; an unreadable outbox is shown as a fault."""

    def __init__(
        self,
        bench: Bench,
        quota: Quota,
        presenter: Presenter,
        now: Callable[[], datetime],
        clock_s: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._bench, self._quota, self._presenter = bench, quota, presenter
        self._now, self._clock_s, self._sleep = now, clock_s, sleep
        self._health_at_s = -HEALTH_S
        self._last: tuple[SampleReport, Key, float] | None = None

    def turn(self) -> None:
        """Post the device's health when it is due."""
        if self._clock_s() - self._health_at_s >= HEALTH_S:
            self._post_health()

    def send(self, report: SampleReport, key: Key) -> None:
        """This report is in the outbox."""
        self._bench.sink.wake()
        self._post_health()
        self._last = (report, key, self._clock_s())

    def forget(self) -> None:
        """Another sample is begun; say no more about the last report."""
        self._last = None

    def publish(self) -> None:
        """Show what became of the last report, once its result has been seen."""
        if self._last is None or self._clock_s() - self._last[2] < RESULT_S:
            return
        try:
            if full := self._quota.why_full(self._now()):
                raise full
            self._presenter.delivery(*self._last[:2])
        except OutboxError as error:
            self._presenter.fault(error)

    def leave(self) -> None:
        """Wait a while for the broker, and show what became of the last report."""
        if self._last is None:
            return
        shown_for_s = self._clock_s() - self._last[2]
        self._bench.sink.flush(FLUSH_S)
        self._sleep(max(0.0, RESULT_S - shown_for_s))
        self.publish()

    def _post_health(self) -> None:
        self._health_at_s = self._clock_s()
        try:
            counts = self._bench.outbox.counts()
        except OutboxError as error:
            # A store that cannot be read now shows a fault, and must not end the counting.
            self._presenter.fault(error)
            return
        self._bench.sink.post_health(
            health(
                self._bench.identity,
                at=self._now(),
                uptime_s=uptime_s(),
                reports={"pending": counts.pending, "sent": counts.sent, "refused": counts.refused},
                measurements=measurements(self._bench.settings.storage.folder),
                faults=[
                    *dict.fromkeys((*self._bench.faults, *self._presenter.faults)),
                    *self._presenter.alarms(),
                ],
            )
        )
