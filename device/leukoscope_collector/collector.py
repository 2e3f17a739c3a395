"""From broker to store: judged, committed, and only then acknowledged."""

import logging
import threading
import time
from collections.abc import Sequence
from random import Random

from leukoscope.delivery.mqtt.backoff import Backoff
from leukoscope.delivery.mqtt.broker_nodes import BrokerNodes
from leukoscope.errors import BrokerError
from leukoscope.system.clock import Clock
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.intake import Delivery, Intake
from leukoscope_collector.judging import Accepted, Suspect, judge
from leukoscope_collector.metrics import Metrics
from leukoscope_collector.report_store import Kept, Store, StoreRefuses, StoreUnavailable

_TURN_S = 0.2
_FIRST_RETRY_S = 0.25
_LOGGED_SUSPECTS = 5
"""Of one batch; a flood of rubbish must not fill the journal."""

_log = logging.getLogger(__name__)


class Collector:
    """One instance; others of the same group beside it share the work.

    It holds nothing that could be lost: what is not committed is not acknowledged, and what is not
    acknowledged stays at the broker. When the store fails it lets go of the broker as well, waits,
    and comes back to the same session.
    """

    def __init__(self, settings: CollectorSettings, metrics: Metrics, *, now: Clock, rng: Random) -> None:
        self._settings = settings
        self._metrics = metrics
        self._now = now
        self._backoff = Backoff(_FIRST_RETRY_S, settings.longest_retry_s, rng)
        self._nodes = BrokerNodes(settings.broker, rng)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the batch in hand; safe to call from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Collect until stopped.

        Raises:
            SettingsError: the store was made by a newer collector, or a password cannot be read.
        """
        while not self._stopping.is_set():
            try:
                self._collect()
            except StoreUnavailable as error:
                self._tell("store", error)
            except BrokerError as error:
                self._tell("broker", error)
                self._nodes.try_next()
            finally:
                self._metrics.connected.set(0)
                self._metrics.store_up.set(0)
                self._metrics.waiting.set(0)
            self._stopping.wait(self._backoff.next_s())

    def check(self) -> None:
        """Connect to both once.

        Raises:
            StoreUnavailable, BrokerError: the one that does not answer; every node of a cluster has to.
        """
        self._settings.store.open().close()
        for node in self._settings.broker.nodes():
            intake = node.open(self._settings.share, self._stopping.is_set)
            try:
                intake.leave()
            finally:
                intake.close()

    def _collect(self) -> None:
        # The store comes first: while it is away, the broker is the better place for the reports.
        store = self._settings.store.open()
        intake: Intake | None = None
        try:
            self._metrics.store_up.set(1)
            broker = self._nodes.current
            intake = broker.open(self._settings.share, self._stopping.is_set)
            self._metrics.connected.set(1)
            _log.info("collecting from %s into %s", broker.where, self._settings.store.where)
            while not self._stopping.is_set():
                self._take_batch(intake, store)
            intake.leave()
        finally:
            store.close()
            if intake is not None:
                intake.close()

    def _take_batch(self, intake: Intake, store: Store) -> None:
        intake.poll(_TURN_S)
        if not intake.waiting:
            return
        full = min(self._settings.batch, self._settings.receive_maximum)
        until = time.monotonic() + self._settings.linger_s
        while intake.waiting < full and (left_s := until - time.monotonic()) > 0:
            intake.poll(left_s)
        self._metrics.waiting.set(intake.waiting)
        batch = intake.take(full)
        began = time.monotonic()
        kept = self._store(batch, store)
        self._metrics.commits.observe(time.monotonic() - began)
        self._metrics.batches.observe(len(batch))
        self._metrics.count(kept)
        intake.acknowledge(batch)
        self._metrics.waiting.set(intake.waiting)
        self._backoff.reset()

    def _store(self, batch: Sequence[Delivery], store: Store) -> Kept:
        accepted, suspects = self._judge(batch)
        for suspect in suspects[:_LOGGED_SUSPECTS]:
            _log.warning("quarantined: %s: %s", suspect.topic, suspect.reason)
        if len(suspects) > _LOGGED_SUSPECTS:
            _log.warning("quarantined: %d more", len(suspects) - _LOGGED_SUSPECTS)
        try:
            kept = store.keep(accepted, suspects, self._now())
        except StoreRefuses as error:
            if len(batch) == 1:
                return self._quarantine(batch[0], str(error), store)
            # One message that the database refuses must not hold up the others, nor come back for ever.
            each = [self._store([delivery], store) for delivery in batch]
            return sum(each, Kept())
        self._metrics.note(accepted, self._now())
        if kept.critical:
            _log.warning("%d reports with a critical finding were stored: see --critical", kept.critical)
        if kept.foreign:
            _log.warning(
                "%d reports came under an id that belongs to another device and are in quarantine: see --show",
                kept.foreign,
            )
        if kept.conflicts:
            _log.warning(
                "%d reports have an id and version that are stored with other content: see conflict", kept.conflicts
            )
        return kept

    def _judge(self, batch: Sequence[Delivery]) -> tuple[list[Accepted], list[Suspect]]:
        accepted, suspects = list[Accepted](), list[Suspect]()
        settings = self._settings
        for delivery in batch:
            match judge(
                delivery.topic,
                delivery.payload,
                topic_root=settings.topic_root,
                largest=settings.largest_report,
                cut_from=delivery.cut_from,
            ):
                case Suspect() as suspect:
                    # A retained message that was cleared, as a device that is taken out of service leaves it.
                    if delivery.payload:
                        suspects.append(suspect)
                case fit:
                    accepted.append(fit)
        return accepted, suspects

    def _quarantine(self, delivery: Delivery, reason: str, store: Store) -> Kept:
        return store.keep([], [Suspect(delivery.topic, delivery.payload, reason)], self._now())

    def _tell(self, who: str, error: Exception) -> None:
        if not self._stopping.is_set():
            self._metrics.failures.labels(who).inc()
            _log.warning("%s; trying again", error)
