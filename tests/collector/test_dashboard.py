"""What is shipped beside the collector fits it."""

import json
import re
from pathlib import Path

from leukoscope_collector.metrics import Metrics

GRAFANA = Path(__file__).parents[2] / "device" / "leukoscope_collector" / "grafana.json"


def test_every_figure_of_the_dashboard_exists():
    known = {sample.name for metric in Metrics().registry.collect() for sample in metric.samples}
    panels = json.loads(GRAFANA.read_text())["panels"]
    asked = {
        name for panel in panels for one in panel["targets"] for name in re.findall(r"leukoscope_\w+", one["expr"])
    }
    assert asked
    assert asked <= known
