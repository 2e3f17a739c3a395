"""The bench of a soak: a slide that is walked over, an unseen display, and presses that start and finish samples."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from PIL.Image import Image

from leukoscope.cameras import CameraSettings
from leukoscope.cameras.door import Camera, CameraDefaults
from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.controls import Action, Event, Identify
from leukoscope.displays.display import DisplayDefaults
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source

COLUMNS = 10
"""Fields per row of the walk over the slide."""
FRAMES_PER_FIELD = 2
"""In the first the stage was still moving, in the second it rests."""
STEP = 0.55
"""Share of a picture from one field to the next: the rest is seen twice, and the stage is never lost."""
BENCH: dict[str, Any] = {
    "site": "soak",
    "device": "test",
    "calibration": {"um_per_px": 0.127},
    "controls": [{"driver": "scripted", "presses": []}],
    "counting": {"white_cells": 10000},
    "models": {"engine": {"driver": "onnx", "threads": 1}},
    "camera": {
        "driver": "simulated",
        "path": "keys",
        "smear": {"white_per_1000_rbc": 20.0},
        "microscope": {"width": 320, "height": 240},
    },
}
"""What is alike in every soak."""


class Walk(CameraDefaults):
    """A camera over a slide that is walked row by row; each field is drawn once and kept."""

    source = Source.SIMULATED

    def __init__(self, settings: CameraSettings, camera: Camera) -> None:
        if not (isinstance(settings, SimulatedCameraSettings) and isinstance(camera, SimulatedCamera)):
            raise TypeError("the walk needs the simulated camera")
        self._camera = camera
        microscope = settings.microscope
        self._step_um = STEP * microscope.width * microscope.um_per_px, STEP * microscope.height * microscope.um_per_px
        self._drawn: list[Frame] = []
        self._frames = self._frames_of_slide = 0

    @property
    def fields(self) -> int:
        """Shown of this slide, each to its end."""
        return self._frames_of_slide // FRAMES_PER_FIELD

    def change_slide(self) -> None:
        """Begin again where the first field lies."""
        self._frames_of_slide = 0

    def capture(self) -> Frame:
        """The field where the stage is."""
        number = self._frames_of_slide // FRAMES_PER_FIELD
        if number == len(self._drawn):
            row, col = divmod(number, COLUMNS)
            across = COLUMNS - 1 - col if row % 2 else col
            self._camera.stage.move_to(across * self._step_um[0], row * self._step_um[1])
            self._drawn.append(self._camera.capture())
        self._frames += 1
        self._frames_of_slide += 1
        return replace(self._drawn[number], number=self._frames, captured_at=datetime.now(UTC))

    def close(self) -> None:
        """Its owner closes the camera."""


class Glass(DisplayDefaults):
    """A display that is drawn for and shows nothing."""

    def __init__(self, size: tuple[int, int], *, monochrome: bool) -> None:
        self.size, self.monochrome = size, monochrome

    def show(self, image: Image) -> None:
        """As bytes on a bus that is not there."""
        image.tobytes()

    def close(self) -> None:
        """Nothing to release."""


GLASSES = (Glass((128, 64), monochrome=True),)
"""As on the bench of systemd/bench.toml."""


class Hand:
    """Starts a sample, finishes it after so many fields, and starts the next."""

    def __init__(self, samples: int, fields: int, walk: Walk, look: Callable[[], None], after: Callable[[int], None]):
        """`look` is called at both ends of a sample, `after` with the number of samples that are finished."""
        self._samples, self._fields, self._walk, self._look, self._after = samples, fields, walk, look, after
        self._counting = self._event_given = self._named = False
        self.done = 0

    def poll(self) -> Event | None:
        """One event per turn at most."""
        if self._event_given:
            self._event_given = False
            return None
        event = self._next()
        self._event_given = event is not None
        return event

    def _next(self) -> Event | None:
        if not self._counting:
            if 0 < self.done < self._samples and not self._named:
                # A name begins the next sample at once, where a press alone would turn the pages of the last result.
                self._named = True
                return Identify(f"soak-{self.done + 1}")
            self._named = False
            self._look()
            if self.done:
                self._after(self.done)
            if self.done == self._samples:
                return Action.QUIT
            self._walk.change_slide()
            self._counting = True
            return Action.TOGGLE
        if self._walk.fields < self._fields:
            return None
        self._look()
        self._counting, self.done = False, self.done + 1
        return Action.FINISH

    def close(self) -> None:
        """Nothing to release."""
