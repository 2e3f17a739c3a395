"""Runs the real service on the bench of a soak and measures after each sample."""

import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import tomli_w

from embedded_broker import Address
from leukoscope.displays.panel import Panel
from leukoscope.service.loop import Service
from leukoscope.service.opening import open_bench
from leukoscope.settings import BenchSettings
from leukoscope.system.watchdog import Watchdog
from soaking.bench import BENCH, GLASSES, Hand, Walk
from soaking.measuring import Gauge, Lines, Sizes, gauge
from soaking.result import Soaked

WARM_UP_SHARE = 0.2
LEAST_WARM_UP = 3
"""Samples; runtimes and caches fill up during the first."""


def soak(
    folder: Path,
    samples: int,
    fields: int,
    broker: Address,
    tell: Callable[[int, Gauge], None] = lambda done, now: None,
) -> Soaked:
    """Run the service on a bench in this folder.

    Args:
        folder: where its state lies.
        samples: how many are counted.
        fields: looked at in each.
        broker: takes the reports.
        tell: hears after each sample how many are done and what the process has.

    Raises:
        LeukoscopeError: a part failed.
    """
    bench_file = folder / "bench.toml"
    own = {
        "displays": [{"driver": "snapshot", "folder": f"{folder}/screens", "keep": 1}],
        "storage": {"folder": f"{folder}/state"},
        "reporting": {"driver": "mqtt", "host": broker.host, "port": broker.port, "protocol": "3.1.1"},
    }
    bench_file.write_text(tomli_w.dumps(BENCH | own), "utf-8")
    settings = BenchSettings.read(bench_file)
    warm_up = max(LEAST_WARM_UP, round(WARM_UP_SHARE * samples))
    lines, gauges, sizes = Lines(), list[Gauge](), Sizes(settings.storage.folder)

    def after(done: int) -> None:
        gauges.append(gauge(lines.number))
        if done == warm_up:
            sizes.grown.clear()
        tell(done, gauges[-1])

    log = logging.getLogger("leukoscope")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(lines)
    try:
        with open_bench(settings, folder, Watchdog.of_this_process()) as bench:
            walk = Walk(settings.camera, bench.camera)
            hand = Hand(samples, fields, walk, sizes.look, after)
            bench.ready()
            soaked_bench = replace(bench, camera=walk, controls=(hand,), panel=Panel(GLASSES))
            Service(soaked_bench, folder, sleep=lambda seconds: None).run()
            waiting = bench.outbox.counts().pending
    finally:
        log.removeHandler(lines)
        log.setLevel(level)
    measured = samples - warm_up
    grown_kb = {kind: grown / 1000 / measured for kind, grown in sizes.grown.items()}
    return Soaked(tuple(gauges), warm_up, _counted(settings.storage.folder / "reports"), waiting, grown_kb)


def _counted(reports: Path) -> Counter[str]:
    """What the reports say that was counted, added up."""
    counted = Counter[str]()
    for path in reports.glob("*.json"):
        report = json.loads(path.read_text("utf-8"))
        counted["reports"] += 1
        counted["fields counted"] += report["fields"]["counted"]
        counted["fields refused"] += report["fields"]["rejected"]
        counted["white cells"] += report["white_cells"]["counted"]
    return counted
