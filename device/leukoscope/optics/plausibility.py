"""Whether a picture can be a stained smear at all: its colours, and whether it shows a field or an eyepiece's edge."""

import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.field import Flaw

EVERY = 4
"""Every fourth row and column is enough to judge colours by."""
BACKGROUND_PERCENT = 97
"""Percentile of each colour that is taken for the bare glass, as in the quality gate."""
COVERED = 0.88
"""Of the glass's green; what is darker is stained."""
LEAST_STAINED_PX = 30
GREY = 0.03
"""Mean deviation of a pixel's three absorbances from their mean, over that mean, below which a picture is grey. No
field of the validation sets has less than 0.04."""
LIGHTER_PERCENT, DARKEST_PERCENT = 70, 95
"""What absorbs less green than the first is cytoplasm and red cells; what absorbs more than the second are nuclei."""
BLUE_NUCLEI = 0.05
"""Share by which nuclei absorb more blue than red from which no stain can have given their colour: azure and methylene
blue absorb red."""
CORNER_PX = 12
BLACK = 25
"""Level of every colour, of 255, up to which a corner is the black surround of an eyepiece or an adapter."""
BLACK_CORNERS = 3


def implausible(pixels: NDArray[np.uint8]) -> Flaw | None:
    """Why a picture is no field of a stained smear; None when it may be one.

    Absorbance is the negative logarithm of a colour over that of the glass (Ruifrok and Johnston 2001). Nuclei absorb
    more red than the lighter rest of a smear, whatever the lamp and the camera make of white; where it is the other way
    round, and the cells are bluish, red and blue are exchanged. How many real fields this refuses, and how many
    exchanged ones it finds: `tools/evaluate.py --only plausible`.

    Args:
        pixels: RGB, shape (rows, cols, 3), at about 0.2 µm per pixel.
    """
    if _black_corners(pixels) >= BLACK_CORNERS:
        return Flaw.BLACK_SURROUND
    colours = pixels[::EVERY, ::EVERY].reshape(-1, 3).astype(np.float32)
    glass = np.percentile(colours, BACKGROUND_PERCENT, axis=0)
    stained = colours[colours[:, 1] < COVERED * glass[1]]
    if len(stained) < LEAST_STAINED_PX:
        return None
    absorbance = -np.log((stained + 1) / (glass + 1))
    mean = float(absorbance.mean())
    if mean <= 0 or float(np.abs(absorbance - absorbance.mean(axis=1, keepdims=True)).mean()) < GREY * mean:
        return Flaw.FOREIGN_COLOURS
    lighter, darkest = np.percentile(absorbance[:, 1], (LIGHTER_PERCENT, DARKEST_PERCENT))
    nuclei = _blue_over_red(absorbance[absorbance[:, 1] >= darkest])
    rest = _blue_over_red(absorbance[absorbance[:, 1] < lighter])
    bluish = float(np.median(stained[:, 0] - stained[:, 2])) < 0
    return Flaw.FOREIGN_COLOURS if bluish and nuclei > BLUE_NUCLEI and rest < nuclei else None


def _blue_over_red(absorbance: NDArray[np.float32]) -> float:
    """By how much more blue than red is absorbed, as a share of what is absorbed of all three."""
    if not len(absorbance):
        return 0.0
    red, green, blue = (float(value) for value in absorbance.mean(axis=0))
    return (blue - red) / max(red + green + blue, 1e-3)


def _black_corners(pixels: NDArray[np.uint8]) -> int:
    near, far = slice(0, CORNER_PX), slice(-CORNER_PX, None)
    corners = [pixels[rows, cols] for rows in (near, far) for cols in (near, far)]
    return sum(float(np.median(corner.max(axis=2))) <= BLACK for corner in corners)
