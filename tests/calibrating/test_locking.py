from dataclasses import replace

import numpy as np
import pytest

from leukoscope.calibrating.locking import locked
from leukoscope.errors import CalibrationError
from leukoscope.specimen.frame import Frame
from tests.drawings import frame_of

PICTURE = np.zeros((4, 6, 3), np.uint8)


def shots(*red_gains: float) -> list[Frame]:
    return [replace(frame_of(PICTURE), colour_gains=(gain, 1.6)) for gain in red_gains]


def test_gains_that_stand_still_are_kept_and_those_that_do_not_are_refused() -> None:
    assert locked(shots(1.80, 1.82))["colour_gains"] == (1.80, 1.6)
    with pytest.raises(CalibrationError, match=r"the camera's red gain changed from 1\.8 to 1\.9"):
        locked(shots(1.8, 1.9))


def test_a_camera_that_tells_a_gain_of_zero_is_judged_like_any_other() -> None:
    assert locked(shots(0.0, 0.0))["colour_gains"] == (0.0, 1.6)
    with pytest.raises(CalibrationError, match="the camera's red gain changed from 0 to 1"):
        locked(shots(0.0, 1.0))
