"""Pictures of things that are no blood smear, drawn: what a camera may see where no slide lies."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from leukoscope.specimen.frame import Pixels

ROWS, COLS = 480, 640
UM_PER_PX = 0.127
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_INKS = ((20, 20, 60), (120, 30, 110), (30, 30, 120), (140, 20, 40), (90, 40, 130))
_PAPERS = ((250, 244, 228), (255, 250, 250), (240, 240, 245), (225, 210, 190))
_FOLIAGE = (((40, 90, 20), (130, 200, 80)), ((150, 60, 30), (220, 130, 80)), ((120, 40, 60), (170, 90, 110)))
_BETWEEN_LEAVES = ((60, 110, 40), (240, 240, 230), (150, 120, 90))
_STONES = ((12, 3, -8), (40, -10, 5), (20, -20, 25))

Draw = Callable[[int], Pixels]
"""Draws one of a kind by its number."""


def page(number: int) -> Pixels:
    """A printed page in coloured ink, letters of 10 to 55 pixels."""
    chance = np.random.default_rng(number)
    picture = Image.new("RGB", (COLS, ROWS), _PAPERS[number % len(_PAPERS)])
    draw, size = ImageDraw.Draw(picture), int(chance.integers(10, 55))
    font = ImageFont.load_default(size=size)
    for top in range(5, ROWS, int(1.3 * size)):
        words = ("".join(chance.choice(list(_LETTERS), int(chance.integers(2, 9)))) for _ in range(20))
        draw.text((int(chance.integers(-20, 20)), top), " ".join(words), _INKS[number % len(_INKS)], font)
    return _seen(np.asarray(picture), chance)


def leaves(number: int) -> Pixels:
    """Leaves on one another, green, withered or red."""
    colours = _FOLIAGE[(number + number // 3) % len(_FOLIAGE)]
    return _heap(number, 300, ((12, 40), (5, 15)), _BETWEEN_LEAVES[number % 3], colours)


def gravel(number: int) -> Pixels:
    """Stones of a few micrometres' size, grey, reddish or violet."""
    large, small = (12, 22, 30)[number % 3], (10, 18, 26)[number % 3]
    tint = np.array(_STONES[number % len(_STONES)])
    return _heap(number, 900, ((6, large), (6, small)), (120, 105, 90), (80 + tint, 220 + tint), even=True)


def bubble_wrap(number: int) -> Pixels:
    """Rows of bubbles with a rim and a highlight, in grey or in a pale colour."""
    chance = np.random.default_rng(number)
    sheet, inside, rim = (
        ((205, 205, 210), (170, 170, 175), (120, 120, 125)),
        ((230, 210, 220), (200, 160, 180), (160, 110, 140)),
        ((240, 220, 200), (215, 170, 150), (170, 110, 100)),
    )[number % 3]
    drawn, radius = np.full((ROWS, COLS, 3), sheet, np.uint8), (14, 20, 28, 40)[number % 4]
    for line in range(ROWS // (2 * radius) + 2):
        for place in range(COLS // (2 * radius) + 2):
            middle = round(place * 2.2 * radius + (line % 2) * 1.1 * radius), round(line * 1.9 * radius)
            cv2.circle(drawn, middle, radius, inside, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(drawn, middle, radius, rim, 2, cv2.LINE_AA)
            light = middle[0] - radius // 3, middle[1] - radius // 3
            cv2.circle(drawn, light, radius // 4, (250, 250, 250), cv2.FILLED, cv2.LINE_AA)
    return _seen(drawn, chance)


def wood(number: int) -> Pixels:
    """The grain of wood."""
    chance = np.random.default_rng(number)
    row, col = np.mgrid[0:ROWS, 0:COLS]
    grain = np.sin(col / (20 + 5 * number) + 3 * np.sin(row / 90)) * 25 + np.sin(row / 3) * 8
    colour = ((160, 110, 70), (200, 150, 150), (190, 140, 170), (230, 190, 170))[number % 4]
    return _seen((grain[..., None] * (0.7, 1, 1.1) + colour).clip(0, 255).astype(np.uint8), chance)


KINDS: dict[str, Draw] = {
    "page": page,
    "leaves": leaves,
    "gravel": gravel,
    "bubble wrap": bubble_wrap,
    "wood": wood,
}


def _heap(
    number: int,
    count: int,
    halves: tuple[tuple[int, int], tuple[int, int]],
    ground: tuple[int, int, int],
    colours: tuple[ArrayLike, ArrayLike],
    *,
    even: bool = False,
) -> Pixels:
    """Ellipses that lie on one another.

    Args:
        number: of the picture.
        count: how many ellipses.
        halves: ranges of their half axes, pixels.
        ground: what is seen between them.
        colours: between these two they lie.
        even: whether all three colours of one ellipse lie at the same place between the two.
    """
    chance = np.random.default_rng(number)
    drawn = np.full((ROWS, COLS, 3), ground, np.uint8)
    darkest, lightest = np.asarray(colours[0]), np.asarray(colours[1])
    for _ in range(count):
        middle = int(chance.integers(0, COLS)), int(chance.integers(0, ROWS))
        axes = int(chance.integers(*halves[0])), int(chance.integers(*halves[1]))
        between = chance.random(1 if even else 3)
        shade = tuple(int(level) for level in np.clip(darkest + between * (lightest - darkest), 0, 255))
        cv2.ellipse(drawn, middle, axes, float(chance.integers(0, 180)), 0, 360, shade, cv2.FILLED, cv2.LINE_AA)
    return _seen(drawn, chance)


def _seen(drawn: NDArray[np.uint8], chance: np.random.Generator) -> Pixels:
    """As a camera sees it: a little blurred, with noise."""
    soft = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 0.8)
    return np.asarray((soft + chance.normal(0, 3, soft.shape)).clip(0, 255), dtype=np.uint8)
