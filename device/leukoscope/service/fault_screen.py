"""Keeps the last fault on every working display, after the device itself has given up, until the technician presses."""

import logging
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from leukoscope.controls import Action, Control, ControlSettings
from leukoscope.displays import Display, DisplaySettings
from leukoscope.displays.show import Attended, show_everywhere
from leukoscope.displays.state import Fault
from leukoscope.errors import LeukoscopeError, SettingsError
from leukoscope.schema import table_of
from leukoscope.system.fault_record import FaultRecord, LastFault

PRESSED = 10
"""Exit code after a press: the unit then starts the device again."""
AGAIN_S = 10.0
"""How often a display or button that did not answer is tried again."""
TURN_S = 0.1
_RESULTS = {
    "oom-kill": LastFault("Memory", "The memory ran out and the program was ended", "Switch off and on again"),
    "timeout": LastFault("Instrument", "The start took too long and was given up", "Switch off and on again"),
    "watchdog": LastFault("Instrument", "The program stood still and was ended", "Switch off and on again"),
}
_UNKNOWN = LastFault("Instrument", "The program ended again and again", "Run leukoscope doctor")

Part = TypeVar("Part", Display, Control)

_log = logging.getLogger("leukoscope")


@dataclass(frozen=True, slots=True)
class Panes:
    """What a settings file says about displays and controls, as far as it can be read."""

    displays: tuple[DisplaySettings, ...]
    controls: tuple[ControlSettings, ...]


def read_panes(path: Path) -> Panes:
    """Each display and control that is well described; the rest of the file may be what is wrong.

    Raises:
        SettingsError: the file names no display that could be used.
    """
    try:
        content = table_of(path.read_bytes())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read, so no display is known: {error}", "correct the file") from error
    displays = _each(TypeAdapter(DisplaySettings), content.get("displays"))
    if not displays:
        raise SettingsError(f"{path} describes no display that could tell a fault", "give one under [[displays]]")
    return Panes(displays, _each(TypeAdapter(ControlSettings), content.get("controls")))


def last_fault(environ: Mapping[str, str]) -> LastFault:
    """What the device died of: as it noted itself, or else as systemd saw it end (systemd 251 and newer)."""
    kept = FaultRecord.of_this_service(environ).read()
    return kept or _RESULTS.get(environ.get("MONITOR_SERVICE_RESULT", ""), _UNKNOWN)


@dataclass(slots=True)
class FaultScreen:
    """Shows one fault; parts that do not answer are tried again and never end it."""

    panes: Panes
    fault: LastFault
    clock_s: Callable[[], float]
    sleep: Callable[[float], None]
    _running: bool = True
    _displays: dict[int, Attended] = field(default_factory=dict)
    _controls: dict[int, Control] = field(default_factory=dict)
    _tried_at_s: float | None = None

    def run(self) -> bool:
        """Show the fault until the technician presses (True) or `stop` is called (False)."""
        _log.error("%s: %s (%s)", self.fault.part, self.fault.happened, self.fault.todo)
        try:
            while self._running:
                if self._tried_at_s is None or self.clock_s() - self._tried_at_s >= AGAIN_S:
                    self._tried_at_s = self.clock_s()
                    self._show()
                if self._pressed():
                    return True
                self.sleep(TURN_S)
            return False
        finally:
            for attended in self._displays.values():
                attended.display.close()
            for control in self._controls.values():
                control.close()

    def stop(self) -> None:
        """Leave at the next turn."""
        self._running = False

    def _show(self) -> None:
        for number, display in enumerate(self.panes.displays):
            open_display: Callable[[], Display] = display.open
            if number not in self._displays and (glass := _opened(open_display)) is not None:
                self._displays[number] = Attended(glass, retry_s=0.0)
        keys = next((one.display.keys for one in self._displays.values() if one.display.keys is not None), None)
        for number, control in enumerate(self.panes.controls):
            open_control: Callable[[], Control] = partial(control.open, keys)
            if number not in self._controls and (hand := _opened(open_control)) is not None:
                self._controls[number] = hand
        todo = f"{self.fault.todo}; then press the button" if self._controls else self.fault.todo
        screen = Fault(self.fault.part, self.fault.happened, todo)
        for error in show_everywhere(screen, self._displays.values(), self.clock_s()):
            _log.warning("display: %s", error)

    def _pressed(self) -> bool:
        for control in self._controls.values():
            try:
                while (action := control.poll()) is not None:
                    if action in (Action.TOGGLE, Action.FINISH):
                        return True
            except LeukoscopeError as error:
                _log.warning("%s", error)
        return False


def _opened(open_part: Callable[[], Part]) -> Part | None:
    try:
        return open_part()
    except LeukoscopeError as error:
        _log.warning("%s", error)
        return None


def _each(kind: TypeAdapter[Any], entries: object) -> tuple[Any, ...]:
    found = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            found.append(kind.validate_python(entry))
        except ValidationError as error:
            _log.warning("left out: %s", error.errors(include_url=False)[0]["msg"])
    return tuple(found)
