"""Reads a camera in a thread of its own, so that a device that falls silent blocks no other thread."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from leukoscope.errors import CameraError

_EMPTY_S = 0.02
"""Pause after a device gave nothing, which it may do without waiting."""

Shot = TypeVar("Shot")


class Reader(Generic[Shot]):
    """Takes every frame off the device and decodes only the one a caller waits for; none is queued."""

    def __init__(
        self, grab: Callable[[], bool], retrieve: Callable[[], Shot], release: Callable[[], None], name: str
    ) -> None:
        """Start reading. All three are called on the reading thread alone.

        Args:
            grab: take the next frame off the device; False where none came. CameraError ends the reading.
            retrieve: decode the frame taken last.
            release: let go of the device; called once, when the reading has ended.
            name: of the thread.
        """
        self._grab, self._retrieve, self._release = grab, retrieve, release
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._arrived = 0
        self._target: int | None = None
        self._shot: Shot | None = None
        self._problem: CameraError | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._read, name=name, daemon=True)
        self._thread.start()

    def next(self, skip: int, timeout_s: float) -> Shot | None:
        """The newest frame once more than `skip` have arrived after this call; None when the time is up first.

        Raises:
            CameraError: the device failed, or the reading was stopped.
        """
        with self._changed:
            self._shot = None
            self._target = self._arrived + skip + 1
            self._changed.wait_for(lambda: self._shot is not None or self._ended, timeout_s)
            shot, self._shot, self._target = self._shot, None, None
            if shot is None and self._ended:
                raise self._problem or CameraError("the camera is no longer read", "open it again")
            return shot

    def stop(self, wait_s: float) -> bool:
        """Read no more; True once the device is released, False where it still blocks after `wait_s` seconds."""
        self._stopping.set()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._grab():
                    self._count()
                else:
                    self._stopping.wait(_EMPTY_S)
        except CameraError as problem:
            self._problem = problem
        finally:
            self._release()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _count(self) -> None:
        with self._changed:
            self._arrived += 1
            wanted = self._target is not None and self._arrived >= self._target
            if wanted:
                # One frame per call: the waiting caller may wake up only after the next one has come.
                self._target = None
        if wanted:
            shot = self._retrieve()
            with self._changed:
                self._shot = shot
                self._changed.notify_all()
