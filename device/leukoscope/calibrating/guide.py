"""Leads the technician: what to do on every display and the terminal, and the button that says it is done."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import typer

from leukoscope.controls import Action, Control
from leukoscope.displays.fault_text import fault_of
from leukoscope.displays.language import words_of
from leukoscope.displays.panel import Panel
from leukoscope.displays.state import Guiding
from leukoscope.errors import LeukoscopeError
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source
from leukoscope.system.watchdog import Watchdog

POLL_S = 0.05
BAR = 24
"""Characters of a full bar on the terminal."""


class Guide:
    """Says what to do, and waits for a press where the technician wants to be waited for."""

    def __init__(
        self,
        part: str,
        panel: Panel,
        controls: Iterable[Control] = (),
        sleep: Callable[[float], None] = time.sleep,
        watchdog: Watchdog | None = None,
    ) -> None:
        self._part, self._panel, self._controls = part, panel, tuple(controls)
        self._sleep = sleep
        # Where the service has begun this, its supervisor goes on watching.
        self._watchdog = watchdog or Watchdog.of_this_process()
        self.source = Source.REPLAYED
        """What the screens say the pictures are: stored ones, until a camera says otherwise."""

    @property
    def waits(self) -> bool:
        """Whether each picture waits for a press."""
        return bool(self._controls)

    def show(self, todo: str, note: str = "", share: float | None = None) -> None:
        """Show what to do and how far it is; a display that fails never stops a calibration."""
        self._watchdog.turn("calibrating")
        self._panel.show(Guiding(self._part, todo, note, share, self.source))

    def field(self, frame: Frame) -> None:
        """Show the live field where there is a window for it."""
        self._panel.show_field(frame)

    def bar(self, todo: str, note: str, share: float) -> None:
        """Show a bar, on the terminal too."""
        self.show(todo, note, share)
        if not sys.stdout.isatty():
            return
        filled = round(min(max(share, 0.0), 1.0) * BAR)
        typer.echo(f"\r{'█' * filled}{'░' * (BAR - filled)} {note:<48}", nl=False)

    def end_bar(self) -> None:
        """Leave the bar's line."""
        if sys.stdout.isatty():
            typer.echo()

    def wait_for_press(self) -> None:
        """Return at the next press.

        Raises:
            KeyboardInterrupt: the press said to leave.
        """
        while self._controls:
            action = self.pressed()
            if action in (Action.FINISH, Action.QUIT):
                raise KeyboardInterrupt
            if action is Action.TOGGLE:
                return
            self._sleep(POLL_S)

    def leave_if_asked(self) -> None:
        """Go on, unless a press that came meanwhile says to leave.

        Raises:
            KeyboardInterrupt: it does.
        """
        if self.pressed() in (Action.FINISH, Action.QUIT):
            raise KeyboardInterrupt

    def next_press(self) -> Action:
        """Whatever is pressed next."""
        while (action := self.pressed()) is None:
            self._sleep(POLL_S)
        return action

    def pressed(self) -> Action | None:
        """A press that came meanwhile; None without one."""
        self._watchdog.turn("calibrating")
        return next((event for control in self._controls if isinstance(event := control.poll(), Action)), None)


def _opened(settings: BenchSettings, panel: Panel) -> Iterator[Control]:
    for control in settings.controls:
        yield control.open(panel.keys)


@contextmanager
def guided(settings: BenchSettings, part: str, *, live: bool, by_button: bool) -> Iterator[Guide]:
    """A guide on the bench's displays; an error is shown there before it goes on its way.

    Args:
        settings: the bench.
        part: what is calibrated.
        live: whether a technician stands at the bench; stored pictures are measured at a desk, without its displays.
        by_button: whether each picture waits for a press.

    Raises:
        LeukoscopeError: a display or control cannot be opened.
    """
    with ExitStack() as stack:
        # A screen drawn in the terminal would tear what is printed there.
        displays = [one.open() for one in settings.displays if live and not one.in_terminal]
        for display in displays:
            stack.callback(display.close)
        panel = Panel(displays, words_of(settings.language))
        controls = list(_opened(settings, panel)) if live and by_button else []
        for control in controls:
            stack.callback(control.close)
        try:
            yield Guide(part, panel, controls)
        except LeukoscopeError as error:
            panel.show(fault_of(error))
            raise
