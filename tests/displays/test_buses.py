"""The OLED and LCD drivers beyond what every display promises."""

import builtins
from typing import Any

import pytest
from luma.core.interface.serial import i2c, spi
from PIL import Image

from leukoscope.displays.lcd import LcdSettings
from leukoscope.displays.lines import Lines
from leukoscope.displays.oled import OledSettings
from leukoscope.errors import DisplayError
from tests.displays.glass import I2cWire, LcdGlass, OledGlass, SpiWire

# luma still reads pictures by a method that Pillow 13 announces the end of.
pytestmark = pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")

CORNER = Image.new("1", (128, 64))
CORNER.paste(1, (0, 0, 20, 10))


def lcd(settings: LcdSettings) -> tuple[Any, LcdGlass, Lines, SpiWire]:
    lines = Lines("mock")
    glass = LcdGlass(240, 240)
    wire = SpiWire(glass, lines, settings.dc_pin)
    return settings.open_on(spi(spi=wire, gpio=lines), lines), glass, lines, wire


def test_an_oled_mounted_upside_down_is_turned_by_its_settings() -> None:
    glass = OledGlass("ssd1306")
    display = OledSettings(quarter_turns=2).open_on(i2c(bus=I2cWire(glass)))
    display.show(CORNER)
    assert glass.seen() == CORNER.rotate(180)


@pytest.mark.parametrize("chip", ["ssd1306", "sh1106"])
def test_the_contrast_of_the_settings_reaches_the_chip_and_survives_a_loose_plug(chip: Any) -> None:
    glass = OledGlass(chip)
    wire = I2cWire(glass)
    display = OledSettings(chip=chip, contrast=33).open_on(i2c(bus=wire))
    assert glass.contrast == 33
    wire.unplugged = True
    with pytest.raises(DisplayError):
        display.show(CORNER)
    glass.power_cut()
    wire.unplugged = False
    display.show(CORNER)
    assert glass.contrast == 33


def test_an_unchanged_picture_does_not_load_the_bus() -> None:
    glass = OledGlass("ssd1306")
    display = OledSettings().open_on(i2c(bus=I2cWire(glass)))
    display.show(CORNER)
    glass.memory[:] = 0
    display.show(CORNER.copy())
    assert not glass.memory.any()


def test_a_closed_oled_is_dark() -> None:
    glass = OledGlass("ssd1306")
    display = OledSettings().open_on(i2c(bus=I2cWire(glass)))
    display.show(CORNER)
    display.close()
    assert not glass.on
    assert not glass.memory[:, :128].any()


def test_an_oled_at_another_address_is_named_with_what_to_check() -> None:
    wire = I2cWire(OledGlass("ssd1306"))
    with pytest.raises(DisplayError, match=r"ssd1306 display does not answer.*0x3D.*check its plug"):
        OledSettings(i2c_address=0x3D).open_on(i2c(bus=wire, address=0x3D))


def test_a_bus_that_is_not_there_is_a_display_error() -> None:
    with pytest.raises(DisplayError, match="ssd1306 display does not answer"):
        OledSettings(i2c_port=987).open()


def test_a_missing_driver_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_luma(name: str, *args: Any) -> Any:
        if name.startswith("luma"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_luma)
    for settings in (OledSettings(), LcdSettings(pin_factory="mock")):
        with pytest.raises(DisplayError, match=r'pip install "leukoscope\[board\]"'):
            settings.open()


def test_a_turned_lcd_is_as_wide_as_it_was_high() -> None:
    lines = Lines("mock")
    settings = LcdSettings(chip="ili9341", quarter_turns=1)
    glass = LcdGlass(320, 240)
    display = settings.open_on(spi(spi=SpiWire(glass, lines, 24), gpio=lines), lines)
    assert display.size == (240, 320)
    picture = Image.new("RGB", (240, 320), (0, 0, 252))
    picture.paste((252, 0, 0), (0, 0, 60, 40))
    display.show(picture)
    assert glass.seen() == picture.rotate(-90, expand=True)


def test_the_backlight_burns_while_the_lcd_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    display, glass, lines, wire = lcd(LcdSettings(backlight_pin=18))
    assert lines.level(18) == 1
    levels = []
    release = lines.close

    def look_then_release() -> None:
        levels.append(lines.level(18))
        release()

    monkeypatch.setattr(lines, "close", look_then_release)
    display.close()
    assert levels == [0]
    assert wire.closed
    assert not glass.on


def test_an_lcd_whose_backlight_is_wired_to_stay_on_takes_no_pin_for_it() -> None:
    _, glass, lines, _ = lcd(LcdSettings(backlight_pin=None))
    assert glass.on
    with pytest.raises(KeyError):
        lines.level(18)


def test_an_lcd_that_fails_while_it_is_opened_gives_its_pins_back() -> None:
    lines = Lines("mock")
    wire = SpiWire(LcdGlass(240, 240), lines, 24)
    bus = spi(spi=wire, gpio=lines)
    wire.unplugged = True
    with pytest.raises(DisplayError, match="st7789 display does not answer"):
        LcdSettings().open_on(bus, lines)
    assert wire.closed
    with pytest.raises(KeyError):
        lines.level(24)
