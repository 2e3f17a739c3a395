"""Signals: lamps and a buzzer for the technician, who looks into the eyepiece and not at the display."""

from typing import Protocol

from leukoscope.indicators.event import Event
from leukoscope.indicators.gpio import GpioIndicatorSettings

__all__ = ["Event", "GpioIndicatorSettings", "Indicator", "SignalSettings"]

SignalSettings = GpioIndicatorSettings
"""The settings of any signal; there is one kind so far."""


class Indicator(Protocol):
    """Signals that are open."""

    def signal(self, event: Event) -> None:
        """Show or sound it, without waiting until it has sounded.

        Raises:
            DisplayError: a lamp or the buzzer cannot be driven.
        """

    def close(self) -> None:
        """Everything off; safe to call twice."""
