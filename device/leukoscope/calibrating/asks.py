"""What a calibration says to the technician, by id; the texts are the ids of the catalogues."""

from enum import StrEnum


class Title(StrEnum):
    """The parts of a calibration."""

    DARK = "Dark level"
    FLAT = "Flat field"
    WHITE = "White balance"
    SCALE = "Scale"
    SCALE_CHECK = "Check of the scale"
    FOCUS = "Focus"


class Ask(StrEnum):
    """What the technician does with slide, focus or lamp."""

    SWITCH_LAMP_OFF = "Switch the lamp off"
    MOVE_TO_NEXT = "Move to the next empty place"
    STAY = "Stay at an empty place"
    FOCUS_ON_SMEAR = "Focus on a smear"
    FOCUS_ON_MICROMETER = "Focus on the stage micrometer"
    GO_TO_SPREAD_CELLS = "Go where cells lie side by side"
    TURN_FINE_FOCUS = "Turn the fine focus through its best point"


class Next(StrEnum):
    """What comes after a part."""

    FLAT = "Next: lamp on, an empty place of the slide, and `leukoscope calibrate flat`."
    WHITE = "Next: stay at an empty place, and `leukoscope calibrate white`."
    SCALE = "Next: the stage micrometer under the objective, and `leukoscope calibrate scale`."
    SCALE_CHECK = "Next: a smear under the objective, and `leukoscope calibrate scale --check`."
    COUNT = "Next: `leukoscope doctor`, then count."
