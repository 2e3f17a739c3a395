"""What came of a soak, and the limits it is held against."""

from collections.abc import Mapping
from dataclasses import dataclass

from soaking.measuring import Gauge

MOST_GROWTH_MB = 5.0
"""Of resident memory, from the end of the warm-up to the end."""
MOST_LINES = 15
"""Log lines per sample: its start, ten tenths of its goal, its end, and some to spare."""
MOST_KB = 200.0
"""Written per sample, without pictures of cells."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of it."""

    gauges: tuple[Gauge, ...]
    """One after each sample."""
    warm_up: int
    """Samples after which it is measured."""
    counted: Mapping[str, int]
    """What the reports say, added up."""
    waiting: int
    """Reports that were not sent in the end."""
    grown_kb: Mapping[str, float]
    """By what the state folder's files grew per sample, by kind of file; one that is rewritten in place does not."""

    def findings(self) -> list[tuple[str, float, float]]:
        """What was measured, the value, and the most it may be."""
        first, *later = self.gauges[self.warm_up - 1 :]
        last, samples = later[-1], len(later)
        return [
            ("memory grown, MB", last.resident_mb - first.resident_mb, MOST_GROWTH_MB),
            ("file descriptors more", max(one.descriptors for one in later) - first.descriptors, 0),
            ("threads more", max(one.threads for one in later) - first.threads, 0),
            ("log lines per sample", (last.log_lines - first.log_lines) / samples, MOST_LINES),
            ("written per sample, kB", (last.written_kb - first.written_kb) / samples, MOST_KB),
            ("reports missing", len(self.gauges) - self.counted.get("reports", 0), 0),
            ("reports not sent", self.waiting, 0),
        ]

    def facts(self) -> dict[str, float]:
        """What has no limit."""
        return dict(self.counted) | {"memory at the end, MB": self.gauges[-1].resident_mb}
