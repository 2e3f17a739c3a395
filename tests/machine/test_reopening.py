from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from leukoscope.cameras.reopening import MOST_IN_A_WHILE, ReopeningCamera
from leukoscope.errors import CameraError, CameraTimeout, CameraUnavailable
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source

SILENT = "the camera sent no frame within 5 s: check its cable"


class FlakyCamera:
    """Sends frames, or raises what its script says at each capture."""

    def __init__(self, script: list[CameraError | None]) -> None:
        self._script = script
        self.closed = False
        self.source = Source.LIVE

    def capture(self) -> Frame | None:
        failure = self._script.pop(0) if self._script else None
        if failure is not None:
            raise failure
        return Frame(np.zeros((2, 2, 3), np.uint8), 1, datetime.now(UTC), "flaky")

    def close(self) -> None:
        self.closed = True


class Desk:
    """Cameras that are opened one after the other, what was told, and time that passes only by waiting."""

    def __init__(self, *scripts: list[CameraError | None] | CameraError) -> None:
        self._scripts = list(scripts)
        self.opened: list[FlakyCamera] = []
        self.told: list[str] = []
        self.now_s = 0.0

    def open(self) -> FlakyCamera:
        script = self._scripts.pop(0) if self._scripts else []
        if isinstance(script, CameraError):
            raise script
        self.opened.append(FlakyCamera(script))
        return self.opened[-1]

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def camera(self) -> ReopeningCamera:
        tell: Callable[[CameraError], None] = lambda error: self.told.append(str(error))  # noqa: E731
        return ReopeningCamera(self.open, tell, clock_s=lambda: self.now_s, sleep=self.wait)


def test_a_camera_that_times_out_is_closed_opened_again_and_goes_on() -> None:
    desk = Desk([None, CameraTimeout(SILENT)])
    camera = desk.camera()
    assert camera.capture() is not None
    assert camera.capture() is not None
    assert [one.closed for one in desk.opened] == [True, False]
    assert desk.told == [SILENT]
    assert camera.source is Source.LIVE


def test_a_plug_that_comes_back_after_a_while_is_waited_for() -> None:
    gone = CameraUnavailable("the camera is not there: is it plugged in?")
    desk = Desk([CameraError("the camera is gone: plug it in")], gone, gone)
    assert desk.camera().capture() is not None
    assert len(desk.told) == 3


def test_a_camera_that_stays_silent_is_given_up_after_a_few_attempts() -> None:
    desk = Desk(*([CameraTimeout(SILENT)] for _ in range(9)))
    camera = desk.camera()
    with pytest.raises(CameraError, match="opened again 3 times without success; the camera sent no frame") as given_up:
        camera.capture()
    # Not a time-out any more, or whoever asks would ask again.
    assert not isinstance(given_up.value, CameraTimeout)
    assert len(desk.opened) == 4


def test_a_camera_that_fails_again_and_again_is_broken_even_if_it_always_comes_back() -> None:
    desk = Desk(*([None, CameraTimeout(SILENT)] for _ in range(99)))
    camera = desk.camera()
    with pytest.raises(CameraError, match="had to be opened again 12 times in 10 minutes"):
        for _ in range(99):
            camera.capture()
    assert len(desk.opened) == MOST_IN_A_WHILE + 1


def test_rare_failures_are_forgiven_for_ever() -> None:
    desk = Desk(*([None, CameraTimeout(SILENT)] for _ in range(40)))
    camera = desk.camera()
    for _ in range(40):
        assert camera.capture() is not None
        desk.wait(300.0)


def test_a_camera_that_is_missing_at_the_start_is_not_waited_for() -> None:
    with pytest.raises(CameraUnavailable, match="not there"):
        Desk(CameraUnavailable("not there")).camera()


def test_a_closed_camera_is_not_opened_again() -> None:
    desk = Desk()
    camera = desk.camera()
    camera.close()
    camera.close()
    with pytest.raises(CameraError, match="is closed"):
        camera.capture()
    assert len(desk.opened) == 1
    assert desk.opened[0].closed
