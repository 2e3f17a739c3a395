"""A camera that stops is opened again for a while, then it is a fault: bounded, and reported at each step."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from leukoscope.errors import CameraError, CameraInterrupted
from leukoscope.sentence import Sentence

RETRY_S = 0.5
"""Seconds between two attempts to open a camera that is away."""

RecoverySeconds = Annotated[float, Field(ge=0, le=3600)]


class Recovery:
    """Turns the failures of a camera into interruptions until they have lasted too long."""

    def __init__(
        self,
        limit_s: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set the bound.

        Args:
            limit_s: seconds from the first failure after which the next one is final.
            clock: seconds, only running forward.
            pause: how the time between two attempts is waited for.
        """
        self._limit_s, self._clock, self._pause = limit_s, clock, pause
        self._failing_since_s: float | None = None
        self._attempts = 0

    @contextmanager
    def attempt(self, drop: Callable[[], None]) -> Iterator[None]:
        """Try for a frame, which ends the count of failures; on failure `drop` what is open of the camera.

        Raises:
            CameraInterrupted: it failed, and there is time to try again.
            CameraError: it has failed for longer than the limit.
        """
        if self._attempts > 1:
            self._pause(RETRY_S)
        try:
            yield
        except CameraError as problem:
            drop()
            raise self._judged(problem) from problem
        self._failing_since_s, self._attempts = None, 0

    def _judged(self, problem: CameraError) -> CameraError:
        now_s = self._clock()
        self._attempts += 1
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        failing_s = now_s - self._failing_since_s
        if failing_s < self._limit_s:
            return CameraInterrupted(problem.happened, problem.todo)
        tried = {"times": self._attempts, "seconds": f"{failing_s:.0f}"}
        happened = Sentence("{happened} (tried {times} times in {seconds} s)", happened=problem.happened, **tried)
        return CameraError(happened, problem.todo)
