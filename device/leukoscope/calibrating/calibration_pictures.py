"""Pictures to calibrate from: of the bench's camera, one after the other, or stored ones."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from leukoscope.calibrating.guide import Guide
from leukoscope.cameras import Camera
from leukoscope.cameras.picture_files import find_pictures
from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import CalibrationError
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Frame


def stored(patterns: Sequence[str]) -> list[Frame]:
    """Every picture that files, folders and patterns name.

    Raises:
        PictureError: a pattern names nothing, or a file is no picture.
    """
    now = datetime.now(UTC)
    paths = list(find_pictures(patterns))
    return [Frame(read_picture(path), number, now, "file", path.name) for number, path in enumerate(paths, 1)]


def taken(
    camera: Camera,
    count: int,
    todo: str,
    guide: Guide,
    *,
    every_s: float,
    one_press: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Frame]:
    """`count` frames; before each of them a press is waited for, or some seconds pass between two.

    Args:
        camera: takes them.
        count: how many.
        todo: what the technician is asked for.
        guide: asks it.
        every_s: seconds between two pictures that wait for no press.
        one_press: nothing has to be moved between the pictures, so the first press is for all of them.
        sleep: how the time between two pictures is waited for.

    Raises:
        KeyboardInterrupt: a press said to leave.
        CameraError: the camera failed.
        CalibrationError: it ended before there were enough.
    """
    frames: list[Frame] = []
    while len(frames) < count:
        guide.show(
            Sentence("{todo}, then press", todo=todo) if guide.waits and not (one_press and frames) else todo,
            Sentence("{done} of {count} pictures", done=len(frames), count=count),
            len(frames) / count,
        )
        if guide.waits and not (one_press and frames):
            guide.wait_for_press()
        elif frames:
            sleep(every_s)
            guide.leave_if_asked()
        frame = camera.capture()
        if frame is None:
            raise CalibrationError(f"expected {count} pictures, the camera ended after {len(frames)}", "ask for fewer")
        guide.field(frame)
        frames.append(frame)
    return frames
