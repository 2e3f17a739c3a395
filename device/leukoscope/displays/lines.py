"""The wires beside the bus of a display: data/command, reset and backlight, driven through gpiozero."""

from typing import Any, Literal

PinFactory = Literal["lgpio", "mock"]
"""Who moves the pins: the kernel's gpiochip through lgpio, or gpiozero's imitation of it."""


class Lines:
    """Output pins by BCM number, with the few names that luma expects of RPi.GPIO.

    luma would import RPi.GPIO by itself, which does not work on a Raspberry Pi 5.
    """

    OUT = "out"
    LOW = 0
    HIGH = 1

    def __init__(self, factory: PinFactory) -> None:
        self._factory = _factory(factory)
        self._pins: dict[int, Any] = {}

    def setup(self, pin: int, direction: str) -> None:
        """Claim a pin as an output that starts low."""
        from gpiozero import DigitalOutputDevice

        if pin not in self._pins:
            self._pins[pin] = DigitalOutputDevice(pin, pin_factory=self._factory)

    def output(self, pin: int, value: int) -> None:
        """Drive a pin that was set up."""
        self._pins[pin].value = int(bool(value))

    def level(self, pin: int) -> int:
        """What a pin is driven to, 0 or 1."""
        return int(self._pins[pin].value)

    def close(self) -> None:
        """Release the pins; safe to call twice."""
        for pin in self._pins.values():
            pin.close()
        self._pins.clear()
        self._factory.close()


def _factory(name: PinFactory) -> Any:
    if name == "mock":
        from gpiozero.pins.mock import MockFactory

        return MockFactory()
    import lgpio  # type: ignore[import-not-found, unused-ignore]
    from gpiozero.pins.lgpio import LGPIOFactory

    try:
        return LGPIOFactory()
    except lgpio.error as error:
        raise OSError(f"no access to /dev/gpiochip*: {error}") from error
