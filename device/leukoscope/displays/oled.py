"""Small one-bit OLEDs with an SSD1306 or SH1106 controller, on I2C or SPI. Not run on hardware by us."""

from typing import Any, Literal

from pydantic import Field

from leukoscope.displays.display import BaseDisplaySettings
from leukoscope.displays.lines import Lines, PinFactory
from leukoscope.displays.lumaglass import LumaDisplay, RememberingBus, opening, spi_bus


class OledSettings(BaseDisplaySettings):
    """An OLED of 128x64 or 128x32 dots."""

    driver: Literal["oled"] = "oled"
    chip: Literal["ssd1306", "sh1106"] = "ssd1306"
    """Controller; 1.3 inch modules mostly carry the sh1106."""
    height: Literal[32, 64] = 64
    """Rows of dots; the width is 128."""
    quarter_turns: Literal[0, 2] = 0
    """Rotation clockwise in steps of 90 degrees."""
    contrast: int = Field(default=160, ge=0, le=255)
    """Brightness, 0-255; OLEDs age with it."""
    bus: Literal["i2c", "spi"] = "i2c"
    i2c_port: int = Field(default=1, ge=0)
    """Number in /dev/i2c-N."""
    i2c_address: int = Field(default=0x3C, ge=0x03, le=0x77)
    """Seven-bit address, mostly 0x3C or 0x3D."""
    spi_port: int = Field(default=0, ge=0)
    """N in /dev/spidevN.M."""
    spi_device: int = Field(default=0, ge=0)
    """M in /dev/spidevN.M."""
    dc_pin: int = Field(default=24, ge=0)
    """BCM number of the data/command line; SPI only."""
    reset_pin: int = Field(default=25, ge=0)
    """BCM number of the reset line; SPI only."""
    pin_factory: PinFactory = "lgpio"
    """Who moves these two lines."""

    def open(self) -> LumaDisplay:
        """Open the display on its real bus.

        Raises:
            DisplayError: the driver is not installed, or nothing answers at the address.
        """
        with opening(f"{self.chip} display"):
            if self.bus == "i2c":
                from luma.core.interface.serial import i2c

                return self.open_on(i2c(port=self.i2c_port, address=self.i2c_address))
            lines = Lines(self.pin_factory)
            try:
                bus = spi_bus(self.spi_port, self.spi_device, 8, self.dc_pin, self.reset_pin, lines)
            except BaseException:
                lines.close()
                raise
            return self.open_on(bus, lines)

    def open_on(self, bus: Any, lines: Lines | None = None) -> LumaDisplay:
        """Open the display on a luma serial interface that is open already.

        Raises:
            DisplayError: nothing answers.
        """
        from luma.oled.device import sh1106, ssd1306

        def make(remembering: RememberingBus) -> Any:
            chip = {"ssd1306": ssd1306, "sh1106": sh1106}[self.chip]
            device = chip(remembering, width=128, height=self.height, rotate=self.quarter_turns)
            device.contrast(self.contrast)
            return device

        return LumaDisplay(f"{self.chip} display", make, bus, lines)
