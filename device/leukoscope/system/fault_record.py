"""What the program died of, kept in /run until it works again, for the fault screen and for the person who helps."""

import faulthandler
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from leukoscope.system.durable_files import write_whole

_FAULT, _STACKS = "fault.json", "stacks.txt"
_PACKAGES = {
    "cameras": "Camera",
    "displays": "Display",
    "controls": "Button",
    "outbox": "Storage",
    "delivery": "Storage",
    "messages": "Storage",
    "inference": "Networks",
    "analysis": "Networks",
    "counting": "Networks",
    "statistics": "Networks",
}
_FRAME = re.compile(r'File ".*/leukoscope/([a-z_]+)[/.]')
_MAIN_LOOP = "leukoscope/service/loop.py"

_log = logging.getLogger("leukoscope")


@dataclass(frozen=True, slots=True)
class LastFault:
    """Why the program ended."""

    part: str
    """Such as "Camera"."""
    happened: str
    todo: str


class FaultRecord:
    """Two small files in a folder that outlives the process and not the boot; without a folder, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._stacks: TextIO | None = None

    @classmethod
    def of_this_service(cls, environ: Mapping[str, str] = os.environ) -> "FaultRecord":
        """In systemd's RuntimeDirectory, where this is a service that has one."""
        folder = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
        return cls(Path(folder) if folder else None)

    def begin(self) -> None:
        """Note where the last process was killed, if it was, and be ready to note it of this one.

        A process that a watchdog aborts writes where each of its threads was, even if it can do nothing else any more.
        """
        if self._folder is None:
            return
        stuck = self._stuck_in()
        if stuck is not None:
            self.write(stuck)
        try:
            stacks = (self._folder / _STACKS).open("w", encoding="utf-8")
        except OSError as error:
            _log.warning("what this process may die of cannot be kept in %s: %s", self._folder, error.strerror)
            return
        faulthandler.enable(stacks)
        self._stacks = stacks

    def end(self) -> None:
        """The process leaves by itself: there is nothing to note about its threads."""
        if self._stacks is not None:
            faulthandler.disable()
            self._stacks.close()
            self._stacks = None

    def write(self, fault: LastFault) -> None:
        """Keep a fault until `clear`; one that cannot be kept is in the log all the same."""
        if self._folder is None:
            return
        try:
            write_whole(self._folder / _FAULT, json.dumps(asdict(fault)).encode())
        except OSError as error:
            _log.warning("the fault cannot be kept in %s: %s", self._folder, error.strerror)

    def clear(self) -> None:
        """Everything works."""
        if self._folder is not None:
            (self._folder / _FAULT).unlink(missing_ok=True)

    def read(self) -> LastFault | None:
        """What the last process died of; None where that is unknown."""
        if self._folder is None:
            return None
        stuck = self._stuck_in()
        if stuck is not None:
            return stuck
        try:
            return LastFault(**json.loads((self._folder / _FAULT).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _stuck_in(self) -> LastFault | None:
        if self._folder is None:
            return None
        try:
            stacks = (self._folder / _STACKS).read_text("utf-8", errors="replace")
        except OSError:
            return None
        if not stacks.strip():
            return None
        calls = [line.strip() for line in stacks.split("\n") if line.startswith(("Current", "Thread", "  File"))]
        _log.error("the last process was killed; where its threads were: %s", " | ".join(calls))
        part = part_in(stacks)
        return LastFault(
            part,
            f"{part} stopped answering and the program was ended",
            "Check its cable, then switch the device off and on; leukoscope support packs what an engineer needs",
        )


def part_in(stacks: str) -> str:
    """Which part the main loop was busy with, by faulthandler's listing of every thread's calls, innermost first."""
    threads = re.split(r"\n(?=(?:Current thread|Thread) 0x)", stacks)
    frames = next((one for one in threads if _MAIN_LOOP in one), threads[0])
    packages = _FRAME.findall(frames)
    return next((_PACKAGES[package] for package in packages if package in _PACKAGES), "Instrument")
