"""What every camera promises."""

from typing import Protocol

from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source


class Camera(Protocol):
    """A camera that is open. Every driver keeps the promises in tests/contracts/test_camera.py."""

    @property
    def source(self) -> Source:
        """Whether its pictures are live, replayed or simulated."""

    def capture(self) -> Frame | None:
        """The next frame, or None when the source has ended (only a replay ends).

        Raises:
            CameraInterrupted: the camera stopped or was unplugged, and is being opened again: ask again.
            CameraError: it failed, and did not come back in the time its settings allow.
        """

    def close(self) -> None:
        """Release the camera; safe to call twice."""
