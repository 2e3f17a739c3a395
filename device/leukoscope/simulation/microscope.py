"""A microscope over a simulated smear: one look gives a picture and the truth about the cells in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.schema import FrozenModel
from leukoscope.simulation.body import Patch
from leukoscope.simulation.noise import Waves, generator
from leukoscope.simulation.objective import CONE, DIFFRACTION_SIGMA_UM, defocused, illumination, smeared
from leukoscope.simulation.recent import Recent
from leukoscope.simulation.shapes import Points
from leukoscope.simulation.smear import Smear, SmearCell
from leukoscope.simulation.stage import Stage
from leukoscope.simulation.stage_micrometer import Ruling
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.frame import Pixels

_KEPT_PATCHES = 300
"""Some three fields of cells; what was passed is drawn again when the stage comes back."""
_LIGHT_PATH, _FOCUS, _SENSOR = 10, 11, 12


class MicroscopeSettings(FrozenModel):
    """The simulated objective, lamp and sensor."""

    seed: int = Field(default=1, ge=0, lt=2**32)
    """Of noise, dust and the focus drift."""
    width: int = Field(default=640, ge=16, le=4096)
    """Pixels across."""
    height: int = Field(default=480, ge=16, le=4096)
    """Pixels down."""
    um_per_px: float = Field(default=0.127, gt=0.02, le=1.0)
    """Micrometres of specimen per pixel."""
    background_rgb: tuple[float, float, float] = (240.0, 228.0, 212.0)
    """Empty glass in the middle of the picture at exposure 1, 0-255 per channel."""
    exposure: float = Field(default=1.0, gt=0, le=8)
    """Light gathered, over the amount that makes empty glass `background_rgb`."""
    exposure_us: int = Field(default=8000, ge=10, le=1_000_000)
    """How long the shutter is open, microseconds; only motion feels it."""
    vignetting: float = Field(default=0.10, ge=0, le=0.9)
    """Share of the light lost in the corners, 0-0.9."""
    lamp_gradient: float = Field(default=0.05, ge=0, le=0.9)
    """Share of the light lost from one side of the picture to the other, 0-0.9."""
    colour_shading: float = Field(default=0.0, ge=0, le=0.9)
    """Share of the red lost towards the right edge and of the blue lost towards the left one, 0-0.9."""
    dust_spots: int = Field(default=2, ge=0, le=50)
    """Faint shadows of dust on the sensor, fixed in the picture."""
    focus_um: float = Field(default=0.0, ge=-20, le=20)
    """Height at which the objective is focused, micrometres above the smear's mean plane."""
    focus_drift_um: float = Field(default=0.12, ge=0, le=10)
    """How far the smear's surface strays from its mean plane over the slide, micrometres."""
    full_well: float = Field(default=12_000.0, ge=100, le=1e6)
    """Electrons that make 255; fewer means more shot noise."""
    read_noise: float = Field(default=8.0, ge=0, le=200)
    """Electrons of read noise (standard deviation)."""
    black_level: float = Field(default=0.0, ge=0, le=64)
    """What the sensor reads without light, 0-255."""


@dataclass(frozen=True, slots=True, eq=False)
class VisibleCell:
    """The truth about one cell in one picture."""

    cell: SmearCell
    box: Box
    """What of it is in the picture, pixels."""
    outline: NDArray[np.bool_]
    """Which pixels of the box are cell; shape (box.height, box.width)."""
    nucleus: NDArray[np.bool_]
    """Which pixels of the box are nucleus; same shape."""
    touches_border: bool
    """It is cut by the picture's edge, or just reaches it."""

    @property
    def kind(self) -> CellKind:
        """Red cell, white cell or platelet."""
        return self.cell.kind

    @property
    def cell_class(self) -> str:
        """A white-cell class, "rbc" or "platelet"."""
        return self.cell.cell_class


