"""What every display promises, whatever it is made of."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukoscope.displays import Display
from leukoscope.displays.lcd import LcdSettings
from leukoscope.displays.lines import Lines
from leukoscope.displays.oled import OledSettings
from leukoscope.displays.screens import draw
from leukoscope.displays.snapshot import SnapshotSettings
from leukoscope.displays.terminal import Terminal
from leukoscope.displays.window import WindowSettings
from leukoscope.errors import DisplayError
from tests.displays.exhibits import EXHIBITS
from tests.displays.glass import I2cWire, LcdGlass, OledGlass, SpiWire
from tests.displays.paper import Paper

# luma still reads pictures by a method that Pillow 13 announces the end of.
pytestmark = pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")


@dataclass
class Bench:
    """A display on the bench, with hands to unplug it and eyes to look at it."""

    display: Display
    seen: Callable[[], Image.Image]
    unplug: Callable[[], None]
    plug_in: Callable[[], None] | None
    """Plug it in again, with nothing left of what it was sent; None where that cannot be done."""


def oled(chip: Any, bus: Any) -> Bench:
    from luma.core.interface.serial import i2c, spi

    settings = OledSettings(chip=chip, bus=bus)
    glass = OledGlass(chip)
    if bus == "i2c":
        wire: I2cWire | SpiWire = I2cWire(glass)
        display = settings.open_on(i2c(bus=wire))
    else:
        lines = Lines("mock")
        wire = SpiWire(glass, lines, settings.dc_pin)
        display = settings.open_on(spi(spi=wire, gpio=lines), lines)
    return Bench(display, glass.seen, *pulling(wire, glass))


def lcd(chip: Any) -> Bench:
    from luma.core.interface.serial import spi

    settings = LcdSettings(chip=chip)
    lines = Lines("mock")
    glass = LcdGlass(*((240, 240) if chip == "st7789" else (320, 240)))
    wire = SpiWire(glass, lines, settings.dc_pin)
    display = settings.open_on(spi(spi=wire, gpio=lines), lines)
    return Bench(display, glass.seen, *pulling(wire, glass))


def pulling(wire: I2cWire | SpiWire, glass: OledGlass | LcdGlass) -> tuple[Callable[[], None], Callable[[], None]]:
    def unplug() -> None:
        wire.unplugged = True

    def plug_in() -> None:
        glass.power_cut()
        wire.unplugged = False

    return unplug, plug_in


def terminal(monochrome: bool) -> Bench:
    paper = Paper()
    display = Terminal(paper, (128, 64), monochrome, lambda: (200, 60))

    def pull(out: bool) -> None:
        paper.unplugged = out

    seen = paper.braille if monochrome else paper.half_blocks
    return Bench(display, seen, lambda: pull(True), lambda: pull(False))


def snapshot(folder: Path) -> Bench:
    display = SnapshotSettings(folder=folder / "screens", width=240, height=240).open()

    def newest() -> Image.Image:
        return Image.open(max((folder / "screens").glob("*.png")))

    def unplug() -> None:
        (folder / "screens").rename(folder / "elsewhere")

    def plug_in() -> None:
        (folder / "elsewhere").rename(folder / "screens")

    return Bench(display, newest, unplug, plug_in)


def window() -> Bench:
    import pygame

    display = WindowSettings(width=240, height=240, scale=2, field_width=0).open()

    def seen() -> Image.Image:
        surface = pygame.display.get_surface()
        assert surface is not None
        whole = Image.frombytes("RGB", surface.get_size(), pygame.image.tobytes(surface, "RGB"))
        return whole.crop((12, 12, 12 + 480, 12 + 480)).resize((240, 240), Image.Resampling.NEAREST)

    return Bench(display, seen, pygame.display.quit, None)


BENCHES: dict[str, Callable[[Path], Bench]] = {
    "ssd1306 on i2c": lambda _: oled("ssd1306", "i2c"),
    "ssd1306 on spi": lambda _: oled("ssd1306", "spi"),
    "sh1106 on i2c": lambda _: oled("sh1106", "i2c"),
    "st7789": lambda _: lcd("st7789"),
    "ili9341": lambda _: lcd("ili9341"),
    "window": lambda _: window(),
    "terminal in colour": lambda _: terminal(False),
    "terminal in braille": lambda _: terminal(True),
    "snapshot": snapshot,
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setitem(os.environ, "SDL_VIDEODRIVER", "dummy")
    made = BENCHES[request.param](tmp_path)
    yield made
    made.display.close()


def screen(bench: Bench, name: str) -> Image.Image:
    return draw(EXHIBITS[name], bench.display.size, bench.display.monochrome)


def assert_on_glass(bench: Bench, picture: Image.Image) -> None:
    seen = bench.seen()
    assert seen.size == picture.size
    levels = [np.asarray(each.convert("RGB"), np.int16) for each in (seen, picture)]
    # An LCD keeps six bits of each colour.
    assert np.abs(levels[0] - levels[1]).max() <= 3


def test_a_display_knows_its_size_and_whether_it_has_colours(bench: Bench) -> None:
    width, height = bench.display.size
    assert width >= 96 and height >= 32
    assert isinstance(bench.display.monochrome, bool)


def test_what_is_shown_is_on_the_glass(bench: Bench) -> None:
    picture = screen(bench, "counting")
    bench.display.show(picture)
    assert_on_glass(bench, picture)


def test_the_next_picture_replaces_the_last_one(bench: Bench) -> None:
    bench.display.show(screen(bench, "counting"))
    picture = screen(bench, "sent")
    bench.display.show(picture)
    assert_on_glass(bench, picture)


def test_showing_the_same_picture_again_changes_nothing(bench: Bench) -> None:
    picture = screen(bench, "ready")
    bench.display.show(picture)
    bench.display.show(picture.copy())
    assert_on_glass(bench, picture)


def test_a_picture_changed_by_its_owner_after_it_was_shown_is_a_new_picture(bench: Bench) -> None:
    picture = screen(bench, "ready")
    bench.display.show(picture)
    picture.paste(0, (0, 0, 60, 30))
    bench.display.show(picture)
    assert_on_glass(bench, picture)


def test_a_picture_of_the_other_kind_of_pixels_is_converted(bench: Bench) -> None:
    width, height = bench.display.size
    half_white = Image.new("RGB" if bench.display.monochrome else "1", (width, height))
    half_white.paste("white", (0, 0, width // 2, height))
    bench.display.show(half_white)
    assert_on_glass(bench, half_white)


def test_a_picture_of_another_size_is_refused_and_says_which(bench: Bench) -> None:
    with pytest.raises(DisplayError, match=f"expected a picture of {bench.display.size[0]}x.*found 10x20"):
        bench.display.show(Image.new("RGB", (10, 20)))


def test_an_unplugged_display_is_a_display_error_each_time(bench: Bench) -> None:
    bench.display.show(screen(bench, "ready"))
    bench.unplug()
    for name in ("sent", "counting"):
        with pytest.raises(DisplayError):
            bench.display.show(screen(bench, name))


def test_a_display_plugged_in_again_shows_the_next_picture(bench: Bench) -> None:
    if bench.plug_in is None:
        pytest.skip("a closed window cannot be plugged in again")
    picture = screen(bench, "ready")
    bench.display.show(picture)
    bench.unplug()
    with pytest.raises(DisplayError):
        bench.display.show(screen(bench, "sent"))
    bench.plug_in()
    bench.display.show(picture)
    assert_on_glass(bench, picture)


def test_closing_twice_is_once(bench: Bench) -> None:
    bench.display.close()
    bench.display.close()


def test_an_unplugged_display_can_be_closed(bench: Bench) -> None:
    bench.unplug()
    bench.display.close()


def test_a_closed_display_shows_nothing_more(bench: Bench) -> None:
    bench.display.close()
    with pytest.raises(DisplayError, match="closed"):
        bench.display.show(Image.new("RGB", bench.display.size))
