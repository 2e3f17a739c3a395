"""A live camera that is opened again when it stops sending, a bounded number of times."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from leukoscope.cameras.door import Camera
from leukoscope.errors import CameraError
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source

PAUSES_S = (0.5, 2.0, 5.0)
"""Pause before each attempt to open a camera again; a USB camera that lost its plug is back after about two seconds."""
MOST_IN_A_WHILE, WHILE_S = 12, 600.0
"""A camera that has to be opened this often in this time is broken, even if each time helps."""

_log = logging.getLogger("leukoscope")


class ReopeningCamera:
    """Keeps the promises of a camera over one that may have to be closed and opened again."""

    def __init__(
        self,
        open_camera: Callable[[], Camera],
        tell: Callable[[CameraError], None],
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open it the first time, as often as once.

        Args:
            open_camera: as the settings' `open`.
            tell: hears about each failure before the camera is opened again.
            pauses_s: seconds before each attempt; their number bounds the attempts in a row.
            clock_s: seconds; only runs forward.
            sleep: waits.

        Raises:
            CameraUnavailable: it is not there.
        """
        self._open, self._tell = open_camera, tell
        self._pauses_s, self._clock_s, self._sleep = pauses_s, clock_s, sleep
        self._reopened_at_s: deque[float] = deque()
        self._camera: Camera | None = open_camera()
        self._source = self._camera.source
        self._closed = False

    @property
    def source(self) -> Source:
        """That of the camera behind it."""
        return self._source

    def capture(self) -> Frame | None:
        """See `Camera.capture`.

        Raises:
            CameraError: it is closed, or it failed and opening it again did not help.
        """
        if self._closed:
            raise CameraError("the camera is closed: open it again to capture")
        try:
            return self._capture()
        except CameraError as error:
            failure = error
        for attempt, pause_s in enumerate(self._pauses_s, start=1):
            self._refuse_flapping(failure)
            _log.warning("camera: %s (opening it again, attempt %d)", failure, attempt)
            self._tell(failure)
            self._let_go()
            self._sleep(pause_s)
            try:
                return self._capture()
            except CameraError as error:
                failure = error
        raise CameraError(f"opened again {len(self._pauses_s)} times without success; {failure}") from failure

    def close(self) -> None:
        """Release the camera; safe to call twice."""
        self._closed = True
        self._let_go()

    def _capture(self) -> Frame | None:
        if self._camera is None:
            self._camera = self._open()
        return self._camera.capture()

    def _let_go(self) -> None:
        camera, self._camera = self._camera, None
        if camera is None:
            return
        try:
            camera.close()
        except Exception as error:
            # A camera that failed may fail at its end too; a new one is opened either way.
            _log.warning("camera: closing it failed (%s)", error)

    def _refuse_flapping(self, failure: CameraError) -> None:
        now_s = self._clock_s()
        while self._reopened_at_s and now_s - self._reopened_at_s[0] > WHILE_S:
            self._reopened_at_s.popleft()
        if len(self._reopened_at_s) >= MOST_IN_A_WHILE:
            raise CameraError(
                f"it had to be opened again {MOST_IN_A_WHILE} times in {WHILE_S / 60:.0f} minutes; {failure}"
            ) from failure
        self._reopened_at_s.append(now_s)
