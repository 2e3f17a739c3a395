"""What a hand can ask for."""

from enum import StrEnum


class Action(StrEnum):
    """What a hand can ask for."""

    TOGGLE = "toggle"
    """Start, pause or go on (a short press)."""
    FINISH = "finish"
    """End the sample now (a long press)."""
    QUIT = "quit"
    """Leave the program (keyboard only)."""
    STAGE_LEFT = "stage_left"
    STAGE_RIGHT = "stage_right"
    STAGE_UP = "stage_up"
    STAGE_DOWN = "stage_down"
