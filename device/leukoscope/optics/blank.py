"""What blank fields tell about the light: its shade at every place, with cells kept apart from shading and left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import CalibrationError
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Pixels

Light = NDArray[np.float32]
"""Grey level per place and colour, shape (grid rows, grid cols, 3)."""

GRID = (48, 64)
"""Rows and columns of the light that is kept: lamps shade smoothly, and a speck of dust on the sensor still shows."""
CELL_DEPTH = 0.12
"""What is darker than the glass around it by more than this share is no shading but a cell."""
MAX_CELLS = 0.02
"""Share of a picture that cells may cover before it counts as a field of its own and no blank one."""
MIN_BLANKS = 3
"""Pictures that must be left: fewer have no median that a cell cannot spoil."""
MAX_CLIPPED = 0.001
"""Share of clipped pixels in any colour: what is clipped hides its shading."""
CLIPPED, MIN_GLASS, MAX_DARK = 254, 60.0, 48.0
"""Grey levels, of 255: clipped from here, blank glass is brighter than this, a dark picture darker than that."""
_FINE = 2
"""Cells are looked for on a grid this much finer than `GRID`."""


@dataclass(frozen=True, slots=True)
class BlankFields:
    """The light that several blank fields agree on."""

    light: Light
    """Median over the pictures."""
    used: int
    """Pictures that were blank."""
    refused: int
    """Pictures left out because cells cover more than `MAX_CELLS` of them."""


def light_of(pictures: Sequence[Pixels]) -> BlankFields:
    """The light of blank fields, the dark level included; cells are left out, fields full of them too.

    Args:
        pictures: RGB, of one size, shape (rows, cols, 3), taken at different places of the slide.

    Raises:
        CalibrationError: too few of them are blank, or they are clipped or too dark.
    """
    _expect_one_size(pictures)
    planes, masks, covers = [], [], []
    for picture in pictures:
        _expect_exposed(picture)
        plane = _shrunk(picture, _FINE)
        mask = _cells(plane[..., 1])
        covers.append(float(mask.mean()))
        if covers[-1] <= MAX_CELLS:
            planes.append(plane)
            masks.append(cv2.dilate(mask, np.ones((5, 5), np.uint8)).astype(bool))
    if len(planes) < min(MIN_BLANKS, len(pictures)) or not planes:
        raise CalibrationError(
            Sentence(
                "expected at least {least} blank fields, found {found} among {all} pictures (cells cover "
                "{share} of the fullest)",
                least=MIN_BLANKS,
                found=len(planes),
                all=len(pictures),
                share=f"{max(covers):.0%}",
            ),
            "move to an empty place of the slide and take them again",
        )
    light = _grid(_median(planes, masks))
    if float(light.min()) < MIN_GLASS / 4:
        raise CalibrationError(
            f"expected blank fields, found a place of brightness {light.min():.0f} of 255", "is the condenser centred?"
        )
    return BlankFields(np.asarray(light, np.float32), len(planes), len(pictures) - len(planes))


def dark_of(pictures: Sequence[Pixels]) -> Light:
    """What the sensor reads without light: the median of pictures taken with the lamp off, shape (GRID, 3).

    Raises:
        CalibrationError: light reaches the sensor.
    """
    _expect_one_size(pictures)
    level = _grid(np.asarray(np.median(np.stack([_shrunk(one, _FINE) for one in pictures]), axis=0), np.float32))
    if float(level.max()) > MAX_DARK:
        raise CalibrationError(
            Sentence(
                "expected dark pictures (below {limit} of 255), found a place of brightness {level}",
                limit=f"{MAX_DARK:.0f}",
                level=f"{level.max():.0f}",
            ),
            "switch the lamp off or cover the light path",
        )
    return level


def unevenness(pictures: Sequence[Pixels]) -> float:
    """How far the light of corrected blank fields strays from its own mean in the worst place and colour, 0-1.

    Raises:
        CalibrationError: as in `light_of`.
    """
    rows, cols = GRID
    places = cv2.resize(light_of(pictures).light, (cols // 2, rows // 2), interpolation=cv2.INTER_AREA)
    return float(np.abs(places / places.mean(axis=(0, 1)) - 1).max())


def _expect_one_size(pictures: Sequence[Pixels]) -> None:
    sizes = sorted({f"{picture.shape[1]}x{picture.shape[0]}" for picture in pictures})
    if len(sizes) != 1:
        found = " and ".join(sizes) or "none"
        raise CalibrationError(f"expected pictures of one size, found {found}", "take them all with the bench's camera")


def _expect_exposed(picture: Pixels) -> None:
    clipped = max(float((picture[::2, ::2, colour] >= CLIPPED).mean()) for colour in range(3))
    if clipped > MAX_CLIPPED:
        raise CalibrationError(
            Sentence(
                "expected blank fields below {limit} of 255, found {share} of one colour clipped",
                limit=CLIPPED,
                share=f"{clipped:.1%}",
            ),
            "turn the lamp down or shorten the exposure",
        )
    glass = float(np.median(picture[::4, ::4, 1]))
    if glass < MIN_GLASS:
        raise CalibrationError(
            Sentence(
                "expected blank fields brighter than {limit} of 255, found {found}",
                limit=f"{MIN_GLASS:.0f}",
                found=f"{glass:.0f}",
            ),
            "turn the lamp up or lengthen the exposure",
        )


def _shrunk(picture: Pixels, fine: int) -> Light:
    rows, cols = GRID
    size = (cols * fine, rows * fine)
    return np.asarray(cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _grid(plane: Light) -> Light:
    return np.asarray(cv2.resize(plane, GRID[::-1], interpolation=cv2.INTER_AREA), dtype=np.float32)


def _cells(green: NDArray[np.float32]) -> NDArray[np.uint8]:
    """What is darker than the glass around it; the glass is a smooth surface through the bright places."""
    y, x = np.mgrid[-1 : 1 : green.shape[0] * 1j, -1 : 1 : green.shape[1] * 1j]
    powers = np.stack([x**i * y**j for i in range(5) for j in range(5) if i + j <= 4], axis=2)
    # A smooth surface needs few points.
    few, values = powers[1::4, 1::4].reshape(-1, powers.shape[2]), green[1::4, 1::4].ravel()
    bright = np.ones(values.shape, bool)
    weights = np.zeros(powers.shape[2])
    for _ in range(8):
        weights = np.linalg.lstsq(few[bright], values[bright], rcond=None)[0]
        kept = values > (1 - CELL_DEPTH / 3) * np.einsum("ij,j->i", few, weights)
        if kept.sum() < 4 * len(weights) or (kept == bright).all():
            break
        bright = kept
    glass = np.einsum("ijk,k->ij", powers, weights)
    return np.asarray(green < (1 - CELL_DEPTH) * glass, dtype=np.uint8)


def _median(planes: Sequence[Light], masks: Sequence[NDArray[np.bool_]]) -> Light:
    hidden = np.stack(masks)
    if len(masks) >= MIN_BLANKS and bool((hidden.mean(axis=0) > 0.5).any()):
        raise CalibrationError(
            "expected blank fields of different places, found a cell at the same place in most pictures",
            "move the slide between them",
        )
    stack = np.where(hidden[..., None], np.float32(np.nan), np.stack(planes))
    if bool(hidden.all(axis=0).any()):
        return np.asarray(np.median(np.stack(planes), axis=0), dtype=np.float32)
    return np.asarray(np.nanmedian(stack, axis=0), dtype=np.float32)
