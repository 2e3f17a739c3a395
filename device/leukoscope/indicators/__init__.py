"""Signals: lamps and a buzzer for whoever looks into the eyepiece and not at the display."""

from typing import Protocol

from leukoscope.indicators.event import News
from leukoscope.indicators.gpio import GpioSignalSettings

__all__ = ["GpioSignalSettings", "News", "SignalSettings", "Signaller"]

SignalSettings = GpioSignalSettings
"""The settings of any signal; there is one kind so far."""


class Signaller(Protocol):
    """Signals that are open."""

    def tell(self, news: News) -> None:
        """Show or sound it, without waiting until it has sounded.

        Raises:
            DisplayError: a lamp or the buzzer cannot be driven.
        """

    def close(self) -> None:
        """Everything off; safe to call twice."""
