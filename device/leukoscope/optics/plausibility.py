"""Whether a picture can be a stained smear at all: its colours, and whether it shows a field or an eyepiece's edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.optics.levels import Levels
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
"""What absorbs less green than the first is cytoplasm and red cells; what absorbs more than the second are nuclei,
where there are any."""
DARKER = 1.7
"""Nuclei absorb so many times as much green as half of what is stained; where nothing does, there are none in sight."""
BLUE_NUCLEI = 0.02
"""Share by which nuclei absorb more blue than red from which no stain can have given their colour: azure and methylene
blue absorb red. Those of whole white cells are judged more closely once they are found; see analysis.blood_check."""
BLUISH = 25
"""Of 255: what is stained has less than so much more red than blue where red and blue are exchanged."""
GREEN_SHORT = 0.05
"""Share by which nuclei absorb another colour more than green from which the colours are in another order: every dye
of the stain absorbs green. No field of the validation sets has more."""
NEGATIVE_COVERED, NEGATIVE_GLASS = 0.83, 204
"""With more than this share of stained pixels, and a glass below this level of green, a picture is a negative: what was
glass covers it, and the brightest were nuclei."""
CORNER_PX = 12
BLACK = 25
"""Level of every colour, of 255, up to which a corner is the black surround of an eyepiece or an adapter."""
BLACK_CORNERS = 3


def implausible(pixels: NDArray[np.uint8]) -> Flaw | None:
    """Why a picture is no field of a stained smear; None when it may be one.

    Absorbance is the negative logarithm of a colour over that of the glass (Ruifrok and Johnston 2001). Nuclei absorb
    more red than blue, and green most of all, whatever the lamp and the camera make of white; where it is the other way
    round, the colours are in another order. A picture decoded twice looks like a strong stain, and one encoded
    twice like a pale one. How many real fields this refuses, and how many spoilt ones it finds:
    `tools/evaluate.py --only plausible`.

    Args:
        pixels: RGB, shape (rows, cols, 3), at about 0.2 µm per pixel.
    """
    if _black_corners(pixels) >= BLACK_CORNERS:
        return Flaw.BLACK_SURROUND
    colours = np.ascontiguousarray(pixels[::EVERY, ::EVERY])
    glass = [Levels.of(_plane(colours, colour)).percentile(BACKGROUND_PERCENT) for colour in range(3)]
    places = np.flatnonzero(colours[..., 1] < COVERED * glass[1])
    if len(places) < LEAST_STAINED_PX:
        return None
    levels = np.ascontiguousarray(np.take(colours.reshape(-1, 3), places, axis=0).T)
    absorbance = np.stack([np.take(_absorbances(bare), seen) for bare, seen in zip(glass, levels, strict=True)])
    of_pixels = absorbance.mean(axis=0)
    mean = float(of_pixels.mean())
    if mean <= 0 or float(np.abs(absorbance - of_pixels).mean()) < GREY * mean:
        return Flaw.FOREIGN_COLOURS
    if len(places) > NEGATIVE_COVERED * colours[..., 1].size and glass[1] < NEGATIVE_GLASS:
        return Flaw.FOREIGN_COLOURS
    return Flaw.FOREIGN_COLOURS if _another_order(levels, absorbance, glass[1]) else None


def _another_order(levels: NDArray[np.uint8], absorbance: NDArray[np.float32], glass: float) -> bool:
    """Whether stained pixels have the colours of a stain in another order.

    Args:
        levels: of red, green and blue, shape (3, pixels).
        absorbance: the same.
        glass: level of green of the bare glass.
    """
    # What is darker absorbs more: levels rank pixels as absorbances do, the other way round.
    ranks = Levels.of(levels[1])
    darkest = np.flatnonzero(levels[1] <= ranks.percentile(100 - DARKEST_PERCENT))
    red, green, blue = _shares(absorbance, darkest)
    if max(red, blue) - green > GREEN_SHORT:
        return True
    usual = float(_absorbances(glass)[int(ranks.percentile(50))])
    if blue - red <= BLUE_NUCLEI or float(np.take(absorbance[1], darkest).mean()) < DARKER * usual:
        return False
    rest = np.flatnonzero(levels[1] > ranks.percentile(100 - LIGHTER_PERCENT))
    rest_red, _, rest_blue = _shares(absorbance, rest)
    if rest_blue - rest_red > blue - red:
        return False
    return float(np.median(levels[0]) - np.median(levels[2])) < BLUISH


def _plane(colours: NDArray[np.uint8], colour: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.extractChannel(colours, colour), dtype=np.uint8)


def _absorbances(glass: float) -> NDArray[np.float32]:
    """What pixels of each level 0-255 absorb of a colour of which the bare glass has this level; shape (256,)."""
    return np.asarray(np.log(np.float32(glass + 1) / (np.arange(256, dtype=np.float32) + 1)), dtype=np.float32)


def _shares(absorbance: NDArray[np.float32], places: NDArray[np.intp]) -> tuple[float, float, float]:
    """What red, green and blue are of all that some pixels absorb; a third each where there are none.

    Args:
        absorbance: of red, green and blue, shape (3, pixels).
        places: of the pixels.
    """
    if not len(places):
        return (1 / 3, 1 / 3, 1 / 3)
    red, green, blue = np.take(absorbance, places, axis=1).mean(axis=1).tolist()
    total = max(red + green + blue, 1e-3)
    return red / total, green / total, blue / total


def _black_corners(pixels: NDArray[np.uint8]) -> int:
    near, far = slice(0, CORNER_PX), slice(-CORNER_PX, None)
    corners = [pixels[rows, cols] for rows in (near, far) for cols in (near, far)]
    return sum(_median(corner.max(axis=2)) <= BLACK for corner in corners)


def _median(levels: NDArray[np.uint8]) -> float:
    """As np.median, in a tenth of the time for a few levels."""
    ranked = np.sort(levels, axis=None)
    return (int(ranked[(len(ranked) - 1) // 2]) + int(ranked[len(ranked) // 2])) / 2
