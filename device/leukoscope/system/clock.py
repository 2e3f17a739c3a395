"""The time of day, handed to whatever needs it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""The time of day, timezone-aware."""


def utc_now() -> datetime:
    """The time of day in UTC, by the machine's clock."""
    return datetime.now(UTC)