class SimulatedMicroscope:
    """Looks at a smear where the stage is."""

    def __init__(self, smear: Smear, stage: Stage, settings: MicroscopeSettings) -> None:
        self.smear, self.stage, self.settings = smear, stage, settings
        light_path = generator(settings.seed, _LIGHT_PATH)
        self._light = illumination(
            settings.height,
            settings.width,
            settings.vignetting,
            settings.lamp_gradient,
            settings.dust_spots,
            light_path,
        ) * np.asarray(settings.background_rgb, dtype=np.float32)
        across = np.linspace(0, 1, settings.width, dtype=np.float32)
        self._light[..., 0] *= 1 - settings.colour_shading * across
        self._light[..., 2] *= 1 - settings.colour_shading * across[::-1]
        self._surface = Waves(generator(settings.seed, _FOCUS), 400.0)
        self._sensor = generator(settings.seed, _SENSOR)
        self._patches: Recent[str, Patch] = Recent(_KEPT_PATCHES)

    def refocus(self, focus_um: float) -> None:
        """Turn the focus to a height, micrometres above the smear's mean plane."""
        self.settings = self.settings.model_copy(update={"focus_um": focus_um})

    def look(self) -> tuple[Pixels, tuple[VisibleCell, ...]]:
        """A picture, RGB (height, width, 3) uint8, and the truth about every cell in it."""
        row, col = self._first_pixel()
        cells = self._cells_around(row, col)
        density = self._density(cells, row, col)
        light = np.exp(np.negative(density, out=density), out=density)
        seen = (self._visible(cell, row, col) for cell in cells)
        return self._exposed(self._blurred(light)), tuple(cell for cell in seen if cell is not None)

    def render_blank(self) -> Pixels:
        """A picture of empty glass, as taken for a flat-field calibration."""
        return self._exposed(np.ones((self.settings.height, self.settings.width, 3), np.float32))

    def render_dark(self) -> Pixels:
        """A picture with the lamp switched off."""
        return self._exposed(np.zeros((self.settings.height, self.settings.width, 3), np.float32))

    def render_ruling(self, ruling: Ruling) -> Pixels:
        """A picture of a stage micrometer in place of the smear, blurred by focus and motion as that would be."""
        scale, rim = self.settings.um_per_px, self._reach_px()
        row, col = self._first_pixel()
        # The blur of the rim comes from lines outside the picture, which a mirror at its edge would bend.
        y, x = np.mgrid[row - rim : row + self.settings.height + rim, col - rim : col + self.settings.width + rim]
        density = ruling.density((x + 0.5) * scale, (y + 0.5) * scale)
        light = self._blurred(np.repeat(np.exp(-density)[..., None], 3, axis=2))
        return self._exposed(light[rim:-rim, rim:-rim])

    @property
    def defocus_um(self) -> float:
        """How far the smear under the picture's middle lies out of focus, micrometres, signed."""
        x, y = self.stage.position_um
        return float(self._surface.at(x, y)) * self.settings.focus_drift_um - self.settings.focus_um

    def _blurred(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        settings = self.settings
        light = defocused(light, self.defocus_um, settings.um_per_px)
        dx, dy = self.stage.travelled_um(settings.exposure_us / 1e6)
        return smeared(light, dx / settings.um_per_px, dy / settings.um_per_px)

    def _reach_px(self) -> int:
        """How far light strays in `_blurred`, pixels, with some to spare."""
        travelled_um = max(np.abs(self.stage.travelled_um(self.settings.exposure_us / 1e6)))
        return (
            int((abs(self.defocus_um) * CONE + travelled_um + 4 * DIFFRACTION_SIGMA_UM) / self.settings.um_per_px) + 4
        )

    def _first_pixel(self) -> tuple[int, int]:
        """(row, col) on the slide's pixel grid of the picture's upper left pixel."""
        x, y = self.stage.position_um
        scale = self.settings.um_per_px
        return round(y / scale - self.settings.height / 2), round(x / scale - self.settings.width / 2)

    def _cells_around(self, row: int, col: int) -> list[SmearCell]:
        scale = self.settings.um_per_px
        left, top = col * scale, row * scale
        right, bottom = left + self.settings.width * scale, top + self.settings.height * scale
        return self.smear.cells_in(left, top, right, bottom)

    def _density(self, cells: Sequence[SmearCell], row: int, col: int) -> NDArray[np.float32]:
        """Optical density, (height, width, 3); overlapping cells add, as in transmitted light."""
        settings = self.settings
        density = np.zeros((settings.height, settings.width, 3), np.float32)
        for cell in cells:
            patch = self._patches.get(cell.id, partial(self._drawn, cell))
            top, left = patch.row - row, patch.col - col
            rows = slice(max(top, 0), min(top + patch.density.shape[0], settings.height))
            cols = slice(max(left, 0), min(left + patch.density.shape[1], settings.width))
            if rows.start < rows.stop and cols.start < cols.stop:
                density[rows, cols] += patch.density[
                    rows.start - top : rows.stop - top, cols.start - left : cols.stop - left
                ]
        return density

    def _drawn(self, cell: SmearCell) -> Patch:
        return cell.body.draw(cell.x_um, cell.y_um, self.settings.um_per_px, self.smear.stain)

    def _visible(self, cell: SmearCell, row: int, col: int) -> VisibleCell | None:
        outline = self._in_pixels(cell.outline_um, row, col)
        low, high = np.floor(outline.min(axis=0)).astype(int), np.ceil(outline.max(axis=0)).astype(int)
        size = (self.settings.width, self.settings.height)
        box_low, box_high = np.maximum(low, 0), np.minimum(high, size)
        if (box_low >= box_high).any():
            return None
        mask = _filled([outline], box_low, box_high)
        if not mask.any():
            return None
        nucleus = _filled([self._in_pixels(part, row, col) for part in cell.nucleus_um], box_low, box_high)
        return _tight(cell, mask, nucleus, box_low, size)

    def _in_pixels(self, points_um: Points, row: int, col: int) -> Points:
        return points_um / self.settings.um_per_px - (col, row)

    def _exposed(self, light: NDArray[np.float32]) -> Pixels:
        """Photons to electrons to eight bits; shot noise is Gaussian, exact enough above 50 electrons.

        The sensor is linear, because the stains' densities were measured on camera values, not on light. Planes are
        computed in place: a board that shows the simulation has no memory for one per step.
        """
        settings = self.settings
        electrons = light * self._light
        electrons *= np.float32(settings.exposure * settings.full_well / 255)
        noise = self._sensor.standard_normal(electrons.shape, dtype=np.float32)
        spread = electrons + np.float32(settings.read_noise**2)
        noise *= np.sqrt(spread, out=spread)
        electrons += noise
        electrons *= np.float32(255 / settings.full_well)
        electrons += np.float32(settings.black_level)
        return np.asarray(np.clip(np.rint(electrons, out=electrons), 0, 255, out=electrons), dtype=np.uint8)


def _filled(polygons: Sequence[Points], low: NDArray[np.int_], high: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Pixels whose middle lies in a polygon, as a mask of the box from `low` to `high` (x, y)."""
    width, height = (high - low).tolist()
    plane = np.zeros((height, width), np.uint8)
    # OpenCV puts a pixel's middle at whole numbers; here pixel 0 spans 0 to 1.
    corners = [np.rint((points - low - 0.5) * 16).astype(np.int32) for points in polygons]
    if corners:
        cv2.fillPoly(plane, corners, 1, shift=4)
    return plane.astype(bool)


def _tight(
    cell: SmearCell,
    mask: NDArray[np.bool_],
    nucleus: NDArray[np.bool_],
    low: NDArray[np.int_],
    size: tuple[int, int],
) -> VisibleCell:
    """The smallest box around the mask."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    inner = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    box = Box(int(low[1] + rows[0]), int(low[0] + cols[0]), int(low[1] + rows[-1]) + 1, int(low[0] + cols[-1]) + 1)
    border = box.row <= 0 or box.col <= 0 or box.row_end >= size[1] or box.col_end >= size[0]
    return VisibleCell(cell, box, mask[inner], nucleus[inner] & mask[inner], border)
