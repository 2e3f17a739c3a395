"""What is shipped beside the collector fits it."""

import json
import re
from pathlib import Path

from leukoscope_collector.metrics import Metrics

ALERTS = Path(__file__).parents[2] / "device" / "leukoscope_collector" / "alerts.yaml"
GRAFANA = Path(__file__).parents[2] / "device" / "leukoscope_collector" / "grafana.json"


def test_every_figure_of_the_dashboard_exists():
    known = {sample.name for metric in Metrics().registry.collect() for sample in metric.samples}
    panels = json.loads(GRAFANA.read_text())["panels"]
    asked = {
        name for panel in panels for one in panel["targets"] for name in re.findall(r"leukoscope_\w+", one["expr"])
    }
    assert asked
    assert asked <= known


def test_every_figure_of_the_alert_rules_exists():
    metrics = Metrics()
    known = {metric.name for metric in metrics.registry.collect()}
    known |= {sample.name for metric in metrics.registry.collect() for sample in metric.samples}
    asked = set(re.findall(r"leukoscope_\w+", " ".join(re.findall(r"expr: (.*)", ALERTS.read_text()))))
    assert {"leukoscope_collector_critical_reports_total", "leukoscope_device_last_seen_seconds"} <= asked <= known
