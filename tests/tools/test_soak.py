from pathlib import Path

import pytest

from soak import MOST_GROWTH_MB, MOST_KB, MOST_LINES, Gauge, Soaked, soak


def test_what_is_used_stays_within_its_limits_from_sample_to_sample(tmp_path: Path) -> None:
    soaked = soak(tmp_path, samples=8, fields=4)
    found = {what: (value, limit) for what, value, limit in soaked.findings()}
    # So short a run says nothing about memory yet: runtimes still fill their pools.
    del found["memory grown, MB"]
    assert all(value <= limit for value, limit in found.values()), found
    assert soaked.measured_samples == 5
    assert found["written per sample, kB"][0] > 10


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("memory grown, MB", {"resident_mb": 100 + MOST_GROWTH_MB + 1}),
        ("log lines per sample", {"log_lines": 10 * (MOST_LINES + 1)}),
        ("written per sample, kB", {"written_kb": 10 * (MOST_KB + 1)}),
    ],
)
def test_what_grows_too_much_is_found(what: str, more: dict[str, float]) -> None:
    facts = {"resident_mb": 100.0, "descriptors": 5, "threads": 2, "log_lines": 0, "written_kb": 0.0}
    soaked = Soaked(10, Gauge(**facts), Gauge(**(facts | more)), 10, 5, 2, {})
    assert [name for name, value, limit in soaked.findings() if value > limit] == [what]
