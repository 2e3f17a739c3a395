"""What the page in the browser shows of the running bench: its state, and its newest field where anybody watches.

Both are small files in memory. Pictures are made in at most a fiftieth of the time, however many browsers watch: frames
are left out instead, so that no browser can slow a count.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from leukoscope.displays.live_picture import live_picture
from leukoscope.displays.state import Counting, Guiding, Looking, Ready, Result, Screen, Sent
from leukoscope.messages.live_state import Doing, LiveState, UnderWay, to_be_written
from leukoscope.optics.quality import live_sharpness
from leukoscope.specimen.cell import ClassifiedCell
from leukoscope.specimen.frame import Frame
from leukoscope.system.page_folder import PICTURE, STATE

PICTURE_SHARE = 0.02
"""Of the time, at most, for pictures that browsers watch."""
LEAST_BETWEEN_S = 0.5
"""Between two pictures."""
WATCHED_FOR_S = 10.0
"""After a browser asked for the state."""
BEAT_S = 2.0
"""The state is written anew after as long, though it did not change."""

_log = logging.getLogger("leukoscope")


@dataclass(frozen=True, slots=True)
class BenchFacts:
    """What does not change while the bench runs."""

    calibration: str
    calibration_measured: bool
    least_sharpness: float
    """Below it a field is refused as out of focus, 0-1."""
    um_per_px: float


class LiveView:
    """Writes the state and the newest field of a bench; what cannot be written is logged once and left."""

    def __init__(
        self,
        folder: Path,
        facts: BenchFacts,
        now: Callable[[], datetime],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the folder.

        Raises:
            OSError: it cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._folder, self._facts, self._now, self._clock_s = folder, facts, now, clock_s
        self._screens: dict[str, Any] = {}
        self._sample: UnderWay | None = None
        self._doing: Doing = "ready"
        self._alarms: tuple[str, ...] = ()
        self._focus: float | None = None
        self._frame = 0
        self._watched_until_s = self._next_picture_s = -math.inf
        self._written_at_s = -math.inf
        self._broken = False

    def watch(self) -> None:
        """Someone looks at the page."""
        self._watched_until_s = self._clock_s() + WATCHED_FOR_S

    @property
    def watched(self) -> bool:
        """Whether a browser asked for the state lately."""
        return self._clock_s() < self._watched_until_s

    def shown(self, screen: Screen) -> None:
        """A screen came to the displays."""
        name = type(screen).__name__
        self._screens = {one: self._screens[one] for one in _WITH[name] if one in self._screens}
        self._screens[name] = asdict(screen)
        self._write()

    def turn(self, doing: Doing, sample: UnderWay | None, alarms: Sequence[str]) -> None:
        """To be called at every turn of the main loop.

        Args:
            doing: as in `LiveState`.
            sample: the one under way.
            alarms: what the instrument warns of.
        """
        seen = doing, sample, tuple(alarms)
        changed = seen != (self._doing, self._sample, self._alarms)
        self._doing, self._sample, self._alarms = seen
        if changed or self._clock_s() - self._written_at_s >= BEAT_S:
            self._write()

    def picture(self, frame: Frame, cells: Sequence[ClassifiedCell] = (), sharpness: float | None = None) -> None:
        """Show a frame, where a person watches and it is time for one.

        Args:
            frame: as the camera gave it, or as it was examined.
            cells: found in it.
            sharpness: where it was measured already.
        """
        begun_s = self._clock_s()
        if self._broken or begun_s < self._next_picture_s or not self.watched:
            return
        self._focus = live_sharpness(frame.pixels, self._facts.um_per_px) if sharpness is None else sharpness
        self._put(PICTURE, live_picture(frame.pixels, cells))
        self._frame += 1
        self._write()
        ended_s = self._clock_s()
        self._next_picture_s = ended_s + max(LEAST_BETWEEN_S, (ended_s - begun_s) / PICTURE_SHARE)

    def close(self) -> None:
        """The bench leaves; a fault that it leaves with stays to be read."""
        for name in (PICTURE,) if "Fault" in self._screens else (PICTURE, STATE):
            (self._folder / name).unlink(missing_ok=True)

    def _write(self) -> None:
        state = LiveState(
            at=self._now(),
            doing=self._doing,
            sample=self._sample,
            screens=to_be_written(self._screens),
            alarms=tuple(to_be_written(self._alarms)),
            focus=self._focus,
            frame=self._frame,
            calibration=self._facts.calibration,
            calibration_measured=self._facts.calibration_measured,
            least_sharpness=self._facts.least_sharpness,
        )
        self._put(STATE, state.model_dump_json().encode())
        self._written_at_s = self._clock_s()

    def _put(self, name: str, content: bytes) -> None:
        """In one step for those who read; nothing here has to outlive a power cut."""
        if self._broken:
            return
        unfinished = self._folder / f".{name}"
        try:
            unfinished.write_bytes(content)
            unfinished.replace(self._folder / name)
        except OSError as error:
            self._broken = True
            _log.warning("the page in the browser sees nothing live: %s", error)


_WITH: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Starting", "Fault"), ("Counting",)),
    Ready.__name__: (),
    Looking.__name__: ("Counting",),
    Counting.__name__: (),
    Guiding.__name__: ("Counting", "Ready", "Result"),
    Result.__name__: (),
    Sent.__name__: ("Result",),
}
"""Which earlier screens still hold beside a new one."""
