"""A camera on the simulated microscope: no hardware, no hidden randomness, and the truth of every frame."""

from typing import Literal

from pydantic import Field, model_validator

from leukoscope.cameras.door import CameraDefaults
from leukoscope.errors import CameraError
from leukoscope.schema import FrozenModel
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope, VisibleCell
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Path, Serpentine, Stage
from leukoscope.simulation.stage_micrometer import Ruling, RulingSettings
from leukoscope.specimen.frame import Frame, Pixels
from leukoscope.specimen.sample import Source
from leukoscope.system.clock import Clock, utc_now


class SimulatedCameraSettings(FrozenModel):
    """A simulated slide, microscope and stage."""

    driver: Literal["simulated"] = "simulated"
    slide: Literal["smear", "blank", "ruling", "dark"] = "smear"
    """What the camera sees; for calibrating: "blank" empty glass, "ruling" a stage micrometer, "dark" no lamp."""
    smear: SmearSettings = SmearSettings()
    """The specimen, where the slide is a smear."""
    ruling: RulingSettings = RulingSettings()
    """The lines, where the slide is a ruling."""
    microscope: MicroscopeSettings = MicroscopeSettings()
    """Objective, lamp and sensor."""
    path: Literal["serpentine", "keys"] = "serpentine"
    """"serpentine" moves the stage by itself, field by field; with "keys" it stays until it is moved."""
    columns: int = Field(default=20, ge=1, le=10_000)
    """Fields per row of the serpentine."""
    overlap: float = Field(default=0.0, ge=-1.0, le=0.95)
    """Share of a field seen again in the next, 0-0.95; below 0 leaves a gap."""
    dwell_frames: int = Field(default=1, ge=1, le=1000)
    """Frames taken at each field before the stage moves on."""
    travel_frames: int = Field(default=0, ge=0, le=1000)
    """Frames taken while the stage moves to the next field; 0 jumps."""
    frame_interval_s: float = Field(default=0.1, gt=0, le=60)
    """Seconds of the stage's own clock per frame; decides the speed while moving, hence the smear."""
    start_x_um: float = 0.0
    """Where the middle of the first field lies on the slide, micrometres."""
    start_y_um: float = 0.0
    """Where the middle of the first field lies on the slide, micrometres."""

    @model_validator(mode="after")
    def _shutter_within_frame(self) -> "SimulatedCameraSettings":
        if self.microscope.exposure_us / 1e6 > self.frame_interval_s / 2:
            raise ValueError(
                f"an exposure of {self.microscope.exposure_us} us does not fit half a frame interval of "
                f"{self.frame_interval_s:g} s: shorten `exposure_us` or lengthen `frame_interval_s`"
            )
        return self

    def open(self) -> "SimulatedCamera":
        """A camera at the start of its path."""
        return SimulatedCamera(self)

    def stage_path(self) -> Path | None:
        """The serpentine in micrometres and seconds, or None where keys move the stage."""
        if self.path == "keys":
            return None
        scale, share = self.microscope.um_per_px, 1 - self.overlap
        return Serpentine(
            columns=self.columns,
            step_x_um=self.microscope.width * scale * share,
            step_y_um=self.microscope.height * scale * share,
            dwell_s=self.dwell_frames * self.frame_interval_s,
            travel_s=self.travel_frames * self.frame_interval_s,
        )


class SimulatedCamera(CameraDefaults):
    """Captures what the simulated microscope sees; the stage's clock ticks once per frame."""

    def __init__(self, settings: SimulatedCameraSettings, now: Clock = utc_now) -> None:
        self._settings, self._now = settings, now
        self.repeatable = settings.path == "keys"
        self._number = 0
        self._truth: tuple[VisibleCell, ...] = ()
        self._closed = False
        self.stage = Stage(self._seconds, settings.start_x_um, settings.start_y_um, settings.stage_path())
        self._microscope = SimulatedMicroscope(Smear(settings.smear), self.stage, settings.microscope)

    @property
    def source(self) -> Source:
        """Always simulated."""
        return Source.SIMULATED

    @property
    def truth(self) -> tuple[VisibleCell, ...]:
        """Every cell in the last frame; empty before the first."""
        return self._truth

    def capture(self) -> Frame:
        """The field under the objective now; the stage then moves on along its path.

        Raises:
            CameraError: the camera was closed.
        """
        if self._closed:
            raise CameraError("the simulated camera is closed", "open it again to capture")
        pixels, self._truth = self._look()
        x, y = self.stage.position_um
        self._number += 1
        return Frame(
            pixels=pixels,
            number=self._number,
            captured_at=self._now(),
            source="simulated",
            label=f"x {x:.0f} um, y {y:.0f} um",
            exposure_us=self._settings.microscope.exposure_us,
        )

    def move_stage(self, right_um: float, down_um: float) -> None:
        """Move the simulated stage, micrometres."""
        self.stage.move_by(right_um, down_um)

    def capture_blank(self) -> Pixels:
        """Empty glass, RGB (rows, cols, 3): what a technician shows the camera for a flat field."""
        return self._microscope.render_blank()

    def close(self) -> None:
        """Release the slide; safe to call twice."""
        self._closed = True

    def _look(self) -> tuple[Pixels, tuple[VisibleCell, ...]]:
        match self._settings.slide:
            case "smear":
                return self._microscope.look()
            case "blank":
                return self._microscope.render_blank(), ()
            case "ruling":
                return self._microscope.render_ruling(Ruling(self._settings.ruling)), ()
            case "dark":
                return self._microscope.render_dark(), ()

    def _seconds(self) -> float:
        # In the middle of a frame's interval, so that rounding never moves the stage a frame early.
        return (self._number + 0.5) * self._settings.frame_interval_s
