"""What every camera promises."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source


class Camera(Protocol):
    """A camera that is open. Every driver keeps the promises in tests/contracts/test_camera.py."""

    @property
    def source(self) -> Source:
        """Whether its pictures are live, replayed or simulated."""

    @property
    def repeatable(self) -> bool:
        """True where a capture uses nothing up: no stored picture, no field of a stage that moves by itself."""

    @property
    def stills(self) -> bool:
        """True where each picture was taken for itself, of a stage at rest; the next may show any other place."""

    @property
    def skipped(self) -> Sequence[tuple[Path, str]]:
        """Stored pictures that could not be read so far, each with the reason."""

    def capture(self) -> Frame | None:
        """The next frame, or None when the source has ended (only a replay ends).

        Raises:
            CameraInterrupted: the camera stopped or was unplugged, and is being opened again: ask again.
            CameraError: it failed, and did not come back in the time its settings allow.
        """

    def move_stage(self, right_um: float, down_um: float) -> None:
        """Move the stage, micrometres; nothing happens where only a hand can move it."""

    def close(self) -> None:
        """Release the camera; safe to call twice."""


class CameraDefaults:
    """The answers of a camera on a real microscope, whose stage is moved by hand."""

    repeatable: bool = True
    stills: bool = False
    skipped: Sequence[tuple[Path, str]] = ()

    def move_stage(self, right_um: float, down_um: float) -> None:
        """A hand moves it."""
