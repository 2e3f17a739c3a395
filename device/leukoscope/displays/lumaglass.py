"""What every display driven by luma shares: its errors, its set-up after a power dip, its release."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from PIL import Image

from leukoscope.displays.display import DisplayDefaults
from leukoscope.displays.lines import Lines
from leukoscope.displays.picture import fitted
from leukoscope.errors import DisplayError


@contextmanager
def opening(name: str) -> Iterator[None]:
    """Turn whatever goes wrong while a display is opened into one DisplayError."""
    try:
        from gpiozero.exc import GPIOZeroError
        from luma.core.error import Error as LumaError
    except ImportError as error:
        raise _not_installed(name, error) from error
    try:
        yield
    except ImportError as error:
        raise _not_installed(name, error) from error
    except (OSError, LumaError, GPIOZeroError) as error:
        raise _no_answer(name, error) from error


def spi_bus(port: int, device: int, speed_mhz: int, dc_pin: int, reset_pin: int, lines: Lines) -> Any:
    """A luma serial interface on /dev/spidev<port>.<device>, with its two extra wires on `lines`."""
    from luma.core.interface.serial import spi

    return spi(
        port=port,
        device=device,
        bus_speed_hz=speed_mhz * 1_000_000,
        gpio=lines,
        gpio_DC=dc_pin,
        gpio_RST=reset_pin,
        reset_hold_time=0.1,
        reset_release_time=0.15,
    )


def _not_installed(name: str, error: ImportError) -> DisplayError:
    return DisplayError(f"the {name} needs a package that is missing ({error})", 'pip install "leukoscope[board]"')


def _no_answer(name: str, error: Exception) -> DisplayError:
    return DisplayError(f"the {name} does not answer ({error})", "check its plug, address and wiring")


class RememberingBus:
    """A luma serial interface that can send the chip's set-up once more.

    A module whose plug slipped comes back blank and unconfigured, while luma configures a chip only
    when its device object is made.
    """

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        self._set_up: list[tuple[bool, bytes]] = []
        self._learning = True

    def command(self, *parts: int) -> None:
        """Send command bytes."""
        if self._learning:
            self._set_up.append((True, bytes(parts)))
        self._bus.command(*parts)

    def data(self, data: Any) -> None:
        """Send data bytes."""
        if self._learning:
            self._set_up.append((False, bytes(data)))
        self._bus.data(data)

    def stop_learning(self) -> None:
        """What was sent so far is the set-up."""
        self._learning = False

    def set_up_again(self) -> None:
        """Send the set-up as it was sent the first time."""
        for is_command, sent in self._set_up:
            if is_command:
                self._bus.command(*sent)
            else:
                self._bus.data(list(sent))

    def cleanup(self) -> None:
        """Release the bus."""
        self._bus.cleanup()


class LumaDisplay(DisplayDefaults):
    """A display behind a luma device; only a changed picture goes over the bus."""

    def __init__(
        self,
        name: str,
        make_device: Callable[[RememberingBus], Any],
        bus: Any,
        lines: Lines | None = None,
    ) -> None:
        """`bus` is a luma serial interface; `lines` are released after it.

        Raises:
            DisplayError: the display does not answer.
        """
        from luma.core.error import Error as LumaError

        self._name = name
        self._failures: tuple[type[Exception], ...] = (OSError, LumaError)
        self._bus = RememberingBus(bus)
        self._lines = lines
        self._shown_picture: Image.Image | None = None
        self._lost = False
        self._closed = False
        try:
            self._device = make_device(self._bus)
        except self._failures as error:
            with suppress(*self._failures):
                self._bus.cleanup()
            self._release()
            raise _no_answer(name, error) from error
        self._bus.stop_learning()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, after rotation."""
        return self._device.width, self._device.height

    @property
    def monochrome(self) -> bool:
        """True for one bit per pixel."""
        return bool(self._device.mode == "1")

    def show(self, image: Image.Image) -> None:
        """Put a picture of exactly `size` on the display.

        Raises:
            DisplayError: the display does not answer, or the picture has another size.
        """
        if self._closed:
            raise DisplayError(f"the {self._name} is closed", "open it again")
        picture = fitted(image, self.size, self.monochrome)
        if picture == self._shown_picture:
            return
        try:
            if self._lost:
                self._bus.set_up_again()
            self._device.display(picture)
        except self._failures as error:
            self._lost, self._shown_picture = True, None
            raise _no_answer(self._name, error) from error
        self._lost, self._shown_picture = False, picture.copy()

    def close(self) -> None:
        """Clear and release the display; safe to call twice, and on a display that is gone."""
        if self._closed:
            return
        self._closed = True
        with suppress(*self._failures):
            self._device.cleanup()
        self._release()

    def _release(self) -> None:
        if self._lines is not None:
            self._lines.close()
