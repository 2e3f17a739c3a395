"""The push button of the instrument, on a GPIO pin. Not run on hardware by us."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from leukoscope.controls.action import Action, KeySource
from leukoscope.controls.press import Press, PressReader, PressTimes
from leukoscope.errors import ControlError
from leukoscope.schema import FrozenModel
from leukoscope.sentence import Sentence


class ButtonSettings(FrozenModel):
    """A button between a pin and ground: short press start, pause, go on; long press finish; very long discard."""

    driver: Literal["button"] = "button"
    pin: int = Field(default=17, ge=0)
    """BCM number of the pin."""
    pull_up: bool = True
    """True for a button to ground, with the pull-up inside the chip; False for a button to 3.3 V."""
    pin_factory: Literal["lgpio", "mock"] = "lgpio"
    """What reads the pin: the kernel's gpiochip through lgpio, or gpiozero's imitation, which has no real button."""
    debounce_s: float = Field(default=0.03, ge=0, le=0.2)
    """Shortest press, seconds."""
    long_s: float = Field(default=1.0, ge=0.3, le=10)
    """Seconds from which a press is long; it counts when the button is let go."""
    very_long_s: float = Field(default=4.0, ge=0.6, le=10.9)
    """Seconds after which a press is very long, longer than `long_s`; it counts while the button is held."""
    stuck_s: float = Field(default=30.0, ge=11, le=600)
    """Seconds after which a button that stays down is reported as stuck."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.very_long_s <= self.long_s:
            raise ValueError(f"very_long_s = {self.very_long_s:g} must be longer than long_s = {self.long_s:g}")
        return self

    def open(self, keys: KeySource | None = None) -> "Button":
        """Claim the pin; a window's `keys` are not needed.

        Raises:
            ControlError: gpiozero or lgpio is missing, or the pin cannot be claimed.
        """
        return self.open_on(self._factory(), time.monotonic)

    def open_on(self, factory: Any, clock: Callable[[], float]) -> "Button":
        """Claim the pin of a gpiozero factory; `clock` tells seconds and only runs forward.

        Raises:
            ControlError: the pin cannot be claimed.
        """
        from gpiozero import DigitalInputDevice
        from gpiozero.exc import GPIOZeroError

        try:
            device = DigitalInputDevice(self.pin, pull_up=self.pull_up, pin_factory=factory)
        except (GPIOZeroError, OSError) as error:
            raise ControlError(
                f"the button's pin BCM {self.pin} cannot be used ({error})",
                "check `pin`, and that no other program holds it",
            ) from error
        times = PressTimes(self.debounce_s, self.long_s, self.very_long_s, self.stuck_s)
        return Button(device, times, clock, (GPIOZeroError, OSError))

    def _factory(self) -> Any:
        try:
            if self.pin_factory == "mock":
                from gpiozero.pins.mock import MockFactory

                return MockFactory()
            import lgpio  # type: ignore[import-not-found, unused-ignore]
            from gpiozero.pins.lgpio import LGPIOFactory
        except ImportError as error:
            raise ControlError(
                f"the button needs a package that is missing ({error})", 'pip install "leukoscope[board]"'
            ) from error
        try:
            return LGPIOFactory()
        except (lgpio.error, OSError) as error:
            raise ControlError(f"no access to /dev/gpiochip* ({error})", "add the user to the group gpio") from error


_MEANING = {Press.SHORT: Action.TOGGLE, Press.LONG: Action.FINISH, Press.VERY_LONG: Action.DISCARD}


class Button:
    """Edges arrive on gpiozero's thread and wait in a queue; everything else happens in `poll`."""

    def __init__(
        self,
        device: Any,
        times: PressTimes,
        clock: Callable[[], float],
        failures: tuple[type[Exception], ...],
    ) -> None:
        """`device` is an open gpiozero DigitalInputDevice, and `failures` is what reading it may raise."""
        self._device = device
        self._clock = clock
        self._failures = failures
        self._edges: deque[tuple[bool, float]] = deque(maxlen=1024)
        self._actions: deque[Action] = deque()
        self._stuck, self._stuck_s = False, times.stuck_s
        self._closed = False
        self._reader = PressReader(times, bool(device.value), clock())
        device.when_activated = lambda: self._edges.append((True, clock()))
        device.when_deactivated = lambda: self._edges.append((False, clock()))

    def poll(self) -> Action | None:
        """TOGGLE for a short press, FINISH for a long and DISCARD for a very long one; never blocks.

        Raises:
            ControlError: the button is closed, or stuck; a stuck button raises this once, until it is let go.
        """
        if self._closed:
            raise ControlError("the button is closed", "open it again")
        now_s = self._clock()
        try:
            level = bool(self._device.value)
        except self._failures as error:
            raise ControlError(f"the button's pin cannot be read any more: {error}", "check its wires") from error
        while self._edges:
            self._reader.edge(*self._edges.popleft())
        # An edge the kernel dropped must not leave the button down for ever.
        self._reader.edge(level, now_s)
        for press in self._reader.presses(now_s):
            if press is Press.STUCK:
                self._stuck = True
            else:
                self._actions.append(_MEANING[press])
        # What was pressed before comes first: a sample that was begun is reported whatever the button does then.
        if self._actions:
            return self._actions.popleft()
        if self._stuck:
            self._stuck = False
            raise ControlError(
                Sentence("the button has been down for {seconds} s", seconds=f"{self._stuck_s:g}"),
                "it is stuck or shorted; free it or check its wires",
            )
        return None

    def close(self) -> None:
        """Release the pin; safe to call twice."""
        if not self._closed:
            self._closed = True
            factory = self._device.pin_factory
            self._device.close()
            factory.close()
