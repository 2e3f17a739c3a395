"""Runs of a bench that never was."""

from datetime import UTC, datetime, timedelta

from leukoscope.quality_control.run_record import Kind, Run

SLIDE = "slide reference"
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def check(number: int, *, kind: Kind = Kind.CHECK, reference: str = SLIDE, **measures: float | None) -> Run:
    """The check of one day."""
    return Run(START + timedelta(days=number), kind, reference, "", 20, 30, "0.1.0", "bench", measures)


def restart(number: int) -> Run:
    """A new baseline begins."""
    return Run(START + timedelta(days=number), Kind.RESTART, "", "")
