"""A green lamp, a red lamp and a buzzer on GPIO pins. Not run on hardware by us."""

import math
import time
from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from leukoscope.errors import DisplayError
from leukoscope.indicators.event import PATTERNS, Blink, Event, Light
from leukoscope.schema import FrozenModel


class GpioIndicatorSettings(FrozenModel):
    """Two lamps and a buzzer, each of them optional, between a pin and ground."""

    driver: Literal["gpio"] = "gpio"
    green_pin: int | None = Field(default=None, ge=0)
    """BCM number of the green lamp's pin; None for no such lamp."""
    red_pin: int | None = Field(default=None, ge=0)
    """BCM number of the red lamp's pin; None for no such lamp."""
    buzzer_pin: int | None = Field(default=None, ge=0)
    """BCM number of the buzzer's pin, one that sounds by itself when it has power; None for no buzzer."""
    active_high: bool = True
    """False where a part is on while its pin is low."""
    pin_factory: Literal["lgpio", "mock"] = "lgpio"
    """What drives the pins: the kernel's gpiochip through lgpio, or gpiozero's imitation, which lights no real lamp."""

    @model_validator(mode="after")
    def _own_pins(self) -> Self:
        pins = [pin for pin in (self.green_pin, self.red_pin, self.buzzer_pin) if pin is not None]
        if not pins:
            raise ValueError("give at least one of green_pin, red_pin and buzzer_pin")
        if len(set(pins)) < len(pins):
            raise ValueError(f"each part needs a pin of its own, found {pins}")
        return self

    def open(self) -> "GpioIndicator":
        """Claim the pins.

        Raises:
            DisplayError: gpiozero or lgpio is missing, or a pin cannot be claimed.
        """
        return self.open_on(self._factory())

    def open_on(self, factory: Any) -> "GpioIndicator":
        """Claim the pins of a gpiozero factory.

        Raises:
            DisplayError: a pin cannot be claimed.
        """
        from gpiozero import DigitalOutputDevice
        from gpiozero.exc import GPIOZeroError

        parts: dict[str, Any] = {}
        for name, pin in (("green", self.green_pin), ("red", self.red_pin), ("buzzer", self.buzzer_pin)):
            if pin is None:
                continue
            try:
                parts[name] = DigitalOutputDevice(pin, active_high=self.active_high, pin_factory=factory)
            except (GPIOZeroError, OSError) as error:
                for claimed in parts.values():
                    claimed.close()
                raise DisplayError(
                    f"the signals' pin BCM {pin} cannot be used ({error})",
                    f"check `{name}_pin`, and that no other program holds it",
                ) from error
        return GpioIndicator(parts, factory, (GPIOZeroError, OSError))

    def _factory(self) -> Any:
        try:
            if self.pin_factory == "mock":
                from gpiozero.pins.mock import MockFactory

                return MockFactory()
            import lgpio  # type: ignore[import-not-found, unused-ignore]
            from gpiozero.pins.lgpio import LGPIOFactory
        except ImportError as error:
            raise DisplayError(
                f"the signals need a package that is missing ({error})", 'pip install "leukoscope[board]"'
            ) from error
        try:
            return LGPIOFactory()
        except (lgpio.error, OSError) as error:
            raise DisplayError(f"no access to /dev/gpiochip* ({error})", "add the user to the group gpio") from error


class GpioIndicator:
    """Patterns on pins; gpiozero blinks on threads of its own."""

    def __init__(
        self,
        parts: dict[str, Any],
        factory: Any,
        failures: tuple[type[Exception], ...],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Drive what is open.

        Args:
            parts: gpiozero outputs named green, red and buzzer.
            factory: the gpiozero factory they came from.
            failures: what driving them may raise.
            clock: seconds, only running forward.
            pause: how the end of a sound is waited for.
        """
        self._parts, self._factory, self._failures = parts, factory, failures
        self._clock, self._pause = clock, pause
        self._sounding_until_s = -math.inf

    def signal(self, event: Event) -> None:
        """Show and sound the pattern of the event.

        Raises:
            DisplayError: a pin cannot be driven.
        """
        pattern = PATTERNS[event]
        try:
            self._drive("green", pattern.green)
            self._drive("red", pattern.red)
            if pattern.buzzer is not None and "buzzer" in self._parts:
                self._drive("buzzer", pattern.buzzer)
                self._sounding_until_s = self._clock() + pattern.buzzer.lasts_s
        except self._failures as error:
            raise DisplayError(f"the signals cannot be driven ({error})", "check their wires") from error

    def close(self) -> None:
        """Everything off and the pins released, once a sound has ended; safe to call twice."""
        # A fault that ends the program is heard to its end.
        self._pause(max(0.0, self._sounding_until_s - self._clock()))
        self._sounding_until_s = -math.inf
        parts, self._parts = self._parts, {}
        for part in parts.values():
            part.close()
        if parts:
            self._factory.close()

    def _drive(self, name: str, light: Light) -> None:
        part = self._parts.get(name)
        if part is None or light == "as it was":
            return
        if isinstance(light, Blink):
            part.blink(on_time=light.on_s, off_time=light.off_s, n=light.times)
        elif light == "on":
            part.on()
        else:
            part.off()
