"""Takes frames, hands them to the current sample, and shows what the sample waits for."""

import logging
from collections.abc import Callable

from leukoscope.cameras import Camera
from leukoscope.errors import CalibrationError
from leukoscope.instrument import Look, Waiting
from leukoscope.service.page_door import PageDoor
from leukoscope.service.presenter import Presenter
from leukoscope.service.sample_run import SampleRun
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source

LOOK_FAULTS = 5
"""Unexpected failures in a row before the device gives up."""
HINT_AFTER_S = 1.5
"""Seconds without a new field before the screen says what to do."""

_log = logging.getLogger("leukoscope")

PASSED_OVER = {
    Waiting.STAGE_MOVES: "while the stage moved",
    Waiting.MOVED_TOO_FAST: "while the stage moved too fast",
    Waiting.SEEN_BEFORE: "of a place seen before",
}


class Acquisition:
    """Takes and examines frames; a single frame that cannot be examined does not stop the device."""

    def __init__(self, camera: Camera, presenter: Presenter, clock_s: Callable[[], float], page: PageDoor) -> None:
        self._camera, self._presenter, self._clock_s, self._page = camera, presenter, clock_s, page
        self._faults = 0
        self._skipped_reported = 0
        self._seen_at_s = 0.0

    def capture(self) -> Frame | None:
        """A frame, shown where there is a window for it; None when there are no more pictures.

        Raises:
            CameraInterrupted: the camera is being opened again.
            CameraError: it failed for good.
        """
        frame = self._camera.capture()
        self._report_skipped()
        if frame is not None:
            self._presenter.field(frame)
        return frame

    def examine(self, frame: Frame, under_way: SampleRun) -> None:
        """Show the frame to the sample, and tell what came of it.

        Raises:
            CalibrationError: a live frame is not what the calibration was made for.
            Exception: `LOOK_FAULTS` frames in a row broke the analysis.
        """
        try:
            look = under_way.sample.take(frame)
            self._faults = 0
        except CalibrationError as error:
            if self._camera.source is Source.REPLAYED:
                # One odd picture in a folder; a live camera of the wrong size never gives a right one.
                _log.warning("%s: %s", frame.label, error)
                under_way.passed_over["of another size than the calibration's"] += 1
                return
            raise
        except Exception:
            # One picture that breaks the analysis must not cost the sample; a row of them is a defect.
            _log.exception("frame %d could not be examined", frame.number)
            self._faults += 1
            if self._faults >= LOOK_FAULTS:
                raise
            under_way.passed_over["that broke the analysis"] += 1
            return
        self._page.examined(frame, look)
        if isinstance(look, Waiting):
            under_way.passed_over[PASSED_OVER[look]] += 1
        if isinstance(look, Look) and not look.again:
            self._presenter.looked(look.field)
            under_way.take_in(look)
            self._seen_at_s = self._clock_s()
            under_way.show_on(self._presenter)
        elif look is Waiting.MOVED_TOO_FAST or self._clock_s() - self._seen_at_s >= HINT_AFTER_S:
            self._presenter.hint(under_way.sample, under_way.last_flaw, look)

    def _report_skipped(self) -> None:
        skipped = self._camera.skipped
        for path, reason in skipped[self._skipped_reported :]:
            _log.warning("picture passed over: %s: %s", path.name, reason)
        self._skipped_reported = len(skipped)
