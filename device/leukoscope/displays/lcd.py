"""Colour LCDs with an ST7789 (240x240) or ILI9341 (320x240) controller on SPI. Not run on hardware by us."""

from typing import Any, Literal

from pydantic import Field

from leukoscope.displays.display import BaseDisplaySettings
from leukoscope.displays.lines import Lines, PinFactory
from leukoscope.displays.lumaglass import LumaDisplay, RememberingBus, opening, spi_bus


class LcdSettings(BaseDisplaySettings):
    """A colour LCD."""

    driver: Literal["lcd"] = "lcd"
    chip: Literal["st7789", "ili9341"] = "st7789"
    """Controller; the st7789 is 240x240 pixels, the ili9341 320x240."""
    quarter_turns: Literal[0, 1, 2, 3] = 0
    """Rotation clockwise in steps of 90 degrees."""
    blue_first: bool = False
    """Set it when red and blue are exchanged; ili9341 only."""
    spi_port: int = Field(default=0, ge=0)
    """N in /dev/spidevN.M."""
    spi_device: int = Field(default=0, ge=0)
    """M in /dev/spidevN.M."""
    speed_mhz: Literal[4, 8, 16, 24, 32, 40] = 32
    """Clock of the bus, megahertz; lower it when colours sparkle."""
    dc_pin: int = Field(default=24, ge=0)
    """BCM number of the data/command line."""
    reset_pin: int = Field(default=25, ge=0)
    """BCM number of the reset line."""
    backlight_pin: int | None = Field(default=18, ge=0)
    """BCM number of the backlight; None when it is wired to stay on."""
    pin_factory: PinFactory = "lgpio"
    """Who moves the pins."""

    def open(self) -> LumaDisplay:
        """Open the display on its real bus.

        Raises:
            DisplayError: the driver is not installed, or the bus or pins cannot be used.
        """
        with opening(f"{self.chip} display"):
            lines = Lines(self.pin_factory)
            try:
                bus = spi_bus(self.spi_port, self.spi_device, self.speed_mhz, self.dc_pin, self.reset_pin, lines)
            except BaseException:
                lines.close()
                raise
            return self.open_on(bus, lines)

    def open_on(self, bus: Any, lines: Lines) -> LumaDisplay:
        """Open the display on a luma serial interface that is open already.

        Raises:
            DisplayError: the bus fails.
        """
        from luma.core.framebuffer import full_frame
        from luma.lcd.device import ili9341, st7789

        if self.backlight_pin is not None:
            lines.setup(self.backlight_pin, lines.OUT)

        def backlight(on: bool) -> None:
            if self.backlight_pin is not None:
                lines.output(self.backlight_pin, on)

        def make(remembering: RememberingBus) -> Any:
            shared = {"rotate": self.quarter_turns, "backlight": backlight}
            if self.chip == "st7789":
                return st7789(remembering, **shared)
            # Whole frames: luma's differences would be taken against a frame that a glitch never let through.
            return ili9341(remembering, framebuffer=full_frame(), bgr=self.blue_first, **shared)

        return LumaDisplay(f"{self.chip} display", make, bus, lines)
