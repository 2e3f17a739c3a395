"""The fields that are timed: seeded, from the simulated microscope, so that every machine gets the same."""

from dataclasses import dataclass

from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.flatfield import FlatField, gain_from_blank
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Frame

BLANKS = 3
WHITE_PER_1000_RBC = 25.0
"""Some ten times normal blood, so that a field with white cells is soon found."""


@dataclass(frozen=True, slots=True)
class FieldSize:
    """One kind of camera picture, and how fast it shall be."""

    key: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    um_per_px: float
    most_white_cells: int
    """A field has at least one white cell and at most so many."""
    limit_ms: float
    """From pixels to named cells, one thread, median."""

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.um_per_px:g} µm/px, 1 to {self.most_white_cells} white cells"


SIZES = (
    FieldSize("small", 640, 480, 0.127, most_white_cells=2, limit_ms=10.0),
    FieldSize("large", 1330, 1080, 0.1, most_white_cells=6, limit_ms=30.0),
)


@dataclass(frozen=True, slots=True)
class TimedFields:
    """Fields of one size and the calibration of the camera that took them."""

    size: FieldSize
    calibration: Calibration
    frames: tuple[Frame, ...]


def take_fields(size: FieldSize, count: int, seed: int) -> TimedFields:
    """The first `count` fields of a simulated slide that hold as many white cells as the size asks for."""
    camera = SimulatedCameraSettings(
        smear=SmearSettings(seed=seed, white_per_1000_rbc=WHITE_PER_1000_RBC),
        microscope=MicroscopeSettings(seed=seed, width=size.width, height=size.height, um_per_px=size.um_per_px),
    ).open()
    gain = gain_from_blank([camera.capture_blank() for _ in range(BLANKS)])
    calibration = Calibration(
        f"benchmark-{size.key}",
        measured=False,
        um_per_px=size.um_per_px,
        sensor=(size.height, size.width),
        flat_field=FlatField(gain),
    )
    frames: list[Frame] = []
    while len(frames) < count:
        frame = camera.capture()
        if 1 <= _white_cells(camera) <= size.most_white_cells:
            frames.append(frame)
    return TimedFields(size, calibration, tuple(frames))


def _white_cells(camera: SimulatedCamera) -> int:
    return sum(cell.kind is CellKind.WBC for cell in camera.truth)
