"""What is shipped beside the collector fits it."""

import json
import re
from pathlib import Path

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
