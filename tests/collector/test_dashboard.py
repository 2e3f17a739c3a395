"""What is shipped beside the collector fits it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from leukoscope_collector.metrics import Metrics

ALERTS = Path(__file__).parents[2] / "device" / "leukoscope_collector" / "alerts.yaml"
GRAFANA = Path(__file__).parents[2] / "device" / "leukoscope_collector" / "grafana.json"


def test_every_figure_of_the_dashboard_exists():
    metrics = Metrics()
    # Metrics of each device have no sample before a device has spoken.
    known = {metric.name for metric in metrics.registry.collect()}
    known |= {sample.name for metric in metrics.registry.collect() for sample in metric.samples}
    panels = json.loads(GRAFANA.read_text())["panels"]
    asked = {
        name for panel in panels for one in panel["targets"] for name in re.findall(r"leukoscope_\w+", one["expr"])
    }
    assert asked
    assert {"leukoscope_collector_critical_reports_total", "leukoscope_device_faults"} <= asked <= known


def test_no_two_panels_of_the_dashboard_lie_on_each_other():
    taken: set[tuple[int, int]] = set()
    panels = json.loads(GRAFANA.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for place in (panel["gridPos"] for panel in panels):
        assert place["x"] + place["w"] <= 24
        squares = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not squares & taken
        taken |= squares


def test_every_figure_of_the_alert_rules_exists():
    metrics = Metrics()
    known = {metric.name for metric in metrics.registry.collect()}
    known |= {sample.name for metric in metrics.registry.collect() for sample in metric.samples}
    asked = set(re.findall(r"leukoscope_\w+", " ".join(re.findall(r"expr: (.*)", ALERTS.read_text()))))
    assert {"leukoscope_collector_critical_reports_total", "leukoscope_device_last_seen_seconds"} <= asked <= known


def as_grafana_reads_it(dashboard: Any) -> Any:
    """The dashboard through the classes generated from Grafana's schema, which leave out what they do not know."""
    plugins.register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(dashboard)))))


def lost(ours: Any, theirs: Any, at: str = "dashboard") -> Iterator[str]:
    """Where ours says what theirs does not."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            there = isinstance(theirs, dict) and key in theirs
            yield from lost(value, theirs[key], f"{at}.{key}") if there else [f"{at}.{key}"]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(one, other, f"{at}[{number}]")
    elif ours != theirs:
        yield at


def test_grafanas_schema_knows_everything_that_the_dashboard_says():
    ours = json.loads(GRAFANA.read_text())
    assert list(lost(ours, as_grafana_reads_it(ours))) == []
    ours["panels"][0]["targets"][0]["exprr"] = ours["panels"][1]["gridPos"]["widht"] = 1
    assert list(lost(ours, as_grafana_reads_it(ours))) == [
        "dashboard.panels[0].targets[0].exprr",
        "dashboard.panels[1].gridPos.widht",
    ]
