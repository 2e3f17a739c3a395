from pathlib import Path
from typing import Any

import pytest

from embedded_broker import embedded_broker
from soaking.measuring import Gauge
from soaking.result import MOST_GROWTH_MB, MOST_KB, MOST_LINES, Soaked
from soaking.running import soak


def test_what_is_used_stays_within_its_limits_from_sample_to_sample(tmp_path: Path) -> None:
    with embedded_broker() as broker:
        soaked = soak(tmp_path, samples=8, fields=4, broker=broker)
    found = {what: (value, limit) for what, value, limit in soaked.findings()}
    # So short a run says nothing about memory yet: runtimes still fill their pools.
    del found["memory grown, MB"]
    assert all(value <= limit for value, limit in found.values()), found
    assert found["written per sample, kB"][0] > 10
    assert soaked.counted["reports"] == 8
    assert soaked.counted["fields counted"] == 32


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("memory grown, MB", {"resident_mb": 100 + MOST_GROWTH_MB + 1}),
        ("file descriptors more", {"descriptors": 6}),
        ("threads more", {"threads": 3}),
        ("log lines per sample", {"log_lines": 10 * (MOST_LINES + 1)}),
        ("written per sample, kB", {"written_kb": 10 * (MOST_KB + 1)}),
    ],
)
def test_what_grows_too_much_is_found(what: str, more: dict[str, float]) -> None:
    facts: dict[str, Any] = {"resident_mb": 100.0, "descriptors": 5, "threads": 2, "log_lines": 0, "written_kb": 0.0}
    # The first is of the warm-up, and may be anything.
    gauges = [Gauge(1.0, 1, 1, 0, 0.0), *[Gauge(**facts)] * 10, Gauge(**(facts | more))]
    soaked = Soaked(tuple(gauges), 2, {"reports": 12}, 0, {})
    assert [name for name, value, limit in soaked.findings() if value > limit] == [what]


def test_a_report_that_is_missing_or_not_sent_is_found() -> None:
    gauges = (Gauge(100.0, 5, 2, 0, 0.0),) * 6
    lost, kept = Soaked(gauges, 3, {"reports": 5}, 0, {}), Soaked(gauges, 3, {"reports": 6}, 1, {})
    assert [name for name, value, limit in lost.findings() if value > limit] == ["reports missing"]
    assert [name for name, value, limit in kept.findings() if value > limit] == ["reports not sent"]
