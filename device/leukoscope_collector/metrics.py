"""The figures Prometheus asks for."""

import json
from collections.abc import Iterable
from datetime import datetime
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from leukoscope.errors import SettingsError
from leukoscope_collector.collector_settings import MetricsSettings
from leukoscope_collector.judging import Accepted, DeviceStatus
from leukoscope_collector.report_store import Kept

_DEVICE = ("site", "device")
_MOST_DEVICES = 10_000
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Counters of one collector; names begin with `leukoscope_collector_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        prefix = "leukoscope_collector_"
        self.reports = Counter(
            prefix + "reports", "Messages by what became of them", ["outcome"], registry=self.registry
        )
        for outcome in ("stored", "duplicate", "conflict", "quarantined"):
            self.reports.labels(outcome)
        self.foreign = Counter(
            prefix + "origin_mismatches",
            "Reports quarantined because their id belongs to another device",
            registry=self.registry,
        )
        self.critical = Counter(
            prefix + "critical_reports",
            "Reports stored with a finding that need a telephone call",
            registry=self.registry,
        )
        self.seen = Gauge("leukoscope_device_last_seen_seconds", "When it last spoke", _DEVICE, registry=self.registry)
        self.online = Gauge("leukoscope_device_online", "1 when it is connected", _DEVICE, registry=self.registry)
        self.pending = Gauge(
            "leukoscope_device_reports_waiting", "Reports in its outbox", _DEVICE, registry=self.registry
        )
        self.faults = Gauge("leukoscope_device_faults", "Faults it tells of", _DEVICE, registry=self.registry)
        self._devices: set[tuple[str, str]] = set()
        self.pictures = Counter(prefix + "pictures", "Pictures of white cells stored", registry=self.registry)
        self.answers = Counter(prefix + "answers", "Answers to commands stored", registry=self.registry)
        self.commits = Histogram(
            prefix + "commit_seconds", "Time to judge and store a batch", buckets=_SECONDS, registry=self.registry
        )
        self.batches = Histogram(
            prefix + "batch_messages",
            "Messages in a batch",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
            registry=self.registry,
        )
        self.connected = Gauge(prefix + "broker_connected", "1 when the broker is there", registry=self.registry)
        self.store_up = Gauge(prefix + "store_up", "1 when the store is there", registry=self.registry)
        self.waiting = Gauge(prefix + "waiting_messages", "Received and not yet stored", registry=self.registry)
        self.failures = Counter(prefix + "failures", "Trouble, by who made it", ["who"], registry=self.registry)
        for who in ("broker", "store"):
            self.failures.labels(who)

    def note(self, accepted: Iterable[Accepted], at: datetime) -> None:
        """What devices said about themselves, and that they spoke; of the first devices up to a bound."""
        for one in accepted:
            device = (one.site, one.device)
            if device not in self._devices and len(self._devices) >= _MOST_DEVICES:
                continue
            self._devices.add(device)
            if not isinstance(one, DeviceStatus):
                self.seen.labels(*device).set(at.timestamp())
            elif one.kind == "status":
                self.online.labels(*device).set(one.state == "online")
            else:
                self.seen.labels(*device).set(at.timestamp())
                health = json.loads(one.payload)
                self.pending.labels(*device).set(health["reports"].get("pending", 0))
                self.faults.labels(*device).set(len(health["faults"]))

    def count(self, kept: Kept) -> None:
        """Add what became of a batch."""
        self.reports.labels("stored").inc(kept.stored)
        self.reports.labels("duplicate").inc(kept.duplicates)
        self.reports.labels("conflict").inc(kept.conflicts)
        self.reports.labels("quarantined").inc(kept.quarantined)
        self.critical.inc(kept.critical)
        self.foreign.inc(kept.foreign)
        self.pictures.inc(kept.pictures)
        self.answers.inc(kept.answers)

    def serve(self, settings: MetricsSettings) -> tuple[WSGIServer, Thread] | None:
        """Answer Prometheus from a thread of its own.

        Returns:
            The server and its thread; None when the settings want none.

        Raises:
            SettingsError: the port is taken.
        """
        if not settings.port:
            return None
        try:
            return start_http_server(settings.port, settings.host, registry=self.registry)
        except OSError as error:
            raise SettingsError(
                f"metrics cannot be served at {settings.host}:{settings.port} ({error.strerror})",
                "give each collector a --metrics-port of its own",
            ) from error
