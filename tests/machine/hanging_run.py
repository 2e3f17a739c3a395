"""`leukoscope run` with one part that blocks for ever: python hanging_run.py camera|disk|lock BENCH MARK."""

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

from leukoscope.cli import main as cli
from leukoscope.outbox.store import Outbox
from leukoscope.service import telemetry
from leukoscope.simulation.microscope import SimulatedMicroscope

FRAMES_BEFORE = 3


def hang() -> None:
    """As a driver in a dead bus: no signal handler of Python runs any more, no thread helps."""
    Path(sys.argv[3]).touch()
    threading.Event().wait()


def break_camera() -> None:
    """What the camera waits for does not come at the fourth frame."""
    look, before = SimulatedMicroscope.look, iter(range(FRAMES_BEFORE))

    def blocking(self: SimulatedMicroscope) -> Any:
        if next(before, None) is None:
            hang()
        return look(self)

    SimulatedMicroscope.look = blocking  # type: ignore[method-assign]


def break_disk() -> None:
    """Writing a report blocks."""
    keeping = importlib.import_module("leukoscope.outbox.record_report")
    vars(keeping)["record_version"] = lambda *_, **__: hang()


def break_lock() -> None:
    """Another thread keeps the outbox's lock for ever, as one that was deadlocked."""
    telemetry.HEALTH_S = 1.0
    opened = Outbox.open.__func__  # type: ignore[attr-defined]

    def open_and_hold(cls: type[Outbox], *rest: Any, **more: Any) -> Outbox:
        outbox: Outbox = opened(cls, *rest, **more)

        def hold() -> None:
            with outbox._lock:
                hang()

        threading.Timer(3.0, hold).start()
        return outbox

    Outbox.open = classmethod(open_and_hold)  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    {"camera": break_camera, "disk": break_disk, "lock": break_lock}[sys.argv[1]]()
    cli.app(["run", "--bench", sys.argv[2]])
